"""Capacity as a shift chief needs it: used, left and waiting at each office, and what one more check is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.rendering import now, page
from service.officers.queue import INSPECTING_LANES, days_shown
from service.officers.shift_load import Shift, Step, backlog, shifts_now, worth
from service.officers.what_if import WhatIf, record_of, what_if

router = APIRouter(include_in_schema=False)
DAYS = 28  # of the record, from which the worth of a check is reckoned
BAR, HEIGHT = 8, 44


@dataclass(frozen=True, slots=True)
class Bars:
    """Arrivals by the hour as bars: x, y and height of what came, and of what is usual at that hour."""

    came: tuple[tuple[float, float, float], ...]
    usual: tuple[tuple[float, float], ...]
    width: int
    height: int = HEIGHT


@router.get("/console/capacity")
def capacity_page(
    request: Request,
    office: Annotated[str, Query(max_length=100)] = "",
    physical: Annotated[int | None, Query(ge=0, le=100_000)] = None,
) -> Response:
    """How the shift of each office stands, and of one office what other numbers of checks would find."""
    desk, principal, at = desk_of(request), principal_of(request), now()
    offices = [one for one in reading.offices(desk.journal.store) if principal.sees(one)]
    if office and not principal.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    chosen = office if office in offices else next(iter(offices), "")
    if request.headers.get("hx-request"):  # what takes long is asked for by the page itself
        reckoned = _worth(request, chosen, physical)
        return page(request, "reckoned", office=chosen, physical=physical, days=DAYS, **reckoned)
    shifts = shifts_now(desk.journal, desk.policy.capacity, offices, at)
    rows = [{"shift": shift, "waits": _waits(request, shift.office), "bars": _bars(shift)} for shift in shifts]
    return page(
        request, "capacity", rows=rows, offices=offices, office=chosen, physical=physical, days=DAYS,
        broad=True, **(_worth(request, chosen, physical) if physical is not None else NOT_RECKONED),
    )  # fmt: skip


NOT_RECKONED: dict[str, Any] = {"steps": [], "changed": None, "unknown": ""}


def _waits(request: Request, office: str) -> dict[str, int]:
    store = desk_of(request).journal.store
    first, last = days_shown(store, office, "clearance", now().date())
    return {**dict.fromkeys(INSPECTING_LANES, 0), **backlog(desk_of(request).journal, office, first, last)}


def _worth(request: Request, office: str, physical: int | None) -> dict[str, Any]:
    """What other numbers of checks would change at an office; a word why not, where its record is empty."""
    desk = desk_of(request)
    steps: list[Step] = []
    changed: WhatIf | None = None
    unknown = ""
    if office:
        until = _last_day(request, office)
        try:
            record = record_of(desk.journal.store, office, until - timedelta(days=DAYS), until)
            steps = worth(record, desk.policy.least_risk)
            changed = None if physical is None else what_if(record, physical, desk.policy.least_risk)
        except Fault as lacking:
            unknown = str(lacking)
    return {"steps": steps, "changed": changed, "unknown": unknown}


def _last_day(request: Request, office: str) -> date:
    return days_shown(desk_of(request).journal.store, office, "clearance", now().date())[1]


def _bars(shift: Shift) -> Bars | None:
    if shift.arrived is None:
        return None
    usual = shift.usual or ()
    scale = (HEIGHT - 2) / max(1, *shift.arrived, *usual)
    came = tuple(
        (float(hour * BAR), round(HEIGHT - count * scale, 1), round(count * scale, 1))
        for hour, count in enumerate(shift.arrived)
    )
    marks = tuple((float(hour * BAR), round(HEIGHT - count * scale, 1)) for hour, count in enumerate(usual))
    return Bars(came, marks, BAR * len(shift.arrived))
