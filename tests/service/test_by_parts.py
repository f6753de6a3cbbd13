"""A day that is worked on part by part is decided and recorded as one that stands in memory at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features import assemble
from features.messages import Message
from service.audit.verify import verify_record
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import decision_assembly as deciding
from service.orientation import decisions
from service.orientation.decisions import Made, frame_of
from service.record import record_rows as records
from service.record.consignment_versions import Conflict
from service.store.database import Store
from service.store.tables import CHAIN, DECISIONS, DECLARATIONS
from service.targeting import Desk, target
from tests.service.building import declared, message

FEW = 7  # of a part


@pytest.fixture
def by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts so small that a short message has several, the last of them not whole."""
    monkeypatch.setattr(assemble, "CONSIGNMENTS_PER_PASS", FEW)
    monkeypatch.setattr(records, "PART", FEW)
    for module in (deciding, decisions):
        monkeypatch.setattr(module, "DECISIONS_PER_PART", FEW)


def day(count: int = 30, first: int = 0, **changed: Any) -> Message:
    """A day's manifest of some consignments that compete with one another."""
    sent = [
        declared(i, gross_mass_kg=0.3 + 0.17 * i, consignor={"name": f"Sender {i % 4}"}, **changed)
        for i in range(first, first + count)
    ]
    return replace(message(*sent), competing="message", complete=False)


def told(given: decisions.Decisions) -> list[dict[str, Any]]:
    """Decisions less the moment at which they were given."""
    return [{name: value for name, value in row.items() if name != "decided_at"} for row in given.as_json()]


def test_parts_decide_as_the_whole_does(
    desk: Desk, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    whole = target(day(), desk)
    request.getfixturevalue("by_parts")
    store = Store(f"sqlite:///{tmp_path / 'other.db'}")
    other = replace(desk, journal=Journal(store), history=StoredHistory(store))
    parts = target(day(), other)
    assert isinstance(parts.rows, Made)
    assert not isinstance(whole.rows, Made)
    assert told(parts) == told(whole)
    assert any(row["reasons"] for row in parts.rows)
    assert parts.as_frame().equals(frame_of(list(parts.rows)))
    assert parts.as_frame().schema == whole.as_frame().schema
    assert verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").holds
    store.close()


@pytest.mark.usefixtures("by_parts")
def test_decisions_are_taken_from_any_place(desk: Desk) -> None:
    given = target(day(), desk)
    rows = list(given.rows)
    assert len(rows) == len(given.rows) == 30
    assert given.rows[3:11] == rows[3:11]
    assert given.rows[::9] == rows[::9]
    assert given.rows[-1] == rows[-1]
    assert given.rows[5:5] == []
    with pytest.raises(IndexError):
        given.rows[30]


@pytest.mark.usefixtures("by_parts")
def test_what_was_decided_before_stands_where_it_stood(desk: Desk) -> None:
    first = target(day(12, 5), desk)
    again = target(day(30), desk)
    assert [place for place, before in enumerate(again.before) if before] == list(range(5, 17))
    assert told(replace(again, rows=again.rows[5:17])) == told(first)
    assert again.as_frame().equals(frame_of(list(again.rows)))
    assert target(day(30), desk).replayed


@pytest.mark.usefixtures("by_parts")
def test_a_conflict_in_the_last_part_undoes_the_first(desk: Desk) -> None:
    target(day(6, 24), desk)
    changed = day(30, nature="gift")
    with pytest.raises(Conflict) as conflict:
        target(changed, desk)
    assert len(conflict.value.consignment_ids) == 6
    with desk.journal.store.reading() as connection:
        tables = (DECLARATIONS, DECISIONS, CHAIN)
        counts = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in tables]
    assert counts == [6, 6, 6]


@pytest.mark.usefixtures("by_parts")
def test_a_journal_tells_how_far_it_is(desk: Desk) -> None:
    shares: list[float] = []
    target(day(), replace(desk, journal=desk.journal.telling(shares.append)))
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len(shares) > 30 // FEW
    assert shares == sorted(shares)
    target(day(5, 100), desk)  # the one that it was made from tells nobody
    assert shares[-1] == 1.0
