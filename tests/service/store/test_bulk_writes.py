"""The ways to write a table: each keeps its digest, whatever is undone, and there is no other way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import service
from service.store.bulk_rows import (
    delete_rows,
    insert_many,
    insert_missing,
    insert_row,
    update_each,
    update_rows,
    upsert_many,
)
from service.store.database import Store
from service.store.digests import differing
from service.store.tables import DECLARATIONS, LINKS, PROPOSALS, TALLIES

ROOT = Path(service.__file__).parents[1]
WAYS = {"service/store/bulk_rows.py", "service/store/digests.py", "service/store/schema.py", "service/store/migrate.py"}
ELSEWHERE = re.compile(r"sa\.(?:insert|update|delete)\(|(?:sqlite|postgresql)\.insert|\bINSERT INTO\b|\bDELETE FROM\b")


def tally(hour: int, seen: int) -> dict[str, Any]:
    return {"office": "FRCDG1", "hour": hour, "band": 3, "seen": seen, "audit": 0, "documents": 0, "scan": 0,
            "physical": 0}  # fmt: skip


def declaration(number: int, **changes: Any) -> dict[str, Any]:
    return {"message_id": "M", "consignment_id": f"C{number}", "version": 1, "lodged_at": 1, "content_sha256": "0",
            "stated": {"b": 1, "a": None}, "body": None, "archived": False, "posted": True, **changes}  # fmt: skip


def bodied(number: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"message_id": "M", "consignment_id": f"C{number}", "version": 1, "body": body}


def holds(store: Store) -> bool:
    with store.reading() as connection:
        return list(differing(connection)) == []


def test_every_way_to_write_keeps_the_digest(either_store: Store) -> None:
    store = either_store
    works = [
        lambda c: insert_many(c, TALLIES, [tally(1, 1), tally(2, 1)]),
        lambda c: insert_missing(c, TALLIES, [tally(2, 9), tally(3, 1)]),
        lambda c: upsert_many(c, TALLIES, [tally(3, 7), tally(3, 8), tally(4, 1)]),
        lambda c: update_rows(c, TALLIES, {"seen": 5}, TALLIES.c.hour > 2),
        lambda c: delete_rows(c, TALLIES, TALLIES.c.hour == 1),
        lambda c: insert_many(c, DECLARATIONS, [declaration(1, body={"x": 1.0}), declaration(2)]),
        lambda c: update_each(c, DECLARATIONS, [bodied(2, {"y": 2}), bodied(1, {"x": 2.0})]),
        lambda c: update_each(c, DECLARATIONS, []),
        lambda c: update_rows(c, DECLARATIONS, {"body": sa.null(), "archived": True}, DECLARATIONS.c.posted),
        lambda c: insert_many(c, LINKS, [{"one": -1, "other": 2**62, "bits": 1, "shared": [1, 2], "known_at": 5}]),
        lambda c: delete_rows(c, LINKS),
        lambda c: update_rows(c, TALLIES, {"seen": 6}, TALLIES.c.hour > 99),
        lambda c: insert_many(c, TALLIES, []),
    ]
    for number, work in enumerate(works):
        store.write(work)
        assert holds(store), number
    proposal = {"kind": "policy", "content": "x", "reason": "é", "proposed_by": "a", "proposed_at": 1,
                "state": "waiting", "told": "", "although": "", "tried": ""}  # fmt: skip
    made = [store.write(lambda c: insert_row(c, PROPOSALS, proposal))["proposal_id"] for _ in range(2)]
    store.write(lambda c: insert_many(c, PROPOSALS, [proposal | {"told": str(number)} for number in range(3)]))
    with store.reading() as connection:
        told = connection.execute(sa.select(PROPOSALS.c.proposal_id, PROPOSALS.c.told)).all()
    assert (made, sorted(map(tuple, told))[2:]) == ([1, 2], [(3, "0"), (4, "1"), (5, "2")])
    assert holds(store)


def test_what_is_undone_is_in_no_digest(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}", grouped=True)

    def fails(connection: sa.Connection) -> None:
        insert_many(connection, TALLIES, [tally(9, 1)])
        raise ZeroDivisionError

    store.write(lambda connection: insert_many(connection, TALLIES, [tally(1, 1)]))
    with pytest.raises(ZeroDivisionError):
        store.write(fails)
    store.write(lambda connection: insert_many(connection, TALLIES, [tally(2, 1)]))
    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        fails(connection)
    assert holds(store)
    with store.reading() as connection:
        hours = connection.execute(sa.select(TALLIES.c.hour).order_by(TALLIES.c.hour)).scalars().all()
    assert hours == [1, 2]
    store.close()


def test_writing_outside_of_a_transaction_of_the_store_is_refused(store: Store) -> None:
    with store.engine.begin() as connection, pytest.raises(RuntimeError, match=r"outside of Store\.writing"):
        insert_many(connection, TALLIES, [tally(1, 1)])


def test_no_module_writes_a_table_in_another_way() -> None:
    files = [path for part in ("service", "pipelines") for path in (ROOT / part).rglob("*.py")]
    others = {
        path.relative_to(ROOT).as_posix(): found
        for path in files
        if "migrations" not in path.parts and (found := ELSEWHERE.findall(path.read_text(encoding="utf-8")))
    }
    assert others.keys() <= WAYS, "use the functions of service/store/bulk_rows.py: verification finds other changes"
