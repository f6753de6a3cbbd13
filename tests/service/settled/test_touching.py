"""What is touched leaves its file, and stays one decision: nothing is lost or there twice, and all of it is proved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.audit.dossier import dossier
from service.audit.erasure import chosen, erase
from service.audit.replay import Bundles, NotReplayable, replay
from service.audit.verify import Verified, verify_record
from service.desk import Desk
from service.officers.offices import transfer
from service.officers.overrides import override_lane
from service.record.consignment_versions import Conflict, Gone
from service.record.hash_tree import root_by
from service.record.ownership import INSTALLATION
from service.record.search_index import catch_up
from service.record.transfers import Transfer
from service.scoring import Model
from service.settings import Settings
from service.store.database import Store
from service.store.record_tables import RECORD_LIFTED
from service.store.settled_rows import declared_of, is_settled, segments_listed
from service.store.tables import DECISIONS
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome, results
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, sender, store_with_files

ONE = 110
LATER = NOON + timedelta(days=2)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, model: Model, tmp_path: Path) -> Desk:
    """A desk over either kind of database, with decisions of which nothing is asked in a file."""
    address = "" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    made = desk_of(store_with_files(tmp_path, address), model)
    target(large(), made)
    target(large(101, "M2"), made)
    return made


@pytest.fixture
def verified(desk: Desk, tmp_path: Path) -> Callable[[], Verified]:
    """Verify its record."""
    return lambda: verify_record(desk.journal.store, tmp_path / "checkpoints", tmp_path / "keys")


@pytest.fixture
def bundles(quick_home: Path) -> Bundles:
    """The bundle of the written model."""
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def settled(desk: Desk, *numbers: str) -> set[str]:
    """Say which of some consignments stand in files."""
    with desk.journal.store.reading() as connection:
        return is_settled(connection, numbers or [number(of) for of in range(1, 300)])


def counted(desk: Desk, table: sa.Table) -> int:
    """Count the rows of a table."""
    with desk.journal.store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_the_same_message_again_is_answered_by_what_is_on_record(desk: Desk) -> None:
    before = counted(desk, DECISIONS)
    again = target(large(101, "M2"), desk)
    assert again.replayed
    assert [row["decision_id"] for row in again.as_json()] == [
        desk.journal.decisions_on(number(of))[0]["decision_id"] for of in range(101, 101 + LARGE)
    ]
    assert counted(desk, DECISIONS) == before
    with pytest.raises(Conflict):
        target(large(101, "M2", gross_mass_kg=3.5), desk)


def test_an_amendment_lifts_what_it_amends(desk: Desk, verified: Callable[[], Verified], bundles: Bundles) -> None:
    assert number(ONE) in settled(desk)
    target(message(declared(ONE, consignor=sender(ONE), version=2, gross_mass_kg=9.0), message_id="M9"), desk)
    assert number(ONE) not in settled(desk)
    (former,) = [one for one in desk.journal.decisions_on(number(ONE)) if one["version"] == 1]
    assert len(desk.journal.decisions_on(number(ONE))) == 2
    assert verified().faults == []
    assert replay(desk.journal.store, bundles, former["decision_id"]).identical


def test_a_result_counts_as_that_of_any_other(desk: Desk, verified: Callable[[], Verified]) -> None:
    received = desk.journal.learn(results(outcome(ONE), outcome(ONE + 1, result="compliant")))
    assert (received.recorded, received.unknown) == (2, 0)
    assert not settled(desk, number(ONE), number(ONE + 1))
    assert counted(desk, RECORD_LIFTED) == 2
    assert verified().faults == []


def test_an_officer_changes_its_lane_and_another_office_takes_it(desk: Desk, verified: Callable[[], Verified]) -> None:
    (decision,) = desk.journal.decisions_on(number(ONE))
    override_lane(desk.journal.store, decision["decision_id"], "red", "ana", "a tip", NOON, number(ONE))
    given = Transfer(number(ONE + 1), "FRORY1", None, "ana", "sent there")
    transfer(desk.journal.store, given, INSTALLATION, ["FRORY1"], NOON)
    assert not settled(desk, number(ONE), number(ONE + 1))
    assert verified().faults == []


def test_its_proof_leads_from_its_hash_to_the_entry(desk: Desk, bundles: Bundles) -> None:
    store = desk.journal.store
    for _ in ("in its file", "lifted"):
        told = dossier(store, bundles, number(ONE))
        assert told is not None
        proof = told["decisions"][0]["proof"][0]
        with store.reading() as connection:
            (segment,) = segments_listed(connection)
        assert root_by(proof["leaf"], [(step["side"], step["hash"]) for step in proof["way"]]) == segment.root
        assert segment.root in proof["content"]
        desk.journal.learn(results(outcome(ONE)))


def test_an_erasure_takes_it_out_of_the_file(
    desk: Desk, verified: Callable[[], Verified], bundles: Bundles, tmp_path: Path
) -> None:
    store = desk.journal.store
    catch_up(store)
    (decision,) = desk.journal.decisions_on(number(ONE))
    with store.reading() as connection:
        (declared_once,) = declared_of(connection, ["body", "content_sha256"], [number(ONE)])
    would = erase(store, [number(ONE)], "", "", LATER, dry_run=True)
    erased = erase(store, [number(ONE)], "A. Martin", "asked for", LATER)
    assert (would.declarations, would.decisions) == (erased.declarations, erased.decisions) == (1, 1)
    assert desk.journal.decisions_on(number(ONE)) == []
    rows = store.records.rows(_file(store), store.records.columns(_file(store))).to_pylist()
    (blank,) = [row for row in rows if row["consignment_id"] == number(ONE)]
    assert {name for name, value in blank.items() if value is not None} == {
        "consignment_id", "decision_id", "message_id", "version", "leaf",
    }  # fmt: skip
    assert len(list(store.records.folder.iterdir())) == 2
    assert verified().faults == []
    with pytest.raises(NotReplayable, match="was erased"):
        replay(store, bundles, decision["decision_id"])
    with pytest.raises(Gone):
        target(large(101, "M2"), desk)
    assert declared_once["body"]["consignment_id"] == number(ONE)


def test_what_was_lodged_long_ago_is_chosen_wherever_it_stands(desk: Desk) -> None:
    everything = {number(of) for first in (1, 101) for of in range(first, first + LARGE)}
    assert set(chosen(desk.journal.store, [], LATER)) == everything


def test_it_is_archived_once(desk: Desk) -> None:
    archived = [body["consignment_id"] for part in desk.journal.unarchived() for body in part]
    assert sorted(archived) == sorted(number(of) for first in (1, 101) for of in range(first, first + LARGE))
    assert not list(desk.journal.unarchived())
    desk.journal.learn(results(outcome(ONE)))
    assert not list(desk.journal.unarchived())


def test_it_is_looked_for_beside_rows_where_a_message_has_both(desk: Desk) -> None:
    sent = message(*(declared(of, consignor=sender(of)) for of in (*range(201, 220), 1)), message_id="M3")
    with pytest.raises(Conflict):  # number 1 was lodged under another message in this version
        target(message(declared(1, consignor=sender(1), gross_mass_kg=8.8), message_id="M1"), desk)
    given = target(sent, desk)
    assert len(given.rows) == 20
    assert len(settled(desk, *(number(of) for of in range(201, 220)))) == 19  # and the first of the message is another


def _file(store: Store) -> str:
    with store.reading() as connection:
        (segment,) = segments_listed(connection)
    return segment.file
