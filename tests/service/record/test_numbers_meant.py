"""A consignment is meant by its number however people write it: in results, look-ups, cases, transfers, erasures."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from service.audit.erasure import chosen
from service.desk import Desk
from service.officers.cases import Detained, case_of, detain
from service.orientation.track_conditions import Tracks
from service.record.numbers_meant import number_meant, numbers_meant
from service.record.result_checks import gate_results
from service.store.tables import DECLARATIONS
from service.targeting import target
from tests.service.building import NOON, declared, in_full, message, outcome
from tests.service.record.test_result_checks import rows

S10, HOUSE = "RB123456785CN", "HAWB000000007"
MEANT = [
    ("RB 123 456 785 CN", S10),
    ("rb123456785cn", S10),
    ("RB-123-456-785-CN", S10),
    (S10, S10),
    ("hawb000000007", HOUSE),
    ("HAWB 0000 00007", HOUSE),
    ("HAWB-000000007 ", HOUSE),
]
UNKNOWN = [
    ("HAWB 0000 00008", "HAWB 0000 00008"),
    ("cx 999 999 995 cn", "CX999999995CN"),
    ("hawb00000000", "hawb00000000"),
]


@pytest.fixture
def lodged(desk: Desk) -> Desk:
    """A desk that has decided an item and a house."""
    target(message(declared(1, consignment_id=S10, stream="postal"), declared(2, consignment_id=HOUSE)), desk)
    return desk


@pytest.mark.parametrize(("written", "number"), [*MEANT, *UNKNOWN])
def test_the_number_on_record_is_meant_or_the_form_of_what_is_unknown(lodged: Desk, written: str, number: str) -> None:
    assert number_meant(lodged.journal.store, written) == number


@pytest.mark.parametrize(("written", "number"), MEANT)
def test_a_result_finds_its_consignment(lodged: Desk, written: str, number: str) -> None:
    result: dict[str, Any] = in_full(outcome(1)) | {"consignment_id": written}
    gated = gate_results(rows(result), lodged.journal.store)
    assert gated.accepted["consignment_id"].to_list() == [number]
    assert lodged.journal.learn(gated.accepted).unknown == 0


def test_what_is_on_record_as_it_is_written_is_meant_first(lodged: Desk) -> None:
    """Numbers of before keep their form, beside which another may stand."""
    old = "RB 123 456 785 CN"
    change = sa.update(DECLARATIONS).where(DECLARATIONS.c.consignment_id == HOUSE).values(consignment_id=old)
    lodged.journal.store.write(lambda connection: connection.execute(change))
    assert numbers_meant(lodged.journal.store, [old, S10]) == {old: old, S10: S10}
    gated = gate_results(rows(in_full(outcome(1)) | {"consignment_id": old}), lodged.journal.store)
    assert gated.accepted["consignment_id"].to_list() == [old]


def test_cases_and_erasures_mean_it_too(lodged: Desk) -> None:
    detain(lodged.journal, Detained("rb 123456785 cn", NOON.replace(year=2027), "o-7", "FR", None), Tracks())
    case = case_of(lodged.journal.store, "RB-123456785-CN")
    assert case is not None
    assert case.consignment_id == S10
    assert chosen(lodged.journal.store, ["RB 123 456 785 CN", "hawb 000000007"], None) == [HOUSE, S10]
