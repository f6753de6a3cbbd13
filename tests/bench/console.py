"""How long the console's pages take over a store of a million decisions.

python -m tests.bench.console [DECISIONS [FOLDER]]    # a million where none is named; ten minutes and 8 GB of disk

The store is kept in the folder, and used again where it is there. Nine in a hundred of the checked have a result.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.messages import Message
from features.messages.formats import read_file
from features.moments import EPOCH
from pipelines.training.standard_policy import standard_policy
from service.access import Access
from service.access.guard import COOKIE
from service.app import create
from service.console.page_queries import offices
from service.officers.queue import days_shown, queue
from service.record.record_rows import found_of
from service.scoring.bundle import seal, write_bundle
from service.serving.serving_bundle import serve
from service.settings import Settings
from service.store.database import Store, open_store
from service.store.migrations.keyed_tables import table_of
from service.store.packed import packed_or_null
from service.store.tables import DECISIONS, OUTCOMES
from service.targeting import target
from tests.service.building import app_state
from tests.worlds import SmallWorld, make_small_world

DAYS, TRIES = 90, 15
WAITING_DAYS, DAY = 9, 86_400_000_000  # of the newest days nothing has a result: they wait; a day in microseconds
LANES = (("green", 90), ("blue", 4), ("yellow", 4), ("red", 2))
STAGES = {"pre_arrival": ("no_risk", "control_recommended"), "post_clearance": ("none", "audit")}
PASSWORD = "a password of some length"


def million(world: SmallWorld, settings: Settings, decisions: int) -> None:
    """One day's decisions and declarations many times over, under new numbers, on the days before today.

    Contents are packed once a lane: those of a copy name the number and the day of the first.
    """
    desk = world.desk(settings.home)
    file = world.last_day
    target(Message(read_file(file).rows, name=file.stem, received_at=datetime.now(UTC)), desk)
    store = desk.journal.store
    with store.reading() as connection:
        lanes = [_by_lane(dict(row)) for row in connection.execute(sa.select(DECISIONS)).mappings()]
        as_stored = {name: table_of(connection, name) for name in ("decisions", "declarations")}
        wanted = sa.select(as_stored["declarations"]).where(as_stored["declarations"].c.body.is_not(sa.null()))
        declared = [dict(row) for row in connection.execute(wanted).mappings()]
    today, chance = (datetime.now(UTC) - EPOCH).days, random.Random(1)
    copies = -(-decisions // len(lanes))
    for copy in range(copies):
        day = today - DAYS + 1 + copy * DAYS // copies  # in order of time, as they come
        rows = [_again(of_lane, copy, day, chance) for of_lane in lanes]
        said = [{**one, "consignment_id": f"{one['consignment_id']}-{copy}"} for one in declared]
        results = [_result(row, day, chance) for row in rows if _is_checked(row, day, today)]
        with store.writing() as connection:
            connection.execute(sa.insert(as_stored["decisions"]), rows)
            connection.execute(sa.insert(as_stored["declarations"]), said)
            if results:
                connection.execute(sa.insert(OUTCOMES), results)
    store.close()


def _by_lane(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One decision as each lane would have it, its contents packed."""
    lanes = {}
    for lane, _ in LANES:
        decided = {"clearance": lane}
        decided |= {name: calm if lane == "green" else asked for name, (calm, asked) in STAGES.items()}
        contents = {"body": packed_or_null({**row["body"], **decided})}
        contents["row_as_scored"] = packed_or_null(row["row_as_scored"])
        lanes[lane] = {**row, **decided, **contents}
    return lanes


def _again(lanes: dict[str, dict[str, Any]], copy: int, day: int, chance: random.Random) -> dict[str, Any]:
    row = lanes[chance.choices([name for name, _ in LANES], [weight for _, weight in LANES])[0]]
    numbers = {name: f"{row[name]}-{copy}" for name in ("consignment_id", "decision_id")}
    return {**row, **numbers, "risk": chance.random() * 0.3, "day": day}


def _is_checked(row: dict[str, Any], day: int, today: int) -> bool:
    return row["clearance"] != "green" and day < today - WAITING_DAYS


def _result(row: dict[str, Any], day: int, chance: random.Random) -> dict[str, Any]:
    found = chance.random() < row["risk"]
    known_at = day * DAY + 30 * DAY // 24
    body = {
        "consignment_id": row["consignment_id"], "stage": "clearance", "officer": "o-1",
        "result": "non_compliant" if found else "compliant", "findings": "counterfeit" if found else None,
        "selection": chance.choice(("risk", "random")), "selection_probability": None,
    }  # fmt: skip
    return {"outcome_id": row["decision_id"], "salt": "0", "consignment_id": row["consignment_id"],
            "known_at": known_at, "posted": True, "archived": False, "body": body, **found_of(body)}  # fmt: skip


def pages(settings: Settings) -> None:
    """The median and the slowest of each page, milliseconds, in one process."""
    with TestClient(create(settings), follow_redirects=False) as client:
        access: Access = app_state(client).access
        store: Store = app_state(client).desk.journal.store
        told = {role: {"Cookie": f"{COOKIE}={_session(access, role)}"} for role in ("analyst", "auditor", "admin")}
        office = offices(store)[0]
        since, _ = days_shown(store, office, "clearance", datetime.now(UTC).date())
        first = queue(store, office, "clearance", since, at_most=1)[0]
        places = {
            "queue": ("analyst", f"queue?office={office}"),
            "queue, one lane": ("analyst", f"queue?office={office}&lane=red"),
            "queue, page 40": ("analyst", f"queue?office={office}&beyond=2000"),
            "queue, before arrival": ("analyst", f"queue?office={office}&stage=pre_arrival"),
            "queue, after": ("analyst", f"queue?office={office}&stage=post_clearance"),
            "consignment": ("analyst", f"consignments/{first['consignment_id']}"),
            "search": ("analyst", "search"),
            "cases": ("analyst", "cases"),
            "lists": ("analyst", "lists"),
            "shift": ("analyst", f"capacity?office={office}"),
            "day": ("auditor", "day"),
            "policy": ("analyst", "policy"),
            "model": ("analyst", "model"),
            "audit": ("auditor", "audit"),
            "access": ("admin", "access"),
        }
        print(f"{'page':24s}{'median ms':>12s}{'slowest':>10s}{'CPU ms':>10s}")
        for name, (role, place) in places.items():
            spent, worked = [], []
            for _ in range(TRIES):
                began, busy = time.perf_counter(), time.process_time()
                answer = client.get(f"/console/{place}", headers=told[role])
                spent.append((time.perf_counter() - began) * 1000)
                worked.append((time.process_time() - busy) * 1000)
                assert answer.status_code == 200, (name, answer.status_code)
            print(f"{name:24s}{np.median(spent):12.1f}{max(spent):10.1f}{np.median(worked):10.1f}", flush=True)


def _session(access: Access, role: str) -> str:
    now = datetime.now(UTC)
    if role not in {account["name"] for account in access.accounts()}:
        access.accept(access.invite(role, role, ["*"], "bench", now), "", PASSWORD, "en", now)
    return access.log_in(role, PASSWORD, "quality_control", now)


def main(decisions: int, folder: str = "") -> None:
    """Build, then ask."""
    if folder and (Path(folder) / "home").exists():
        pages(Settings(home=Path(folder) / "home", access="keys"))
        return
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        world = make_small_world(Path(name) / "world")
        settings = Settings(home=Path(name) / "home", access="keys")
        million(world, settings, decisions)
        trained = world.trained
        bundle = settings.bundles / "small"
        write_bundle(bundle, trained.model, trained.golden, {"policy.toml": standard_policy(), "card.md": "small"})
        seal(bundle, settings.keys, {"model_id": "small"})
        serve(settings, "small")
        with open_store(settings).reading() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(DECISIONS)).scalar_one()
        print(f"{count:,} decisions in the store")
        pages(settings)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, *sys.argv[2:])
