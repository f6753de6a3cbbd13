"""Audits at operators: opened from the latest list, on the log, and their results come back beside the operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.contract import gate_outcomes
from features.fault import Fault
from features.moments import micros
from features.outcome import OUTCOME_COLUMNS
from service.api.bodies import outcome_rows
from service.audit.erasure import erase
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers.investigations import close, investigation_of
from service.oversight.operator_audits import OperatorAudit, audits_by_operator, open_audit
from service.oversight.operators import Operator
from service.oversight.operators_report import Ranking, write
from service.record.ownership import INSTALLATION, Sender
from service.store.database import Store
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome

LATER, THEN = NOON + timedelta(days=2), NOON + timedelta(days=9)
BEHIND = ("HAWB000000001", "HAWB000000002", "HAWB000000003")
IMPORTER = ("importer", "FR123456789")


@pytest.fixture
def reports(desk: Desk, tmp_path: Path) -> Path:
    """The list of a period, and on record the consignments behind its importer, one of another office."""
    target(message(declared(1), declared(2), declared(3, office="FRLYS1")), desk)
    first = Operator(*IMPORTER, 3, 5, 900.0, 0.4, 123.0, 0, 0, 0, (*BEHIND, "NEVER-LODGED"))
    person = replace(first, kind="consignee", name="ann lee, 75001")
    unseen = replace(first, name="FR999", behind=("NEVER-LODGED",))
    ranked = {"importer": [first, unseen], "consignee": [person]}
    write(Ranking(date(2026, 2, 1), date(2026, 2, 3), 3, neutral=True, operators=ranked), tmp_path / "operators" / "x",
          persons=True)  # fmt: skip
    return tmp_path


def learned(desk: Desk, number: int, **changes: Any) -> None:
    """Record a control result."""
    row = dict.fromkeys(c.name for c in OUTCOME_COLUMNS) | outcome(number, **changes)
    gated = gate_outcomes(outcome_rows({"outcomes": [row]})[0])
    assert gated.refused.height == 0
    desk.journal.learn(gated.accepted)


def the_audit(store: Store, reader: Sender = INSTALLATION) -> OperatorAudit:
    ((operator, (audit,)),) = audits_by_operator(store, reader).items()
    assert operator == IMPORTER
    return audit


def test_what_an_audit_finds_comes_back_to_its_operator(
    desk: Desk, store: Store, reports: Path, tmp_path: Path
) -> None:
    after = {"stage": "post_clearance", "currency": "USD"}
    learned(desk, 1, result="compliant", findings=None, known_at=NOON + timedelta(days=1), **after)  # before: not its
    number = open_audit(store, reports, IMPORTER, INSTALLATION, "ana", LATER)
    assert the_audit(store) == OperatorAudit(number, micros(LATER), "ana", True, 3, 0, 0, 0.0)
    learned(desk, 1, result="non_compliant", findings="undervalued", known_at=THEN, value_found="100.00", **after)
    learned(desk, 2, result="compliant", findings=None, known_at=THEN, **after)
    learned(desk, 3, stage="clearance", known_at=THEN)  # a control at the border is none of an audit
    audit = the_audit(store)
    assert (audit.examined, audit.found, audit.value_found) == (2, 1, 90.0)
    close(store, number, "duty claimed", INSTALLATION, "ana", THEN)
    assert not the_audit(store).open
    assert open_audit(store, reports, IMPORTER, INSTALLATION, "ben", THEN) != number
    assert verify_record(store, tmp_path, tmp_path).faults == []


def test_who_opened_it_is_on_the_log_and_goes_with_an_erasure(desk: Desk, store: Store, reports: Path) -> None:
    open_audit(store, reports, IMPORTER, INSTALLATION, "ana", LATER)
    (event,) = [event for event in timeline(store, BEHIND[0]) if event.kind == "investigation"]
    assert event.details["officer"] == "ana"
    erase(store, [BEHIND[0]], "A. Martin", "asked for", THEN)
    assert the_audit(store).consignments == 2


def test_it_looks_into_what_its_reader_sees(desk: Desk, store: Store, reports: Path) -> None:
    here = Sender("ana", ("FRCDG1",))
    number = open_audit(store, reports, IMPORTER, here, "ana", LATER)
    opened = investigation_of(store, number, here)
    assert opened is not None
    assert (opened.values("consignment"), opened.operator, opened.office) == (list(BEHIND[:2]), IMPORTER, "FRCDG1")
    assert audits_by_operator(store, Sender("eve", ("FRLYS1",))) == {}


@pytest.mark.parametrize(
    ("operator", "fault"),
    [
        (("importer", "FR000"), "on the latest list"),
        (("consignee", "ann lee, 75001"), "on the latest list"),
        (("importer", "FR999"), "on record at your offices"),
        (("ioss", "FR123456789"), "on the latest list"),
    ],
)
def test_what_cannot_be_audited_is_refused(
    desk: Desk, store: Store, reports: Path, operator: tuple[str, str], fault: str
) -> None:
    with pytest.raises(Fault, match=fault):
        open_audit(store, reports, operator, INSTALLATION, "ana", LATER)
    assert audits_by_operator(store, INSTALLATION) == {}


def test_one_that_is_open_is_not_opened_again_and_none_without_a_list(
    desk: Desk, store: Store, reports: Path, tmp_path: Path
) -> None:
    open_audit(store, reports, IMPORTER, INSTALLATION, "ana", LATER)
    with pytest.raises(Fault, match="open already"):
        open_audit(store, reports, IMPORTER, INSTALLATION, "ben", THEN)
    with pytest.raises(Fault, match="on the latest list"):
        open_audit(store, tmp_path / "nowhere", IMPORTER, INSTALLATION, "ben", THEN)
