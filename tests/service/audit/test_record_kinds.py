"""Every kind of entry on the audit log is verified, erased, in the dossier and in the timeline; so is the next one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.contract import gate_outcomes
from features.moments import micros
from features.outcome import OUTCOME_COLUMNS
from service.api.bodies import outcome_rows
from service.audit.dossier import dossier
from service.audit.erasure import erase
from service.audit.replay import Bundles
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.desk import Desk
from service.journal import Journal
from service.officers.assignments import take
from service.officers.cases import Detained, detain
from service.officers.investigations import Item, open_investigation
from service.officers.overrides import override_lane
from service.officers.purchases import Order, arrive, order
from service.orientation.track_conditions import Tracks
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties, judge
from service.parties.watch_lists import import_list
from service.record import audit_log
from service.record.ownership import INSTALLATION, Sender
from service.record.record_kind import RecordKind, sign
from service.record.record_kinds import KINDS, NOTES, salted_fields, shown, titled
from service.record.settling import SEGMENT
from service.record.transfers import Transfer, pass_on
from service.settings import Settings
from service.store.database import Store
from service.store.tables import CHAIN
from service.store.vouching import BY_ITSELF
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome, results

ID = "HAWB000000001"
LATER = NOON + timedelta(days=2)
SIGNED = {  # of each kind, a column that its entries vouch for
    "list": "sha256", "decision": "risk", "outcome": "salt", "judgement": "reason", "override": "clearance",
    "case": "step", "seal": "seal", "transfer": "from_office", "early": "sender",
    "assignment": "by", "purchase": "office", "investigation": "step",
}  # fmt: skip
SEALS = sa.MetaData()
SEAL_CHECKS = sa.Table(
    "seal_checks",
    SEALS,
    sa.Column("seal_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False),
    sa.Column("seal", sa.String, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),
    info=BY_ITSELF,  # no table of the store: none of its digests is of it
)
SEAL = RecordKind(
    "seal", "check of a seal", titled("Seal checked", "Scellé contrôlé", "封志检查"), shown("seal", "officer"),
    table=SEAL_CHECKS, key=("seal_id",), prefix="seal-",
    content=salted_fields("consignment_id", "seal", "officer"), erased={"officer": ""},
)  # fmt: skip


def check_seal(store: Store, consignment_id: str, seal: str, officer: str, at: int) -> None:
    """A further act of an officer: all that it takes."""
    row = {"consignment_id": consignment_id, "seal": seal, "officer": officer}
    store.write(lambda connection: sign(connection, SEAL, row, at))


@pytest.fixture(scope="module")
def bundles(quick_home: Path) -> Bundles:
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, RecordKind]:
    """Today's kinds and a further one."""
    monkeypatch.setitem(KINDS, SEAL.name, SEAL)
    return KINDS


@pytest.fixture
def filled(desk: Desk, store: Store, tmp_path: Path, kinds: dict[str, RecordKind]) -> Store:
    """A store with an entry of every kind, those of consignments about ID."""
    SEALS.create_all(store.engine)
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    journal = Journal(store, switch)
    live = replace(desk, parties=StoredParties(store, switch), journal=journal, history=journal.history)
    other = declared(2, consignor={"name": "Quite Another", "address": "1 Other Road", "country": "CN"})
    journal.sent_by(Sender("elsewhere", ("FRLYS1",))).learn(results(outcome(1, officer="o-7")))
    (given,) = target(message(declared(1)), live).rows
    (unlike,) = target(message(other, message_id="M2"), live).rows
    judge(store, given["party_id"], unlike["party_id"], False, "ana", "two firms", micros(NOON))
    result = dict.fromkeys(c.name for c in OUTCOME_COLUMNS) | outcome(1, officer="o-7")
    journal.learn(gate_outcomes(outcome_rows({"outcomes": [result]})[0]).accepted)
    detain(journal, Detained(ID, LATER, "o-7", "FR", None), Tracks())
    passed_on = Transfer(ID, "FRLYS1", None, "ana", "seen before")
    store.write(lambda connection: pass_on(connection, passed_on, micros(LATER)))
    override_lane(store, given["decision_id"], "red", "ana", "seen before", LATER, ID)
    take(store, ID, "ana", LATER)
    placed = Order({"url": "one-copy.example"}, "bag", {"name": "Ann Lee"}, "FRCDG1", "o-7", NOON)
    arrive(store, order(store, placed).purchase_id, ID, LATER, "o-7")
    open_investigation(store, "shoes", [Item("consignment", ID)], INSTALLATION, "ana", LATER)
    check_seal(store, ID, "S-1", "o-7", micros(LATER))
    import_list(store, "watch", b"id,schema,name,country\n1,Company,Shady Ltd,CN\n", source="t", by="ada", at=1_000)
    for kind in NOTES:
        if not kind.follows and kind.name != SEGMENT:  # one that names no file is a fault: tests/service/settled
            audit_log.note(store, kind.name, "subject", {"by": "ada"}, micros(LATER))
    return store


def about_consignments(kinds: dict[str, RecordKind]) -> set[str]:
    """The kinds whose rows are about a consignment or about its sender."""
    return {k.name for k in kinds.values() if k.table is not None and ("consignment_id" in k.table.c or k.about)}


def test_every_kind_is_verified(filled: Store, tmp_path: Path, kinds: dict[str, RecordKind]) -> None:
    verification = verify_record(filled, tmp_path, tmp_path)
    assert verification.faults == []
    assert set(verification.by_kind) == set(kinds) - {"erasure", SEGMENT}
    for kind in kinds.values():
        if kind.table is None:
            continue
        (row, *_) = rows_of(filled, kind)
        signed = SIGNED[kind.name]
        this = sa.and_(*(column == row[column.name] for column in kind.columns))
        other = 0.5 if signed == "risk" else "other"
        assert faults_while(filled, tmp_path, sa.update(kind.table).where(this).values({signed: other})) == {
            f"its {kind.noun} was changed"
        }
        assert f"its {kind.noun} is not in the store" in faults_while(
            filled, tmp_path, sa.delete(kind.table).where(this)
        )
        unlogged = sa.delete(CHAIN).where(CHAIN.c.kind == kind.name)
        loose = faults_while(filled, tmp_path, unlogged)
        assert any(re.fullmatch(rf"\d {kind.name}s of the store are not on the chain", fault) for fault in loose)


def rows_of(store: Store, kind: RecordKind) -> list[dict[str, Any]]:
    assert kind.table is not None
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(sa.select(kind.table)).mappings()]


def faults_while(store: Store, folder: Path, change: Any) -> set[str]:
    """What is found after a change behind the log's back, which is put right again."""
    table = change.table
    with store.reading() as connection:
        before = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    with store.writing() as connection:
        connection.execute(change)
    faults = verify_record(store, folder, folder).faults
    found = {fault.split(": ", 1)[-1] for fault in faults if not fault.startswith("table ")}  # digests have their tests
    with store.writing() as connection:
        connection.execute(sa.delete(table))
        connection.execute(sa.insert(table), before)
    assert verify_record(store, folder, folder).holds
    return found


def test_every_kind_is_in_the_dossier_and_in_the_timeline(
    filled: Store, bundles: Bundles, kinds: dict[str, RecordKind]
) -> None:
    found = dossier(filled, bundles, ID)
    assert found is not None
    assert {*found["records"], "decision", "outcome"} == about_consignments(kinds)
    assert len(found["decisions"]) == len(found["outcomes"]) == 1
    for name, records in found["records"].items():
        assert [entry["kind"] for record in records for entry in record["proof"]] == [name]
    events = timeline(filled, ID)
    assert {event.kind for event in events} == about_consignments(kinds)
    assert [event.number for event in events] == sorted(event.number for event in events)
    assert [event.as_json() for event in events] == found["timeline"]
    for event in events:
        assert set(event.title) == {"en", "fr", "zh"}
        assert event.details
    assert [event.kind for event in timeline(filled, "HAWB000000002")] == ["decision", "judgement"]


def test_every_kind_about_a_consignment_is_erased_and_says_so(
    filled: Store, bundles: Bundles, tmp_path: Path, kinds: dict[str, RecordKind]
) -> None:
    would = erase(filled, [ID], "", "", NOON, dry_run=True)
    assert erase(filled, [ID], "A. Martin", "asked for", LATER) == would
    erasable = {kind.name for kind in kinds.values() if kind.erased}
    assert erasable == about_consignments(kinds) - {"judgement"}, "a judgement is of a sender, not of a consignment"
    assert would.records == dict.fromkeys(erasable, 1)
    for kind in kinds.values():
        if kind.erased:
            (row, *_) = [row for row in rows_of(filled, kind) if row["consignment_id"] == ID]
            assert row["salt"] is None
            assert "o-7" not in str(row)
            assert "seen before" not in str(row)
    verification = verify_record(filled, tmp_path, tmp_path)
    assert (verification.faults, verification.erased) == ([], len(erasable))
    events = timeline(filled, ID)
    assert {event.kind for event in events if event.erased} == erasable
    assert all(not event.details for event in events if event.erased)
    assert (events[-1].kind, events[-1].details["by"], events[-1].entries) == ("erasure", "A. Martin", len(erasable))
    found = dossier(filled, bundles, ID)
    assert found is not None
    assert "erased" in found["decisions"][0]["explanation"]["note"]


def test_an_entry_of_an_unknown_kind_is_a_fault(store: Store, tmp_path: Path) -> None:
    audit_log.note(store, "of-a-later-version", "x", {}, 1)
    (fault,) = verify_record(store, tmp_path, tmp_path).faults
    assert "does not know" in fault


def test_only_kinds_of_the_table_are_put_on_the_log() -> None:
    root = Path(audit_log.__file__).parents[2]
    named = re.compile(r"""\b(?:Entry|note|_note|_on_record)\(\s*(?:store, |settings, )?"([a-z]+)",""")
    files = [*root.glob("service/**/*.py"), *root.glob("pipelines/**/*.py")]
    used = {name for file in files for name in named.findall(file.read_text(encoding="utf-8"))}
    assert used
    assert used <= set(KINDS)
