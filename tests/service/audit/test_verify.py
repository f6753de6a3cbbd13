"""The audit chain: whatever is changed, removed, put in another order or made anew is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.contract import gate_outcomes
from features.parties import Unlinked
from pipelines.training.standard_policy import standard_policy
from service.api.bodies import outcome_rows
from service.audit.verify import Verified, verify_record
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.record.audit_log import START, hash_of
from service.record.checkpoints import checkpoint
from service.scoring import Model
from service.settings import Settings
from service.store.bulk_rows import delete_rows
from service.store.database import Store
from service.store.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS, LISTS, OUTCOMES, POLICIES
from service.targeting import Desk, target
from tests.service.building import NOON, declared, in_full, message, outcome


@pytest.fixture
def desk(model: Model, either_store: Store) -> Desk:
    policy = load_policy(standard_policy())
    return Desk(Unlinked(), StoredHistory(either_store), model, policy, Journal(either_store))


@pytest.fixture
def apart(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of checkpoints and of keys."""
    return tmp_path / "checkpoints", tmp_path / "keys"


def filled(desk: Desk, apart: tuple[Path, Path]) -> Store:
    """A store with nine decisions of three calls, two outcomes, and a checkpoint after each call."""
    store = desk.journal.store
    for call in range(3):
        target(message(*(declared(call * 3 + n) for n in range(3)), message_id=f"M{call}"), desk)
        checkpoint(store, *apart, NOON)
    rows, _ = outcome_rows({"outcomes": [in_full(outcome(1)), in_full(outcome(2, result="compliant", findings=None))]})
    desk.journal.learn(gate_outcomes(rows).accepted)
    checkpoint(store, *apart, NOON)
    return store


def checked(store: Store, apart: tuple[Path, Path]) -> Verified:
    return verify_record(store, *apart)


def test_a_record_that_nobody_touched_holds(desk: Desk, apart: tuple[Path, Path]) -> None:
    told = checked(filled(desk, apart), apart)
    assert (told.holds, told.faults) == (True, [])
    assert (told.entries, told.decisions, told.outcomes, told.checkpoints, told.erased) == (11, 9, 2, 4, 0)


def test_an_empty_record_holds(desk: Desk, apart: tuple[Path, Path]) -> None:
    assert checkpoint(desk.journal.store, *apart, NOON) is None
    assert checked(desk.journal.store, apart).holds


def test_what_is_decided_again_stands_on_the_chain_once(desk: Desk, apart: tuple[Path, Path]) -> None:
    store = filled(desk, apart)
    target(message(*(declared(n) for n in range(4)), message_id="M0", received_at=NOON + timedelta(days=1)), desk)
    told = checked(store, apart)
    assert (told.holds, told.entries, told.decisions) == (True, 12, 10)


def bit_flipped(value: Any, bit: int) -> Any:
    """A value of the store with one bit changed; of a text, in one of its characters."""
    if isinstance(value, int):
        return value ^ (1 << (bit % 40))
    if isinstance(value, float):
        return value + 2.0**-30 * (1 + bit)
    if isinstance(value, dict | list):
        return json.loads(bit_flipped_text(json.dumps(value), bit))
    return bit_flipped_text(value, bit)


def bit_flipped_text(text: str, bit: int) -> str:
    """Another digit or letter at some place, so that JSON stays JSON."""
    places = [i for i, c in enumerate(text) if c.isdigit() or c in "abcdef"]
    place = places[bit % len(places)]
    other = {"9": "8", "f": "e"}.get(text[place]) or chr(ord(text[place]) + 1)
    return text[:place] + ("1" if text[place] == "0" else other) + text[place + 1 :]


BOUND = [
    *((CHAIN, name) for name in ("number", "kind", "subject", "content", "at", "hash")),
    *((DECISIONS, name) for name in ("call_id", "place", "salt", "message_id", "consignment_id", "version", "clearance",
                                     "risk", "body", "row_as_scored", "decision_id")),
    *((OUTCOMES, name) for name in ("outcome_id", "salt", "body")),
    *((DECLARATIONS, name) for name in ("content_sha256", "body", "message_id", "consignment_id", "version")),
    (CALLS, "basis"), (CALLS, "call_id"), (POLICIES, "text"), (POLICIES, "sha256"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "name"), BOUND, ids=lambda value: getattr(value, "name", value))
def test_any_bit_changed_is_found(desk: Desk, apart: tuple[Path, Path], table: sa.Table, name: str) -> None:
    store = filled(desk, apart)
    for bit in (0, 3, 11, 29):
        with store.reading() as connection:
            rows = connection.execute(sa.select(table)).mappings().all()
        row = rows[bit % len(rows)]
        keys = list(table.primary_key.columns)
        mine = sa.and_(*(column == row[column.name] for column in keys))
        changed = bit_flipped(row[name], bit)
        assert changed != row[name]
        with store.writing() as connection:
            connection.execute(sa.update(table).where(mine).values({name: changed}))
        assert not checked(store, apart).holds, (bit, row[name], changed)
        back = sa.and_(*(column == (changed if column.name == name else row[column.name]) for column in keys))
        with store.writing() as connection:
            connection.execute(sa.update(table).where(back).values({name: row[name]}))
        assert checked(store, apart).holds


def entries(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(sa.select(CHAIN).order_by(CHAIN.c.number)).mappings()]


def rewritten(store: Store, told: list[dict[str, Any]], *, hashed: bool = False) -> None:
    """Put these entries in the place of the chain; `hashed`: numbered and hashed anew, as one who knows how would."""
    before = START
    if hashed:
        for number, entry in enumerate(told, start=1):
            entry["number"] = number
            before = entry["hash"] = hash_of(before, entry)
    with store.writing() as connection:
        connection.execute(sa.delete(CHAIN))
        if told:
            connection.execute(sa.insert(CHAIN), told)


ATTACKS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "the first removed": lambda told: told[1:],
    "one removed": lambda told: told[:4] + told[5:],
    "the last removed": lambda told: told[:-1],
    "all removed": lambda _: [],
    "two exchanged": lambda told: [*told[:2], {**told[3], "number": 3}, {**told[2], "number": 4}, *told[4:]],
    "one twice": lambda told: [*told, {**told[2], "number": len(told) + 1}],
}


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("attack", ATTACKS)
def test_removing_and_exchanging_are_found_even_by_one_who_hashes_anew(
    desk: Desk, apart: tuple[Path, Path], attack: str, hashed: bool
) -> None:
    store = filled(desk, apart)
    rewritten(store, ATTACKS[attack](entries(store)), hashed=hashed)
    assert not checked(store, apart).holds


def test_a_full_rewrite_is_found_by_the_checkpoint_alone(desk: Desk, apart: tuple[Path, Path]) -> None:
    store = filled(desk, apart)
    told = entries(store)
    told[0]["at"] += 1
    rewritten(store, told, hashed=True)
    found = checked(store, apart)
    assert all("rewritten" in fault for fault in found.faults)
    assert not found.holds
    for path in apart[0].glob("*.json"):
        path.unlink()
    assert checked(store, apart).holds  # which is why they are kept apart


def test_a_truncation_with_all_that_it_vouched_for_is_found_by_the_checkpoint(
    desk: Desk, apart: tuple[Path, Path]
) -> None:
    store = filled(desk, apart)
    told = entries(store)
    rewritten(store, told[:6])
    with store.writing() as connection:  # by somebody who knows how digests are kept
        delete_rows(connection, DECISIONS, DECISIONS.c.message_id == "M2")
        delete_rows(connection, OUTCOMES)
    found = checked(store, apart)
    assert [fault for fault in found.faults if "chain" in fault] == [
        "checkpoint 9: the chain ends before it; entries at its end were removed",
        "checkpoint 11: the chain ends before it; entries at its end were removed",
    ]


def test_a_forged_checkpoint_is_found(desk: Desk, apart: tuple[Path, Path]) -> None:
    store = filled(desk, apart)
    (path, *_) = sorted(apart[0].glob("*.json"))
    forged = json.loads(path.read_text())
    for content in (json.dumps({**forged, "hash": "0" * 64}), "{", "[]", json.dumps({**forged, "signature": "00"})):
        path.write_text(content)
        assert "did not sign" in checked(store, apart).faults[0]


def test_a_decision_that_no_call_gave_is_found(desk: Desk, apart: tuple[Path, Path]) -> None:
    store = filled(desk, apart)
    with store.writing() as connection:
        row = dict(connection.execute(sa.select(DECISIONS)).mappings().first() or {})
        connection.execute(sa.insert(DECISIONS), [{**row, "decision_id": "f" * 32, "version": 9}])
    assert checked(store, apart).faults == [
        "1 decisions of the store are not on the chain",
        "table decisions: it has 10 rows, and 9 were written",
    ]


def test_content_removed_behind_the_chain_is_found(desk: Desk, apart: tuple[Path, Path]) -> None:
    store = filled(desk, apart)
    with store.writing() as connection:
        connection.execute(sa.update(DECISIONS).where(DECISIONS.c.place == 0).values(salt=None, body={}))
    told = checked(store, apart)
    assert told.erased == 3
    missing = [fault for fault in told.faults if "no erasure is on the chain" in fault]
    left = [fault for fault in told.faults if "content stands in its decision, which was erased" in fault]  # its row
    assert (len(missing), len(left), told.wrong) == (3, 3, 6)


def test_decisions_without_circumstances_are_not_recorded(desk: Desk) -> None:
    class Careless:
        capacity, campaigns = desk.policy.capacity, desk.policy.campaigns

        def orient(self, *given: Any) -> Any:
            return replace(desk.policy.orient(*given), basis=None)

    with pytest.raises(ValueError, match="circumstances"):
        target(message(declared(1)), replace(desk, policy=Careless()))  # type: ignore[arg-type]  # a policy in name only


YEAR = timedelta(days=366)


def test_files_are_erased_by_their_class_when_their_time_is_over(desk: Desk) -> None:
    """One year for what nobody looked at, three for what was compliant, ten for what was not, from the last event."""
    from service.audit.erasure import erase
    from service.audit.retention import due, periods

    store = desk.journal.store
    for number in range(1, 6):
        target(message(declared(number), message_id=f"M{number}"), desk)
    told = [(2, "compliant"), (3, "non_compliant"), (4, "compliant"), (4, "non_compliant"), (5, "inconclusive")]
    for place, (number, result) in enumerate(told):
        known_at = NOON + timedelta(days=30 + place)
        one = outcome(number, known_at=known_at, result=result, findings="counterfeit" if result[0] == "n" else None)
        rows, _ = outcome_rows({"outcomes": [in_full(one)]})
        desk.journal.learn(gate_outcomes(rows).accepted)
    kept = periods(Settings())

    def over(when: timedelta) -> dict[str, list[int]]:
        return {kind: [int(i[4:]) for i in ids] for kind, ids in due(store, kept, NOON + when).items()}

    assert over(timedelta(days=366)) == {"compliant": [], "non_compliant": [], "not_inspected": []}
    assert over(timedelta(days=367)) == {"compliant": [], "non_compliant": [], "not_inspected": [1]}
    assert over(3 * YEAR + timedelta(days=29)) == {"compliant": [2], "non_compliant": [], "not_inspected": [1]}
    assert over(4 * YEAR) == {"compliant": [2, 5], "non_compliant": [], "not_inspected": [1]}
    assert over(11 * YEAR) == {"compliant": [2, 5], "non_compliant": [3, 4], "not_inspected": [1]}
    (first,) = due(store, kept, NOON + 2 * YEAR)["not_inspected"]
    erase(store, [first], "Ada", "retention", NOON + 2 * YEAR)
    assert over(2 * YEAR)["not_inspected"] == []


def test_what_was_done_to_lists_and_said_of_parties_stands_on_the_chain(tmp_path: Path) -> None:
    from service.parties.watch_lists import decide, import_list

    store = Store(f"sqlite:///{tmp_path / 'lists.db'}")
    lines = [f"id{n},Company,Shady Goods {n} Ltd,CN" for n in range(10)]
    first = "\n".join(["id,schema,name,country", *lines]).encode()
    import_list(store, "watch", first, source="tests", by="Ada", at=1_000)
    import_list(store, "watch", first[: first.rindex(b"id5")], source="tests", by="Ada", at=2_000)
    decide(store, "watch", by="Grace", at=3_000, activate=True)
    with store.reading() as connection:
        entries = connection.execute(sa.select(CHAIN.c.kind, CHAIN.c.subject).order_by(CHAIN.c.number)).all()
    told = [(json.loads(subject)["what"], json.loads(subject)["by"]) for _, subject in entries]
    assert told == [("imported", "Ada"), ("activated", "Ada"), ("imported", "Ada"), ("activated", "Grace")]
    assert verify_record(store, tmp_path, tmp_path).faults == []
    with store.writing() as connection:
        subjects = dict(connection.execute(sa.select(LISTS.c.subjects).where(LISTS.c.version == 2)).scalar_one())
        subjects.pop(next(iter(subjects)))
        connection.execute(sa.update(LISTS).where(LISTS.c.version == 2).values(subjects=subjects))
    assert [fault.split(": ")[1] for fault in verify_record(store, tmp_path, tmp_path).faults] == [
        "its watch list was changed"
    ] * 2
    store.close()
