"""What a call asks and what a service does each minute: nothing goes through the record from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.calls.reassessment import reassess
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.store import driver
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

LARGE = ("declarations", "decisions", "calls", "chain", "outcomes", "tallies", "cards", "evidence", "links", "phones")
OF_WHAT_WAITS = ("declarations_unposted", "decisions_given_again")  # indexes of the few rows that wait
HistoryQuery = list[tuple[str, Any]]


@contextmanager
def asked_of(store: Store) -> Iterator[HistoryQuery]:
    """The queries that a store gets timeline, each once, with the values of its first time."""
    asked: dict[str, Any] = {}

    def note(*told: Any) -> None:
        _, _, statement, values, _, many = told
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.setdefault(statement, values[0] if many else values)

    def run_text(connection: sa.Connection, text: str, values: Any = ()) -> Any:
        note(None, None, text, values if isinstance(values, dict) else tuple(values), None, False)
        return as_before(connection, text, values)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    gathered: HistoryQuery = []
    as_before = driver.run_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "run_text", run_text)  # what does not go through SQLAlchemy
        yield gathered
    sa.event.remove(store.engine, "before_cursor_execute", note)
    gathered += asked.items()


def linking(desk: Desk, store: Store, folder: Path) -> Desk:
    """A desk over a store, which links."""
    switch = LinkingSwitch(folder / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    journal = Journal(store, switch)
    return replace(desk, parties=StoredParties(store, switch), journal=journal, history=journal.history)


def plan_of(store: Store, statement: str, values: Any) -> str:
    with store.reading() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # or it reads a table of no rows as it stands
        explain = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values))


def test_what_is_done_each_minute_asks_for_what_waits_alone(desk: Desk, either_store: Store, tmp_path: Path) -> None:
    live = linking(desk, either_store, tmp_path)
    target(message(declared(1)), live)
    with asked_of(either_store) as asked:
        live.journal.catch_up()
        reassess(live, NOON + timedelta(days=1))
    plans = [plan_of(either_store, statement, values) for statement, values in asked]
    assert [name for name in OF_WHAT_WAITS if not any(name in plan for plan in plans)] == []


def test_no_query_of_a_call_or_of_each_minute_reads_a_large_table_whole(
    desk: Desk, store: Store, tmp_path: Path
) -> None:
    """By SQLite's plans: PostgreSQL makes its own by what it has counted, on the same indexes."""
    live = linking(desk, store, tmp_path)
    target(message(declared(1)), live)
    with asked_of(store) as asked:
        target(message(declared(2, lodged_at=NOON + timedelta(hours=1)), message_id="M2"), live)
        live.journal.decisions_on("HAWB000000001")
        live.journal.catch_up()
        reassess(live, NOON + timedelta(days=1))
    assert len(asked) > 20
    whole = re.compile(rf"^SCAN ({'|'.join(LARGE)})\b(?!.* INDEX ({'|'.join(OF_WHAT_WAITS)}))", re.MULTILINE)
    last_entry = "ORDER BY chain.number DESC"  # one row, from the end
    found = [
        statement
        for statement, values in asked
        if whole.search(plan_of(store, statement, values)) and last_entry not in statement
    ]
    assert found == []
