"""The page of the day for the head of an office: what came in, was asked for, done, found, and the week before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from features.finding_kinds import Kinds
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.list_query import DAY, day_typed
from service.console.rendering import address_of, kinds_of, language_of, now, page
from service.console.translations import in_language
from service.officers.cases import open_cases
from service.officers.day_account import CHECKS, DayAccount, account_of, newest_day, touched
from service.officers.offices import unseen
from service.officers.queue import days_shown
from service.officers.shift_load import backlog
from service.orientation.lanes import Lane
from service.scoring.explanation import Language

router = APIRouter(include_in_schema=False)
WEEK = timedelta(days=7)
SOON = timedelta(days=7)  # of statutory clocks: what is due by then is shown
SHOWN_CLOCKS = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the day beside that of the week before; lane: the lane that it counts, if any."""

    label: str
    count: int
    before: int | None  # None where there is nothing to compare with
    lane: str = ""

    @property
    def change(self) -> int | None:
        """By how much it is more, or below 0 fewer."""
        return None if self.before is None else self.count - self.before


@router.get("/console/day")
def day_page(
    request: Request,
    office: Annotated[str, Query(max_length=100)] = "",
    day: Annotated[str, Query(pattern=DAY)] = "",
) -> Response:
    """The account of a day, of one office or of all that one sees."""
    store, principal = desk_of(request).journal.store, principal_of(request)
    if office and not principal.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    known = [one for one in reading.offices(store) if principal.sees(one)]
    if office and office not in known:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    offices = [office] if office else known
    chosen = day_typed(day) or newest_day(store, offices) or now().date()
    account, before = (_account(request, offices, one, office) for one in (chosen, chosen - WEEK))
    waits = {one: _waits(request, one) for one in offices}
    return page(
        request, "day", office=office, offices=known, day=chosen, before=chosen - WEEK, account=account,
        groups=lines(account, before, language_of(request), kinds_of(request)), waits=waits,
        lanes=tuple(reversed(Lane.__members__)), compared=before.came > 0,
        clocks=_clocks(request, offices, chosen), broad=True,
    )  # fmt: skip


def lines(account: DayAccount, before: DayAccount, language: Language, kinds: Kinds) -> list[tuple[str, list[Line]]]:
    """The figures of a day beside those of another, in groups: what came, was asked for, was done, was found."""
    say, word = in_language(language, "say"), in_language(language, "word")
    beside = _compared(before)
    lanes = [
        Line(word(lane), account.lanes[lane], beside(before.lanes[lane]), lane) for lane in reversed(Lane.__members__)
    ]
    asked = [Line(say(f"check_{check}"), account.asked[check], beside(before.asked[check])) for check in CHECKS]
    found = [Line(kinds.word_of(kind, language), account.findings[kind], before.findings[kind]) for kind in kinds.codes]
    done = [
        Line(say("inspected"), account.done, before.done),
        *(Line(word(result), account.results[result], before.results[result]) for result in UNDECIDED),
        Line(say("found"), account.results["non_compliant"], before.results["non_compliant"]),
    ]
    changed = Line(say("changed_lanes"), account.overrides.total(), before.overrides.total())
    lacking = Line(say("degraded_decisions"), account.degraded.total(), beside(before.degraded.total()))
    return [
        ("came_in", [Line(say("seen"), account.came, beside(before.came)), *lanes]),
        ("asked_for", [one for one in asked if one.count or one.before]),
        ("done_found", [*done, *(one for one in found if one.count or one.before)]),
        ("beside_plan", [changed, lacking]),
    ]


def _compared(before: DayAccount) -> Callable[[int], int | None]:
    """Return what to set beside a figure of decisions: none for a day on which nothing was decided."""
    return (lambda figure: figure) if before.came else (lambda _: None)


UNDECIDED = ("not_presented", "inconclusive")


def _account(request: Request, offices: Sequence[str], day: date, office: str) -> DayAccount:
    store, principal = desk_of(request).journal.store, principal_of(request)
    seen: set[str] | None = None
    if office or not principal.sees_all:
        numbers = touched(store, day)
        seen = {*numbers} - unseen(store, principal, numbers)
        if office:
            seen &= reading.lodged_at_office(store, sorted(seen), office)
    return account_of(store, offices, day, seen)


def _waits(request: Request, office: str) -> dict[str, int]:
    journal = desk_of(request).journal
    first, last = days_shown(journal.store, office, "clearance", now().date())
    return dict(backlog(journal, office, first, last))


def _clocks(request: Request, offices: Sequence[str], day: date) -> list[dict[str, Any]]:
    """Open cases whose next statutory day is over or near, the most urgent first."""
    store = desk_of(request).journal.store
    due = [(case.consignment_id, clock) for case in open_cases(store) if (clock := case.due()) is not None]
    near = [(number, clock) for number, clock in due if clock.due <= day + SOON]
    numbers = [number for number, _ in near]
    hidden = unseen(store, principal_of(request), numbers)
    at_these = set[str]().union(*(reading.lodged_at_office(store, numbers, office) for office in offices))
    return [
        {"number": number, "place": address_of(number), "clock": clock, "over": clock.due < day}
        for number, clock in near
        if number in at_these and number not in hidden
    ][:SHOWN_CLOCKS]
