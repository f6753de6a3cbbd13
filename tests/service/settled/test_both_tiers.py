"""What is read of a record is the same whether its decisions stand in rows or in files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.access.principal import OPEN
from service.audit.dossier import dossier
from service.audit.replay import Bundles, replay
from service.audit.retention import due, periods
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.calls.decision_changes import changes_since
from service.desk import Desk
from service.officers.search import Asked, search
from service.officers.what_if import record_of
from service.record.search_index import catch_up
from service.scoring import Model
from service.settings import Settings
from service.store.database import Store
from service.store.record_tables import RECORD_SEGMENTS
from service.store.settled_rows import segments_listed
from service.store.tables import DECISIONS
from service.targeting import target
from tests.service.building import NOON
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, store_in_rows, store_with_files

DAY = NOON.date()


@dataclass(frozen=True)
class Pair:
    """Two desks that were sent the same: one settles in files, one keeps rows."""

    files: Desk
    rows: Desk

    @property
    def each(self) -> tuple[Store, Store]:
        """Their stores."""
        return self.files.journal.store, self.rows.journal.store


@pytest.fixture
def pair(model: Model, tmp_path: Path) -> Iterator[Pair]:
    """Both, after a message whose every consignment is audited and two of which nothing is asked."""
    stores = store_with_files(tmp_path), store_in_rows(tmp_path)
    both = Pair(*(desk_of(store, model) for store in stores))
    for desk in (both.files, both.rows):
        target(large(), desk)
        target(large(101, "M2"), desk)
        target(large(201, "M3"), desk)
    yield both
    for store in stores:
        store.close()


@pytest.fixture
def bundles(quick_home: Path) -> Bundles:
    """The bundle of the written model."""
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def test_most_of_a_large_message_goes_to_a_file(pair: Pair) -> None:
    settled, in_rows = pair.each
    with settled.reading() as connection:
        segments = segments_listed(connection)
        rows = connection.execute(sa.select(sa.func.count()).select_from(DECISIONS)).scalar_one()
    with in_rows.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RECORD_SEGMENTS)).scalar_one() == 0
    assert len(segments) == 2
    assert sum(segment.rows for segment in segments) + rows == 3 * LARGE
    assert sum(segment.rows for segment in segments) > LARGE


def test_decisions_are_found_and_summed_up_alike(pair: Pair) -> None:
    for of in (1, 2, *range(101, 101 + LARGE), 201, 999):
        assert pair.files.journal.decisions_on(number(of)) == pair.rows.journal.decisions_on(number(of))
    by_number = [desk.journal.decided(DAY, DAY).sort("consignment_id") for desk in (pair.files, pair.rows)]
    assert by_number[0].equals(by_number[1])
    scored = [desk.journal.rows_as_scored(DAY, 30).sort("consignment_id") for desk in (pair.files, pair.rows)]
    assert scored[0].equals(scored[1])
    assert scored[0].height == 30
    records = [record_of(store, "FRCDG1", DAY, DAY).sort("consignment_id") for store in pair.each]
    assert records[0].equals(records[1])
    assert records[0].height == 3 * LARGE


def test_both_verify_and_replay(pair: Pair, bundles: Bundles, tmp_path: Path) -> None:
    for store in pair.each:
        verified = verify_record(store, tmp_path / "checkpoints", tmp_path / "keys")
        assert verified.faults == []
        assert verified.decisions == 3 * LARGE
    for of in (1, 102, 110, 224):
        (decision,) = pair.files.journal.decisions_on(number(of))
        assert replay(pair.files.journal.store, bundles, decision["decision_id"]).identical


def test_dossiers_and_timelines_say_the_same(pair: Pair, bundles: Bundles) -> None:
    for of in (2, 101, 102):
        told = [_without_proof(dossier(store, bundles, number(of))) for store in pair.each]
        assert told[0] == told[1]
        events = [
            [(event.kind, event.subject, event.details) for event in timeline(store, number(of))] for store in pair.each
        ]
        assert events[0] == events[1]


def test_search_finds_what_stands_in_files(pair: Pair) -> None:
    for store in pair.each:
        assert catch_up(store, at_once=7) > 0
    found = [_found(store, "Yiwu Bright Trading 3") for store in pair.each]
    assert found[0] == found[1]
    assert len(found[0]) > 5
    assert _found(pair.files.journal.store, "M2") == _found(pair.rows.journal.store, "M2")


def test_changes_come_once_each_in_parts_of_any_size(pair: Pair) -> None:
    for at_most in (1, 5, 500):
        given = [_changes(store, at_most) for store in pair.each]
        assert sorted(given[0]) == sorted(given[1])
        assert len(set(given[0])) == len(given[0]) == 3 * LARGE


def test_what_is_due_for_erasure_is_named_alike(pair: Pair) -> None:
    kept = periods(Settings())
    later = NOON + kept["not_inspected"] * 2
    dues = [due(store, kept, later) for store in pair.each]
    assert dues[0] == dues[1]
    assert len(dues[0]["not_inspected"]) == 3 * LARGE


def _without_proof(told: dict[str, Any] | None) -> dict[str, Any]:
    assert told is not None
    decisions = [{name: of for name, of in one.items() if name != "proof"} for one in told["decisions"]]
    assert all(one["proof"] for one in told["decisions"])
    events = [{name: of for name, of in event.items() if name not in ("number",)} for event in told["timeline"]]
    return {**told, "decisions": decisions, "timeline": events}


def _found(store: Store, key: str) -> list[str]:
    found = search(store, Asked(key, at_most=50), OPEN.sender)
    return sorted(one["consignment_id"] for one in found.consignments)


def _changes(store: Store, at_most: int) -> list[str]:
    place, more, given = 0, True, []
    while more:
        page = changes_since(store, OPEN, place, at_most)
        assert len(page.decisions) <= at_most
        given += [decision["decision_id"] for decision in page.decisions]
        place, more = page.next, page.more
    return given
