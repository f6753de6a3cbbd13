"""The work list: what waits at an office, arranged by each person, with who works on what."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.outcome import RESULTS, STAGES
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.csv_answer import csv_answer
from service.console.list_query import ListQuery, list_query
from service.console.phrases import fault_in, phrase
from service.console.reason_words import foremost
from service.console.rendering import address_of, form_of, kinds_of, language_of, now, page, text_of, to
from service.console.translations import in_language
from service.officers.assignments import release, take
from service.officers.list_views import keep_view, view_of
from service.officers.offices import is_known_office, unseen
from service.officers.queue import days_shown
from service.officers.work_list import Asked, counted, listed
from service.orientation.lanes import Lane
from service.record.numbers_meant import number_meant

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
HERE = "/console/queue"
A_PAGE = 100
IN_A_FILE = 10_000  # rows of a CSV
COLUMNS = (  # that a person may choose; the number always stands in a list
    *("lane", "risk", "goods", "sender", "from", "value", "reason", "lodged", "taken"),
    *("weight", "network", "due", "chosen_by", "pre_arrival", "addressee", "kind"),
)
STANDARD = COLUMNS[:9]
ORDERED = {"lane": "lane", "risk": "risk", "lodged": "lodged", "number": "number"}  # columns that a list is ordered by


@router.get(HERE)
def queue_page(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """What waits at an office; a browser asks for the list alone every while."""
    store, principal = desk_of(request).journal.store, principal_of(request)
    kept = view_of(store, principal.name, "queue")
    if not {*request.query_params} - {"done", "of"}:
        query = list_query(str(kept.get("query", ""))) or query
    offices = [one for one in reading.offices(store) if principal.sees(one)]
    query = query.model_copy(update={"office": query.office or (offices[0] if offices else "")})
    asked = chosen(request, query)
    kinds = kinds_of(request)
    rows = _rows(request, listed(store, asked, A_PAGE + 1, query.beyond, kinds))
    counts = counted(store, asked, kinds)
    columns = [name for name in kept.get("columns", STANDARD) if name in COLUMNS]
    part = "queue_rows" if request.headers.get("hx-request") else "queue"
    return page(
        request, part, rows=rows[:A_PAGE], more=len(rows) > A_PAGE, query=query, offices=offices, stages=STAGES,
        first=asked.first, last=asked.last, lanes=tuple(reversed(Lane.__members__)), counts=counts, A_PAGE=A_PAGE,
        total=sum(counts.values()), columns=columns, every_column=COLUMNS, ordered=ORDERED, here=HERE,
        holders=("nobody", "me", "others"), choices=(RESULTS, kinds.codes), typed=NOTHING_TYPED,
        broad=True, decision=None,
    )  # fmt: skip


NOTHING_TYPED: dict[str, Any] = dict.fromkeys(
    ("stage", "result", "items_found", "right_holder", "criminal_link", "clearance", "reason"), ""
) | {"findings": []}  # fmt: skip


@router.get(HERE + ".csv")
def queue_csv(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    """The list as a file for a spreadsheet, every column, all its pages."""
    store, language = desk_of(request).journal.store, language_of(request)
    say = in_language(language, "say")
    waits = listed(store, chosen(request, query), IN_A_FILE, kinds=kinds_of(request))
    names = ("number", *COLUMNS)
    rows = [
        [_cell(one, name) for name in names] for one in _rows(request, waits)
    ]  # fmt: skip
    return csv_answer(f"tamis-{query.office}-{query.stage}.csv", [say(f"column_{name}") for name in names], rows)


@router.post(HERE + "/view")
def keep_list_view(request: Request, form: Form) -> Response:
    """Keep columns and choices as the list that opens first."""
    columns = [name for name in COLUMNS if name in form.getlist("columns")]
    query = list_query(text_of(form, "list")) or ListQuery()
    kept = {"columns": columns, "query": str(query.with_(day=""))}
    keep_view(desk_of(request).journal.store, principal_of(request).name, "queue", kept)
    return to(f"{HERE}?{query.with_()}&done=view_kept")


@router.post("/console/consignments/{consignment_id:path}/take")
def take_consignment(request: Request, consignment_id: str, form: Form) -> Response:
    """Take a consignment to work on it."""
    return _assign(request, consignment_id, form, taking=True)


@router.post("/console/consignments/{consignment_id:path}/release")
def release_consignment(request: Request, consignment_id: str, form: Form) -> Response:
    """Let a consignment go again."""
    return _assign(request, consignment_id, form, taking=False)


def _assign(request: Request, consignment_id: str, form: FormData, *, taking: bool) -> Response:
    store, me = desk_of(request).journal.store, principal_of(request)
    number = number_meant(store, consignment_id)
    if unseen(store, me, [number]) or not reading.declared(store, [number]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        (take if taking else release)(store, number, me.name, now())
    except Fault as fault:
        return page(request, "error", HTTPStatus.CONFLICT, detail=fault_in(str(fault), language_of(request)), errors=[])
    done = urlencode({"done": "taken" if taking else "released", "of": number})
    query = list_query(text_of(form, "list"))
    if query is None or text_of(form, "stay"):
        return to(f"{address_of(number)}?{done}" + (f"&{query.with_(beyond=query.beyond)}" if query else ""))
    return to(f"{HERE}?{query.with_(beyond=query.beyond, at=number)}&{done}")


def chosen(request: Request, query: ListQuery) -> Asked:
    """What a query asks of the record; 403 and 404 for an office that is not the caller's or that nobody knows."""
    store, principal, office = desk_of(request).journal.store, principal_of(request), query.office
    if not principal.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    if office and not is_known_office(store, office, {*desk_of(request).policy.capacity.offices, *principal.offices}):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    first, last = days_shown(store, office, query.stage, now().date(), day=query.chosen_day)
    return query.asked(first, last, principal.name)


def _rows(request: Request, waits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a list with what was declared of each; without those that are in part another office's."""
    store, principal, language = desk_of(request).journal.store, principal_of(request), language_of(request)
    rules = desk_of(request).policy.rules
    numbers = [one["consignment_id"] for one in waits]
    hidden = unseen(store, principal, numbers)
    seen = [one for one in waits if one["consignment_id"] not in hidden]
    numbers = [one["consignment_id"] for one in seen]
    declarations, due = reading.declared(store, numbers), reading.due(store, numbers)
    word, kinds = in_language(language, "word"), kinds_of(request)
    rows = []
    for one in seen:
        body = declarations.get(one["consignment_id"]) or {}
        clock, taken_by = due.get(one["consignment_id"]), one["taken_by"]
        cells = {
            "number": one["consignment_id"], "lane": word(one["clearance"]), "risk": one["risk"],
            "goods": reading.goods_of(body), "sender": body.get("consignor_name"), "from": body.get("dispatch_country"),
            "value": reading.euro_of(body), "lodged": one["lodged_at"], "taken": taken_by,
            "reason": foremost(one["reasons"], language, rules),
            "weight": body.get("gross_mass_kg"), "network": one["network_id"], "chosen_by": word(one["selection"]),
            "due": f"{clock.due}: {phrase(clock.text, language)}" if clock else "",
            "addressee": body.get("consignee_name"), "pre_arrival": word(one["pre_arrival"]),
            "kind": kinds.word_of(main, language) if (main := kinds.main_of(one["risk_by_kind"])) else "",
        }  # fmt: skip
        rows.append({**one, "cells": cells, "place": address_of(one["consignment_id"])})
    return rows


def _cell(row: dict[str, Any], name: str) -> Any:
    value = row["cells"][name]
    return "" if value is None else value
