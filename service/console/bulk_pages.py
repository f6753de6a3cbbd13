"""One result for many parcels: those marked in a list or those of a network, each on record by itself."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import micros
from features.outcome import RESULTS, STAGES
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.analyst_pages import typed_in
from service.console.list_query import list_query
from service.console.officer_acts import GRACE, UNDO, how_chosen, record_results, result_row, undoing
from service.console.phrases import fault_in
from service.console.queue_page import HERE
from service.console.rendering import address_of, form_of_many, kinds_of, language_of, now, page, text_of, to
from service.officers.assignments import holders
from service.officers.offices import unseen
from service.officers.search import LARGEST_PAGE, NETWORK, Asked, search
from service.record.numbers_meant import numbers_meant
from service.record.standing import with_standing
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of_many)]
AT_ONCE = LARGEST_PAGE  # parcels that one result may be for


@router.post("/console/bulk")
def bulk_page(request: Request, form: Form) -> Response:
    """Show which parcels one result would be for, before it is entered."""
    return _preview(request, form)


@router.post("/console/bulk/results")
def enter_bulk_results(request: Request, form: Form) -> Response:
    """Record the same result of each parcel that is marked, all or none."""
    store, principal, at = desk_of(request).journal.store, principal_of(request), now()
    try:
        numbers = _marked(request, store, form)
    except Fault as lacking:
        return _preview(request, form, str(lacking))
    decisions = {number: next(iter(desk_of(request).journal.decisions_on(number)), None) for number in numbers}
    rows = [result_row(form, one, principal.name, at, how_chosen(decisions[one], store)) for one in numbers]
    received, fault = record_results(request, rows)
    if received is None:
        return _preview(request, form, fault)
    done = urlencode({"done": "recorded_many", "of": len(rows)})
    if network := text_of(form, "network"):
        return to(f"/console/networks/{quote(network, safe='')}?{done}")
    query = list_query(text_of(form, "list"))
    return to(f"{HERE}?{f'{query.with_(beyond=query.beyond)}&' if query else ''}{done}")


@router.post("/console/bulk/undo")
def undo_bulk_results(request: Request, form: Form) -> Response:  # noqa: ARG001 - checks the token
    """Take back, for a minute, the results that one has last entered at once; all of them or none."""
    store = desk_of(request).journal.store
    numbers = reading.entered_last(store, principal_of(request).name, micros(now() - UNDO - GRACE))
    try:
        if not numbers or unseen(store, principal_of(request), numbers):
            raise Fault("undo: the minute is over, or another result has come since; enter the right result")
        received, fault = record_results(request, [undoing(request, store, number)[1] for number in numbers])
        if received is None:
            raise Fault(fault)
    except Fault as refused:
        detail = fault_in(str(refused), language_of(request))
        return page(request, "error", HTTPStatus.CONFLICT, detail=detail, errors=[])
    return to(f"{HERE}?{urlencode({'done': 'withdrawn_many', 'of': len(numbers)})}")


def _marked(request: Request, store: Store, form: FormData) -> list[str]:
    """The parcels that a form marks, each once; raises Fault, and 404 for one that is in part another office's."""
    written = list(dict.fromkeys(str(one) for one in form.getlist("number")))
    if not 1 <= len(written) <= AT_ONCE:
        raise Fault(f"consignment_id: mark from 1 to {AT_ONCE}")
    numbers = list(dict.fromkeys(numbers_meant(store, written).values()))
    if unseen(store, principal_of(request), numbers) or len(reading.declared(store, numbers)) < len(numbers):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return numbers


def _preview(request: Request, form: FormData, fault: str = "") -> Response:
    """The parcels of a network or those marked, with what one has to know of each, and the form of a result."""
    store, network, me = desk_of(request).journal.store, text_of(form, "network"), principal_of(request)
    if network and not form.getlist("number"):
        listed = search(store, Asked(network, (NETWORK,), at_most=AT_ONCE), me.sender)
        numbers = [one["consignment_id"] for one in listed.consignments]
        more = listed.total - len(numbers)
    else:
        try:
            numbers, more = _marked(request, store, form), 0
        except Fault as lacking:
            numbers, more, fault = [], 0, str(lacking)
    rows = _rows(request, numbers)
    if network and not form.getlist("number") and not rows:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return page(
        request, "bulk", HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK, rows=rows, more=more,
        network=network, fault=fault, query=list_query(text_of(form, "list")), typed=typed_in(form),
        choices=(RESULTS, kinds_of(request).codes), stages=STAGES, minutes=UNDO // timedelta(minutes=1), broad=True,
        marked=set(numbers) if fault else {row["consignment_id"] for row in rows if row["open"]},
    )  # fmt: skip


def _rows(request: Request, numbers: list[str]) -> list[dict[str, Any]]:
    """A line for each parcel; open: nothing was found of it yet, and nobody else works on it.

    What a network has in the archive alone is shown and cannot be marked: no result can be entered of it here.
    """
    journal, me = desk_of(request).journal, principal_of(request).name
    newest = {number: next(iter(journal.decisions_on(number)), None) for number in numbers}
    decided = with_standing(journal.store, [decision for decision in newest.values() if decision is not None])
    lanes = {decision["consignment_id"]: decision["standing_clearance"] for decision in decided}
    declarations, found = reading.declared(journal.store, numbers), reading.results(journal.store, numbers)
    taken = holders(journal.store, numbers)
    rows = []
    for number in numbers:
        body, results = declarations.get(number) or {}, found[number]
        by = taken.get(number, "")
        rows.append({
            "consignment_id": number, "place": address_of(number), "lane": lanes.get(number),
            "risk": (newest[number] or {}).get("risk"), "goods": reading.goods_of(body),
            "sender": body.get("consignor_name") or "", "office": body.get("office") or "", "taken_by": by,
            "result": results[0]["result"] if results else "",
            "on_record": number in declarations,
            "open": number in declarations and not results and by in ("", me),
        })  # fmt: skip
    return rows
