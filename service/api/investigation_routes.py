"""Investigations over the API: parse, call one function, answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import EPOCH, iso
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api.body_reading import BoundedRoute
from service.api.error_responses import refused
from service.api.investigation_answers import EntryGiven, Inquiries, Inquiry, InvestigationOpened
from service.api.live_desk import desk_of
from service.desk import Desk
from service.officers import investigations as inquiry
from service.officers.investigations import CONSIGNMENT, Investigation, Item
from service.officers.offices import unseen
from service.store.database import Store

router = APIRouter(route_class=BoundedRoute)
UNNOTED = "cannot be noted"
Number = Annotated[str, Path(pattern=r"^I-[0-9]{4}-[0-9]{4,9}$", description="such as I-2026-0007")]


@router.get("/v1/investigations", response_model=None, responses={200: {"model": Inquiries}})
def get_investigations(
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Every investigation of the caller's offices, open ones first, then the one noted in last."""
    store = desk.journal.store
    found = inquiry.investigations(store, principal.sender)
    return {"investigations": [_shown(store, one, principal) for one in found]}


@router.post("/v1/investigations", status_code=201, response_model=None, responses={201: {"model": Inquiry}})
def post_investigation(
    body: InvestigationOpened,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Open an investigation, of the office of its first consignment."""
    store, items = desk.journal.store, [Item(one.kind, one.value) for one in body.items]
    try:
        number = inquiry.open_investigation(store, body.title, items, principal.sender, principal.name, _now())
    except Fault as fault:
        raise refused(fault, UNNOTED) from None
    return _answer(store, number, principal)


@router.get("/v1/investigations/{number}", response_model=None, responses={200: {"model": Inquiry}})
def get_investigation(
    number: Number,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """What an investigation holds, and everything that was noted in it."""
    return _answer(desk.journal.store, number, principal)


@router.post("/v1/investigations/{number}", status_code=201, response_model=None, responses={201: {"model": Inquiry}})
def post_investigation_entry(
    number: Number,
    body: EntryGiven,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Add or leave out items, write a note, give or finish a task, close it or open it again."""
    store = desk.journal.store
    _answer(store, number, principal)  # 404 where it is not the caller's
    try:
        _act(store, number, body, principal)
    except Fault as fault:
        raise refused(fault, UNNOTED) from None
    return _answer(store, number, principal)


def _act(store: Store, number: str, body: EntryGiven, caller: Principal) -> None:
    items, by, at = [Item(one.kind, one.value) for one in body.items], caller.name, _now()
    if body.step == "add":
        inquiry.add_items(store, number, items, caller.sender, by, at)
    elif body.step == "leave_out":
        for item in items:
            inquiry.leave_out(store, number, item, caller.sender, by, at)
    elif body.step == "task":
        inquiry.give_task(store, number, body.text, body.who, body.due, caller.sender, by, at)
    elif body.step == "task_done":
        inquiry.finish_task(store, number, body.task, caller.sender, by, at)
    else:
        act = {"note": inquiry.note, "close": inquiry.close, "reopen": inquiry.reopen}[body.step]
        act(store, number, body.text, caller.sender, by, at)


def _answer(store: Store, number: str, caller: Principal) -> dict[str, Any]:
    investigation = inquiry.investigation_of(store, number, caller.sender)
    if investigation is None:
        raise HTTPException(404)
    return _shown(store, investigation, caller)


def _shown(store: Store, one: Investigation, caller: Principal) -> dict[str, Any]:
    """Write an investigation; what is about consignments of other offices is counted alone."""
    every = [row["consignment_id"] for row in one.entries if row["consignment_id"]]
    hidden = unseen(store, caller, list(dict.fromkeys(every)))
    return {
        "number": one.number, "office": one.office, "title": one.title, "open": one.open,
        "hidden": len(hidden & set(one.values(CONSIGNMENT))),
        "items": [
            {"kind": item.kind, "value": item.value}
            for item in one.items if item.kind != CONSIGNMENT or item.value not in hidden
        ],
        "tasks": [
            {"number": task.number, "text": task.text, "who": task.who, "due": task.due, "done": task.done}
            for task in one.tasks
        ],
        "documents": [
            {"name": paper.name, "media_type": paper.media_type, "size": paper.size, "sha256": paper.sha256,
             "officer": paper.officer, "at": _iso(paper.at)}
            for paper in one.documents
        ],
        "entries": [
            {"at": _iso(row["at"]), "officer": row["officer"], "step": row["step"],
             "consignment_id": row["consignment_id"], "body": row["body"]}
            for row in one.entries if row["consignment_id"] not in hidden
        ],
    }  # fmt: skip


def _iso(at: int) -> str:
    return iso(EPOCH + timedelta(microseconds=at))


def _now() -> datetime:
    return datetime.now(UTC)
