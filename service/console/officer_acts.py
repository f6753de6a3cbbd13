"""What an officer does about one consignment: another lane, a result, and taking either back within a minute.

Nothing on the audit log is ever taken out. What is undone stays there, and what follows it counts in its place: of a
lane, the one that stood before; of a result, the one that counted before, and where there was none, one that is
inconclusive, which no model learns from.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import micros
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api.bodies import outcome_rows
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.analyst_pages import require_visible, show_consignment
from service.console.list_query import ListQuery, list_query
from service.console.queue_page import HERE, chosen
from service.console.rendering import address_of, form_of, kinds_of, language_of, now, text_of, to
from service.console.translations import in_language
from service.journal import Received
from service.officers.assignments import holders
from service.officers.overrides import override_lane, overrides_of
from service.officers.work_list import numbers
from service.record.numbers_meant import number_meant
from service.record.result_checks import gate_results
from service.record.standing import standing
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
UNDO = timedelta(seconds=60)
GRACE = timedelta(seconds=5)  # the way of a click to the service
LOOKED_AHEAD = 200  # places of a list in which the next one is looked for


@router.post("/console/consignments/{consignment_id:path}/override")
def override(request: Request, consignment_id: str, form: Form) -> Response:
    """Another lane, with a reason."""
    store = desk_of(request).journal.store
    consignment_id = number_meant(store, consignment_id)
    require_visible(request, store, consignment_id)
    given = (text_of(form, name) for name in ("decision_id", "clearance", "reason"))
    decision_id, clearance, reason = given
    try:
        override_lane(store, decision_id, clearance, principal_of(request).name, reason, now(), consignment_id)
    except Fault as fault:
        return show_consignment(request, consignment_id, fault=str(fault), typed=form)
    return to(_page_of(consignment_id, list_query(text_of(form, "list")), "overridden", consignment_id))


@router.post("/console/consignments/{consignment_id:path}/outcome")
def enter_outcome(request: Request, consignment_id: str, form: Form) -> Response:
    """An inspection result; it counts with how the consignment had been chosen. The next of the list follows."""
    desk, principal = desk_of(request), principal_of(request)
    store = desk.journal.store
    consignment_id = number_meant(store, consignment_id)
    decision = require_visible(request, store, consignment_id)
    row = result_row(form, consignment_id, principal.name, now(), how_chosen(decision, store))
    query = list_query(text_of(form, "list"))
    following = _following(request, query, consignment_id)
    received, fault = record_results(request, [row])
    if received is None:
        return show_consignment(request, consignment_id, fault=fault, typed=form)
    done = "superseding" if received.superseding else "recorded" if received.recorded else "repeated"
    if query is not None and (text_of(form, "then") == "list" or not following):
        at = query.with_(beyond=query.beyond, at=following)
        return to(f"{HERE}?{at}&{_done(done, consignment_id)}")
    return to(_page_of(following or consignment_id, query, done, consignment_id))


@router.post("/console/consignments/{consignment_id:path}/undo")
def undo(request: Request, consignment_id: str, form: Form) -> Response:
    """Take back the result or the lane that one has just entered, for a minute."""
    store, query = desk_of(request).journal.store, list_query(text_of(form, "list"))
    consignment_id = number_meant(store, consignment_id)
    require_visible(request, store, consignment_id)
    try:
        if text_of(form, "what") == "overridden":
            _undo_lane(request, store, consignment_id)
            return to(_page_of(consignment_id, query, "withdrawn", consignment_id))
        entered = _undo_result(request, store, consignment_id)
    except Fault as fault:
        return show_consignment(request, consignment_id, fault=str(fault))
    return show_consignment(request, consignment_id, done="withdrawn", typed=entered)


def _undo_lane(request: Request, store: Store, consignment_id: str) -> None:
    """Put the lane back that stood before one's last override."""
    overrides = overrides_of(store, consignment_id)  # the newest first
    last = overrides[0] if overrides else None
    if last is None or not _just_now(principal_of(request), last["by"], last["at"]):
        raise Fault("undo: the minute is over, or somebody else has changed the lane since; choose a lane again")
    decision = require_visible(request, store, consignment_id)
    if decision is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    before = standing(decision, overrides[1:]).clearance
    undone = in_language(language_of(request), "say")("undone")
    override_lane(store, last["decision_id"], before, last["by"], undone, now(), consignment_id)


def _undo_result(request: Request, store: Store, consignment_id: str) -> FormData:
    """Let the result that counted before one's last one count again; gives what had been entered, as a form has it."""
    last, row = undoing(request, store, consignment_id)
    received, fault = record_results(request, [row])
    if received is None:
        raise Fault(fault)
    plain = [(name, str(last.get(name) or "")) for name in ("stage", "result", "right_holder")]
    pieces = [("items_found", f"{last['items_found']:g}")] if last.get("items_found") is not None else []
    findings = [("findings", kind) for kind in str(last.get("findings") or "").split(";") if kind]
    link = [("criminal_link", "true")] if str(last.get("criminal_link")).lower() == "true" else []
    return FormData([*plain, *pieces, *findings, *link])


def _how_chosen(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result.get(name) for name in ("selection", "selection_probability")}


def _just_now(principal: Principal, by: str, at: int) -> bool:
    return by == principal.name and micros(now() - UNDO - GRACE) <= at


def undoing(request: Request, store: Store, consignment_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """One's last result of a consignment, and the result that counts in its place; raises Fault after the minute."""
    results = reading.results(store, [consignment_id])[consignment_id]  # the newest first
    last = results[0] if results else None
    if last is None or not _just_now(principal_of(request), str(last.get("officer")), last["known_at"]):
        raise Fault("undo: the minute is over, or another result has come since; enter the right result")
    same_stage = [one for one in results[1:] if one.get("stage") == last.get("stage")]
    former = same_stage[0] if same_stage else {**_how_chosen(last), "result": "inconclusive"}
    again = {name: value for name, value in former.items() if value is not None}
    row = {**again, "consignment_id": consignment_id, "stage": last.get("stage"), "known_at": now().isoformat(),
           "officer": principal_of(request).name}  # fmt: skip
    return last, row


def result_row(
    form: FormData, consignment_id: str, officer: str, at: datetime, chosen_by: dict[str, Any]
) -> dict[str, Any]:
    """What a form says of one consignment, as the gate of results reads it."""
    return {
        "consignment_id": consignment_id, "known_at": at.isoformat(), "stage": text_of(form, "stage") or None,
        "result": text_of(form, "result"), "officer": officer, **chosen_by,
        "findings": ";".join(str(one) for one in form.getlist("findings")) or None,
        "criminal_link": "true" if form.get("criminal_link") else None,
        "items_found": text_of(form, "items_found") or None,
        "right_holder": text_of(form, "right_holder") or None,
    }  # fmt: skip


def record_results(request: Request, rows: list[dict[str, Any]]) -> tuple[Received | None, str]:
    """Record results, all or none; None, and their faults in words, a line each, where one of them cannot be."""
    journal = desk_of(request).journal
    gated = gate_results(outcome_rows({"outcomes": rows})[0], journal.store, kinds=kinds_of(request))
    if gated.refused.height:
        faults = gated.faults.select("field", "reason", "remedy").iter_rows()
        return None, "\n".join(dict.fromkeys(f"{field}: {reason}; {remedy}" for field, reason, remedy in faults))
    return journal.sent_by(principal_of(request).sender).learn(gated.accepted), ""


def _following(request: Request, query: ListQuery | None, consignment_id: str) -> str:
    """The one after a consignment in a list, or the first of it, that nobody else has taken; empty where none waits."""
    if query is None:
        return ""
    store, me = desk_of(request).journal.store, principal_of(request)
    waits = numbers(store, chosen(request, query), query.beyond + LOOKED_AHEAD, kinds_of(request))
    place = waits.index(consignment_id) if consignment_id in waits else -1
    candidates = [number for number in (*waits[place + 1 :], *waits[: max(place, 0)]) if number != consignment_id]
    taken = holders(store, candidates)
    return next((number for number in candidates if taken.get(number, me.name) == me.name), "")


def _page_of(consignment_id: str, query: ListQuery | None, done: str, of: str) -> str:
    """The page of a consignment, with the list that led to it, saying what was done of which."""
    of_list = f"{query.with_(beyond=query.beyond)}&" if query is not None else ""
    return f"{address_of(consignment_id)}?{of_list}{_done(done, of)}"


def _done(done: str, of: str) -> str:
    return urlencode({"done": done, "of": of})


def how_chosen(decision: dict[str, Any] | None, store: Store) -> dict[str, Any]:
    """Say how it was chosen; unknown where nothing but an officer's own word chose it."""
    if decision is None:
        return {}
    stands = standing(decision, overrides_of(store, decision["consignment_id"]))
    overridden = stands.override is not None
    if decision["selection"] == "none" or (overridden and decision["selection"] != "random"):
        return {"selection": "unknown"}
    return {"selection": decision["selection"], "selection_probability": decision["selection_probability"]}
