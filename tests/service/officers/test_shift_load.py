"""A shift as its chief sees it: checks given and left, what waits, what came by the hour, what a check is worth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from features.fault import Fault
from features.moments import EPOCH
from service.desk import Desk
from service.officers.overrides import override_lane
from service.officers.shift_load import backlog, shifts_now, worth
from service.officers.what_if import ALL, record_of, what_if
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome
from tests.service.calls.learning import learned
from tests.service.orientation.cases import policy_text

OFFICE = "FRCDG1"


@pytest.fixture
def desk(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that checks two a day and asks for documents of two more; six have come, in two hours."""
    desk = desk_with(policy_text(2, 2, 2, least=0.0))
    sent = [declared(n, gross_mass_kg=float(n), lodged_at=NOON + timedelta(hours=n % 2)) for n in range(1, 7)]
    target(message(*sent, competing="message"), desk)
    return desk


def test_what_was_given_and_is_left(desk: Desk) -> None:
    (shift,) = shifts_now(desk.journal, desk.policy.capacity, [OFFICE], NOON)
    loads = {load.check: (load.able, load.given, load.left) for load in shift.loads}
    assert loads["physical"] == (2, 2, 0)
    assert loads["documents"] == (2, 2, 0)
    assert shift.arrived is not None
    assert (sum(shift.arrived), shift.arrived[12], shift.arrived[13]) == (6, 3, 3)
    assert (shift.hours, shift.begins) == (24, (NOON.replace(hour=0) - EPOCH) // timedelta(microseconds=1))
    assert shift.usual is None  # the first day
    assert shifts_now(desk.journal, desk.policy.capacity, [], NOON) == []


def test_an_officer_may_ask_for_more_than_there_are(desk: Desk) -> None:
    yellow = next(one for one in desk.journal.decisions_on("HAWB000000001") if one)
    override_lane(desk.journal.store, yellow["decision_id"], "red", "ana", "seen", NOON, "HAWB000000001")
    (shift,) = shifts_now(desk.journal, desk.policy.capacity, [OFFICE], NOON)
    physical = next(load for load in shift.loads if load.check == "physical")
    assert physical.given in (2, 3)
    assert physical.left == 0


def test_the_day_after_says_what_is_usual(desk: Desk) -> None:
    (shift,) = shifts_now(desk.journal, desk.policy.capacity, [OFFICE], NOON + timedelta(days=1))
    assert sum(shift.arrived or ()) == 0
    assert shift.usual is not None
    assert (shift.usual[12], shift.usual[13], sum(shift.usual)) == (3.0, 3.0, 6.0)


def test_what_waits_is_counted_by_lane(desk: Desk) -> None:
    days = (date(2026, 2, 1), date(2026, 2, 28))
    assert backlog(desk.journal, OFFICE, *days) == {"red": 2, "yellow": 2}
    assert backlog(desk.journal, "nowhere", *days) == {}


def test_the_worth_of_a_check_is_that_of_what_if(desk: Desk) -> None:
    learned(desk, *(outcome(n) for n in range(1, 7)))
    record = record_of(desk.journal.store, OFFICE, date(2026, 2, 1), date(2026, 2, 28))
    steps = worth(record, 0.0)
    assert [step.other for step in steps] == [1, 3, 7, 12]  # two are made
    for step in steps:
        changed = what_if(record, step.other, 0.0)
        assert step.change == changed.change[ALL].mean / changed.days
        assert step.each == pytest.approx(step.change / (step.other - 2))
        assert (step.change < 0) == (step.other < 2)
    with pytest.raises(Fault, match="no decisions of this office"):
        worth(record.clear(), 0.0)
