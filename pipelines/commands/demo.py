"""The main job end to end on a small synthetic world."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from features.messages.mapping import UNMAPPED
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import ingest_manifest, ingest_outcomes
from pipelines.batch.publish import publish
from pipelines.batch.published_folders import note_published
from pipelines.batch.score import score
from pipelines.commands.train_command import learn
from pipelines.synthetic import build_world
from pipelines.training.promotion import promote
from service.desk import open_desk
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import counted
from service.settings import Settings
from service.store.database import open_store

DAYS, PER_DAY, SEED = 60, 2000, 1
TOP = 10


def run(settings: Settings, now: datetime) -> Path:
    """Make a world that ends the day before `now`, learn from all but its last day, score that day.

    Gives the folder of the results. The same seed on another day gives the same world, its days moved: only how many
    consignments a day has depends on the weekday and the month.
    """
    started = time.perf_counter()
    settings = settings.model_copy(update={"home": settings.home / "demo", "store": ""})
    shutil.rmtree(settings.home, ignore_errors=True)
    world = settings.home / "world"
    show.heading(f"1. A synthetic world: {DAYS} days, {PER_DAY:,} consignments a day")
    with show.progress("days", DAYS) as advance:
        build_world(DAYS, PER_DAY, SEED, world, start=now.date() - timedelta(days=DAYS), progress=advance)
    *past, last = sorted((world / "manifests").glob("*.parquet"))
    end = datetime.fromisoformat(last.stem).replace(tzinfo=UTC)
    LinkingSwitch(settings.linking).turn_on("demo", "nobody in this world exists", now)
    show.heading("2. Ingest the manifests and the inspection results known before the last day")
    _ingest(settings, world, past, end)
    show.heading("3. Learn, register, promote")
    version = learn(settings, UNMAPPED, "tamis", end=end)
    bundle = promote(version, "demo", "first model of a fresh installation", settings, now)
    show.line(f"{bundle.name} serves; signed bundle in {bundle}")
    show.heading(f"4. Score the last day, {last.stem}")
    out = settings.reports / last.stem
    desk = open_desk(settings)
    scored = score([last], desk, Archive(settings.archive), now, say=show.line)
    note_published(settings, out)
    summary = publish(scored, desk, out, now, f"Orientations of {last.stem}")
    show.heading(f"The top {TOP} of the list")
    show.top(scored.orientations, scored.declared, TOP)
    lanes = ", ".join(f"{count:,} {lane}" for lane, count in summary["lanes"].items())
    show.line(f"\n{summary['consignments']:,} consignments: {lanes}. Done in {time.perf_counter() - started:.0f} s.")
    show.line(f"Report: {out / 'report.html'}")
    show.line(f"Look at it in the console: TAMIS_HOME={settings.home} {_command()} serve")
    return out


def _command() -> str:
    """How this very `tamis` is called from where one stands."""
    called = Path(sys.argv[0])
    if called.name != "tamis" or not called.is_file():
        return "tamis"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else "tamis"


def _ingest(settings: Settings, world: Path, manifests: list[Path], end: datetime) -> None:
    archive, store = Archive(settings.archive), open_store(settings)
    journal = Journal(store, LinkingSwitch(settings.linking))
    with show.progress("manifests", len(manifests)) as advance:
        for file in manifests:
            done = ingest_manifest(file, archive, journal)
            advance(f"{done.file}: {done.account}")
    known = [f for f in sorted((world / "outcomes").glob("*.parquet")) if _before(f, end)]
    with show.progress("outcome files", len(known)) as advance:
        for file in known:
            account, received = ingest_outcomes(file, archive, journal)
            advance(f"{account.file}: {received.recorded:,} results recorded")
    cards, networks = counted(store)
    show.line(f"{cards:,} senders as declared; {networks:,} networks of several, by what they share")
    store.close()


def _before(file: Path, end: datetime) -> bool:
    return datetime.fromisoformat(file.stem).replace(tzinfo=UTC) + timedelta(days=1) <= end
