"""Lists and reports in the console: import, what a version would match, a second person's word, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import EPOCH, micros
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.csv_answer import csv_answer
from service.console.rendering import form_of, form_with_file, moment, now, page, text_of, to, zone_of
from service.officers.offices import unseen
from service.officers.search_details import details_of
from service.parties.list_matches import PREVIEW, Matches, matches_of
from service.parties.watch_lists import decide, import_list, overview

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
FormWithFile = Annotated[FormData, Depends(form_with_file)]
HERE = "/console/lists"
VERSIONS_SHOWN, ACCOUNTED = 200, 20  # versions; active lists of which is said what they found
MATCHES_SHOWN = 100
LONGEST_NAME = 100
MOST_VERSIONS = 1_000_000
MOMENTS = ("imported_at", "active_from", "expires_at")


@router.get(HERE + ".csv")
def lists_csv(request: Request) -> Response:
    """Every version of every list as a file for a spreadsheet."""
    names = ("list_id", "version", "kind", "status", "source", "imported_by", *MOMENTS)
    stamp = partial(moment, zone=zone_of(request))
    rows = (
        [stamp(one[name]) if name in MOMENTS else one[name] for name in names]
        for one in overview(desk_of(request).journal.store)
    )
    return csv_answer("tamis-lists.csv", names, rows)


@router.get(HERE)
def lists_page(request: Request) -> Response:
    """Every version of every list, what became of it, and what the active ones have found since."""
    return _all(request)


@router.post(HERE)
async def import_list_version(request: Request, form: FormWithFile) -> Response:
    """Take in a version of a list; it waits for a second person, whatever it holds."""
    given = form.get("document")
    content = await given.read() if isinstance(given, UploadFile) else b""
    return await run_in_threadpool(_import, request, form, content)


@router.get(HERE + "/{list_id:path}")
def list_page(request: Request, list_id: str, version: Annotated[int, Query(ge=0, le=MOST_VERSIONS)] = 0) -> Response:
    """One list: its versions, and what one of them matches; before it is active, of the last fourteen days."""
    return _show(request, list_id, version)


@router.post(HERE + "/{list_id:path}")
def decide_list_version(request: Request, list_id: str, form: Form) -> Response:
    """A second person's word on the version that waits."""
    at, by, activate = micros(now()), principal_of(request).name, text_of(form, "word") == "approve"
    try:
        version, _ = decide(desk_of(request).journal.store, list_id, by=by, at=at, activate=activate)
    except Fault as fault:
        return _show(request, list_id, 0, str(fault))
    return to(f"{_place(list_id)}?version={version}")


def _import(request: Request, form: FormData, content: bytes) -> Response:
    given, name = form.get("document"), text_of(form, "list_id")
    try:
        if not isinstance(given, UploadFile) or not content:
            raise Fault("document: choose a file")
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise Fault(f"list: from 1 to {LONGEST_NAME} characters")
        imported = import_list(
            desk_of(request).journal.store, name, content, source=(given.filename or "")[:LONGEST_NAME],
            by=principal_of(request).name, at=micros(now()), expires_at=_expiry(text_of(form, "expires")),
            reports=bool(form.get("reports")), second_person=True,
        )  # fmt: skip
    except Fault as fault:
        return _all(request, str(fault))
    return to(f"{_place(name)}?version={imported.version}")


def _all(request: Request, fault: str = "") -> Response:
    versions = overview(desk_of(request).journal.store)
    active = [one for one in versions if one["status"] == "active"][:ACCOUNTED]
    found = {one["list_id"]: _account(request, _matched(request, one)[1]) for one in active}
    return page(
        request, "lists", HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK, fault=fault, found=found,
        versions=versions[:VERSIONS_SHOWN], more=max(0, len(versions) - VERSIONS_SHOWN), place=_place,
        broad=True,
    )  # fmt: skip


def _show(request: Request, list_id: str, version: int, fault: str = "") -> Response:
    store = desk_of(request).journal.store
    versions = [one for one in overview(store) if one["list_id"] == list_id]
    wanted = [one for one in versions if one["version"] == version] or sorted(
        versions, key=lambda one: (one["status"] != "waiting", one["status"] != "active", -one["version"])
    )
    if not wanted:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    matches, seen = _matched(request, wanted[0])
    with store.reading() as connection:
        details = details_of(connection, seen[:MATCHES_SHOWN])
    return page(
        request, "list", HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK, fault=fault, versions=versions,
        shown=wanted[0], matches=matches, account=_account(request, seen), rows=[*details.values()], broad=True,
        results=reading.results(store, seen[:MATCHES_SHOWN]), place=_place, days=PREVIEW // timedelta(days=1),
    )  # fmt: skip


def _matched(request: Request, version: dict[str, Any]) -> tuple[Matches, list[str]]:
    """What a version matches since it became active, or of the days that activating it would reach; what is seen."""
    store, since = desk_of(request).journal.store, now() - PREVIEW
    if version["active_from"] is not None:
        since = min(since, EPOCH + timedelta(microseconds=version["active_from"]))
    matches = matches_of(store, version["list_id"], version["version"], since)
    if matches is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    hidden = unseen(store, principal_of(request), list(matches.sides))
    return matches, [number for number in matches.sides if number not in hidden]


def _account(request: Request, numbers: Sequence[str]) -> dict[str, int]:
    """How many parcels there are, how many of them were controlled, and of how many anything was found."""
    found = reading.results(desk_of(request).journal.store, numbers)
    latest = [of[0]["result"] for of in found.values() if of]
    hits = sum(result == "non_compliant" for result in latest)
    return {"matched": len(numbers), "inspected": len(latest), "found": hits}


def _expiry(text: str) -> int | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Fault("expires: a day as YYYY-MM-DD, or empty") from None
    if datetime.combine(day, time.min, UTC) <= now():
        raise Fault("expires: a day to come")
    return micros(datetime.combine(day, time.min, UTC))


def _place(list_id: str) -> str:
    return f"{HERE}/{quote(list_id, safe='')}"
