"""What an installation holds and waits for, read without writing anything: the ground of `tamis status`."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.fault import Fault
from service.runtime.installed_version import installed_version
from service.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

Facts = dict[str, Any]
BEGIN_BY_RULES = 'tamis promote --rules --by NAME --reason "…", or tamis outcomes FILE'
NO_STORE = "no store yet: run `tamis demo` or `tamis ingest FILE`"
REACHED_WITHIN = 5  # seconds for PostgreSQL to answer


def status_of(settings: Settings) -> Facts:
    """Gather what is installed, linked, promoted, fresh and waiting, and the command that comes next."""
    facts: Facts = {
        "installed": _installed(settings),
        "linked": _linked(settings),
        "promoted": _promoted(settings),
        "fresh": _archived(settings),
        "waiting": {},
        "copies": _copies(settings),
    }
    with reading_only(settings) as connection:
        if connection is not None:
            facts["fresh"] |= _known(connection)
            facts["waiting"] = _waiting(connection)
        facts["store"] = connection is not None
    return facts | {"next": next_command(facts)}


def _installed(settings: Settings) -> Facts:
    kind = "SQLite" if settings.store_address.startswith("sqlite") else "PostgreSQL"
    return {
        "version": installed_version(),
        "python": platform.python_version(),
        "home": str(settings.home.absolute()),
        "database": kind,
        "plugins": _plugins(),
    }


def _plugins() -> dict[str, str]:
    """Return the plug-ins that bring features, each with its version; none is loaded for it."""
    found = entry_points(group="tamis.features")
    return {entry.dist.name: entry.dist.version for entry in found if entry.dist is not None}


def _linked(settings: Settings) -> Facts:
    from service.parties.linking_switch import LinkingSwitch

    return {"on": LinkingSwitch(settings.linking).on, **LinkingSwitch(settings.linking).authorisation()}


def _promoted(settings: Settings) -> Facts:
    """The bundle that serves, as its manifest says, and the version that waits to be promoted."""
    from pipelines.training.registered_versions import waiting_version

    if not settings.champion.exists():
        return {"bundle": None, "revised": [], "challenger": waiting_version(settings.tracking, None)}
    manifest = settings.serving / "manifest.json"
    if not manifest.exists():
        raise Fault(f"the bundle {settings.serving.name} serves and is not there; run `tamis bundles roll-back`")
    manifest_facts = json.loads(manifest.read_text(encoding="utf-8"))
    bundle = str(manifest_facts["model_id"])
    return {
        "bundle": bundle,
        "since": manifest_facts.get("promoted_at"),
        "by": manifest_facts.get("promoted_by"),
        "revised": _revised(settings.serving / "catalogue.json"),
        "challenger": waiting_version(settings.tracking, bundle),
    }


def _revised(catalogue: Path) -> list[str]:
    """List the identifiers that are read with more care than when the serving model learned."""
    if not catalogue.exists():  # rules alone serve
        return []
    from features.compatible import revised_since
    from features.inputs import from_json

    written = json.loads(catalogue.read_text(encoding="utf-8"))
    return list(revised_since(from_json(written["inputs"]), written["fingerprint"], written.get("code")))


def _archived(settings: Settings) -> Facts:
    """The newest days of the archive and of the reports; folders are named by them."""
    return {
        "newest_manifest_day": _newest(settings.archive / "manifest", "day="),
        "newest_outcome_day": _newest(settings.archive / "outcomes", "day="),
        "last_monitor_day": _newest(settings.reports / "monitor", ""),
    }


def _copies(settings: Settings) -> Facts | None:
    """How far checkpoints were sent to a second place; None where none is set."""
    if not settings.checkpoint_place:
        return None
    from dataclasses import asdict

    from service.record.checkpoint_copies import copies_of

    copies = copies_of(settings)
    return None if copies is None else asdict(copies)


def _newest(folder: Path, prefix: str) -> str | None:
    days = [path.name.removeprefix(prefix) for path in folder.glob(f"{prefix}????-??-??") if path.is_dir()]
    return max(days, default=None)


@contextmanager
def reading_only(settings: Settings) -> Iterator[sa.Connection | None]:
    """Open the store for reading where there is one; nothing is made and nothing is written."""
    if settings.store_address.startswith("sqlite"):
        path = Path(settings.store_address.removeprefix("sqlite:///"))
        if not path.is_file():
            yield None
            return
    import sqlalchemy as sa

    engine = _read_only_engine(settings.store_address)
    try:
        with engine.connect() as connection:
            yield connection if sa.inspect(connection).has_table("chain") else None
    finally:
        engine.dispose()


def _read_only_engine(address: str) -> sa.Engine:
    import sqlalchemy as sa

    url = sa.make_url(address)
    if url.drivername == "sqlite":
        return sa.create_engine(f"sqlite:///file:{url.database}?mode=ro&uri=true")
    limits = {"connect_timeout": REACHED_WITHIN, "options": "-c default_transaction_read_only=on"}
    return sa.create_engine(url.set(drivername="postgresql+psycopg"), connect_args=limits)


def _known(connection: sa.Connection) -> Facts:
    """How far the store knows: the newest result, the history and the lists."""
    import sqlalchemy as sa

    from service.store.queries import state_of
    from service.store.tables import OUTCOMES

    return {
        "newest_outcome": _moment(connection.execute(sa.select(sa.func.max(OUTCOMES.c.known_at))).scalar()),
        "history_as_of": _moment(state_of(connection, "history_as_of")),
        "lists_as_of": _moment(state_of(connection, "lists_checked") or state_of(connection, "lists_as_of")),
    }


def _waiting(connection: sa.Connection) -> Facts:
    """Count what waits for a command, for the service or for a person."""
    from service.store.tables import CASE_NOTES, DECISIONS, DECLARATIONS, LISTS, OUTCOMES, PROPOSALS

    unposted = sum(_count(connection, table, ~table.c.posted) for table in (DECLARATIONS, OUTCOMES))
    return {
        "facts_unposted": unposted,
        "decisions_to_reassess": _count(connection, DECISIONS, DECISIONS.c.waits),
        "lists_to_approve": _count(connection, LISTS, LISTS.c.status == "waiting"),
        "proposals": _count(connection, PROPOSALS, PROPOSALS.c.state == "waiting"),
        **_cases(connection, bool(_count(connection, CASE_NOTES, CASE_NOTES.c.salt.is_not(None)))),
    }


def _count(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    import sqlalchemy as sa

    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one())


def _cases(connection: sa.Connection, noted: bool) -> Facts:
    """Open cases and the day on which the next step is due; what counts days is loaded only where there are any."""
    if not noted:
        return {"open_cases": 0, "next_due": None}
    from service.officers.cases import open_cases_in

    cases = open_cases_in(connection)
    due = [clock.due for case in cases if (clock := case.due()) is not None]
    return {"open_cases": len(cases), "next_due": min(due).isoformat() if due else None}


def _moment(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds")


def next_command(facts: Facts) -> str:
    """Name the one command that brings the installation on."""
    waiting, promoted = facts["waiting"], facts["promoted"]
    challenger = promoted["challenger"]
    if not facts["store"]:
        return "tamis demo, or tamis ingest FILE"
    if promoted["bundle"] is None:
        if challenger is not None:
            return str(challenger["command"])
        return "tamis train" if facts["fresh"]["newest_outcome"] else BEGIN_BY_RULES
    if waiting["lists_to_approve"]:
        return "tamis lists show, then tamis lists approve LIST --by NAME"
    if waiting["proposals"]:
        return "tamis serve, and decide the proposals on the console"
    if waiting["open_cases"]:
        return "tamis cases list"
    if challenger is not None:
        return str(challenger["command"])
    if promoted["revised"]:
        return "tamis train: the model that serves learned before identifiers were read as they are now"
    return "tamis score FILE --out DIR"
