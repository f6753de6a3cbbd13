"""The work list as a person arranges it, against what the plain queue holds; who has taken what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.fault import Fault
from features.finding_kinds import Kinds, standard_kinds
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers.assignments import holders, release, take
from service.officers.list_views import keep_view, view_of
from service.officers.overrides import override_lane
from service.officers.queue import queue
from service.officers.work_list import Asked, Order, counted, listed, numbers, waiting_of_kind
from service.scoring.by_kind import KindOfFinding
from service.targeting import target
from tests.service.building import NOON, declared, message
from tests.service.orientation.cases import policy_text

EVERY_DAY = Asked("FRCDG1", "clearance", date(2026, 1, 1), date(2026, 12, 31), me="ana")
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def desk(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that checks two and asks for documents of two more."""
    desk = desk_with(policy_text(2, 2, 2, least=0.0))
    target(message(*(declared(n, gross_mass_kg=float(n)) for n in range(1, 7)), competing="message"), desk)
    return desk


def ids(desk: Desk, **changes: Any) -> list[str]:
    store, asked = desk.journal.store, replace(EVERY_DAY, **changes)
    found = [one["consignment_id"] for one in listed(store, asked, 100)]
    assert numbers(store, asked, 100) == found
    assert sum(counted(store, asked).values()) == len(found)
    return found


def test_it_holds_what_the_queue_holds(desk: Desk) -> None:
    plain = queue(desk.journal.store, "FRCDG1", "clearance", date(2026, 1, 1))
    assert listed(desk.journal.store, EVERY_DAY, 100) == [{**one, "taken_by": None} for one in plain]
    assert counted(desk.journal.store, EVERY_DAY) == {"red": 2, "yellow": 2}
    assert [one["consignment_id"] for one in plain[2:]] == [
        one["consignment_id"] for one in listed(desk.journal.store, EVERY_DAY, 2, beyond=2)
    ]


@pytest.mark.parametrize("order", ["risk", "lodged", "lane", "number"])
def test_each_order_has_the_same_parcels_both_ways(desk: Desk, order: Order) -> None:
    down, up = ids(desk, order=order), ids(desk, order=order, descending=False)
    assert sorted(down) == sorted(up)
    rows = {one["consignment_id"]: one for one in listed(desk.journal.store, EVERY_DAY, 100)}
    of: dict[Order, Callable[[str], Any]] = {
        "risk": lambda n: rows[n]["risk"], "lodged": lambda n: rows[n]["lodged_at"], "number": lambda n: n,
        "lane": lambda n: ("green", "blue", "yellow", "red").index(rows[n]["clearance"]),
    }  # fmt: skip
    assert [of[order](n) for n in down] == sorted((of[order](n) for n in down), reverse=True)
    assert [of[order](n) for n in up] == sorted(of[order](n) for n in up)


def test_it_is_narrowed_by_lane_risk_and_network(desk: Desk) -> None:
    rows = listed(desk.journal.store, EVERY_DAY, 100)
    assert ids(desk, lane="red") == [one["consignment_id"] for one in rows if one["clearance"] == "red"]
    middle = rows[1]["risk"]
    assert ids(desk, least_risk=middle) == [one["consignment_id"] for one in rows if one["risk"] >= middle]
    assert ids(desk, networked=True) == []  # linking is off here


def of_kinds(desk: Desk, **shares: float) -> Desk:
    """The desk with a model that states these chances of kinds, of every finding."""
    kinds = tuple(KindOfFinding(code, 9, share) for code, share in shares.items())
    return replace(desk, model=replace(desk.model, kinds=kinds))


@pytest.fixture
def of_two_kinds(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that has decided on parcels of two kinds, all of which wait."""
    desk = desk_with(policy_text(4, 4, 0, least=0.0))
    likely = {"counterfeit": {"counterfeit": 0.7, "narcotics": 0.1}, "narcotics": {"prohibited": 0.6, "narcotics": 0.5}}
    for first, shares in enumerate(likely.values()):
        parcels = [declared(n, gross_mass_kg=float(n)) for n in range(3 * first + 1, 3 * first + 4)]
        target(message(*parcels, message_id=f"M{first}", competing="message"), of_kinds(desk, **shares))
    return desk


def test_it_is_narrowed_by_the_likeliest_kind(of_two_kinds: Desk) -> None:
    desk, store = of_two_kinds, of_two_kinds.journal.store
    every = ids(desk)
    assert len(every) == 6
    for kind, parcels in (("counterfeit", range(1, 4)), ("narcotics", range(4, 7)), ("prohibited", ()), ("cash", ())):
        assert ids(desk, kind=kind) == [one for one in every if one in {f"HAWB{n:09d}" for n in parcels}]
    asked = replace(EVERY_DAY, kind="narcotics")
    assert [one["consignment_id"] for one in listed(store, asked, 1, beyond=1)] == ids(desk, kind="narcotics")[1:2]
    plain = queue(store, "FRCDG1", "clearance", date(2026, 1, 1))
    chosen = [one for one in plain if one["consignment_id"] in ids(desk, kind="narcotics")]
    assert waiting_of_kind(store, asked, 100, 0, standard_kinds()) == chosen


def test_the_likeliest_is_told_by_the_kinds_of_the_installation(of_two_kinds: Desk) -> None:
    apart = Kinds(tuple(replace(kind, within="") for kind in standard_kinds().listed))
    asked = replace(EVERY_DAY, kind="prohibited")
    assert len(numbers(of_two_kinds.journal.store, asked, 100, apart)) == 3


def test_the_lane_is_that_of_the_officer(desk: Desk) -> None:
    last = listed(desk.journal.store, replace(EVERY_DAY, lane="yellow"), 100)[-1]
    override_lane(desk.journal.store, last["decision_id"], "red", "ana", "seen", LATER, last["consignment_id"])
    assert last["consignment_id"] in ids(desk, lane="red")
    assert counted(desk.journal.store, EVERY_DAY) == {"red": 3, "yellow": 1}


def test_one_person_has_it_and_all_see_who(desk: Desk, tmp_path: Path) -> None:
    store = desk.journal.store
    first, second, *rest = ids(desk)
    take(store, first, "ana", LATER)
    take(store, first, "ana", LATER)  # again: nothing changes
    take(store, second, "bo", LATER)
    assert holders(store, [first, second, *rest]) == {first: "ana", second: "bo"}
    with pytest.raises(Fault, match="bo: somebody else has it"):
        take(store, second, "ana", LATER)
    assert (ids(desk, holder="me"), ids(desk, holder="others")) == ([first], [second])
    assert ids(desk, holder="nobody") == rest
    release(store, second, "ana", LATER)
    release(store, second, "ana", LATER)
    take(store, second, "ana", LATER)
    assert [one["taken_by"] for one in listed(store, EVERY_DAY, 100)] == ["ana", "ana", None, None]
    titles = [event.title["en"] for event in timeline(store, second)]
    assert titles[-3:] == ["Taken", "Released to the list", "Taken"]
    assert verify_record(store, tmp_path, tmp_path).faults == []


def test_a_view_is_kept_for_each_person(desk: Desk) -> None:
    store = desk.journal.store
    assert view_of(store, "ana", "queue") == {}
    keep_view(store, "ana", "queue", {"columns": ["lane"]})
    keep_view(store, "ana", "queue", {"columns": ["risk"]})
    assert view_of(store, "ana", "queue") == {"columns": ["risk"]}
    assert view_of(store, "bo", "queue") == {}
