"""An analyst's pages: the queue, one consignment, one network; and what he says there."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import micros
from features.outcome import FINDINGS, RESULTS, STAGES
from service.access.guard import principal_of
from service.api.bodies import outcome_rows
from service.api.live_desk import bundles_of, desk_of
from service.audit.dossier import dossier
from service.console import page_queries as reading
from service.console.pictures import waterfall, web
from service.console.rendering import address_of, form_of, language_of, now, page, text_of, to
from service.console.search_pages import place_of_search
from service.console.translations import in_language
from service.officers.offices import is_known_office, unseen
from service.officers.overrides import override_lane, overrides_of
from service.officers.queue import Stage, days_shown, queue
from service.orientation.lanes import Lane
from service.parties import stored_parties as parties
from service.record.numbers_meant import number_meant
from service.record.result_checks import gate_results
from service.record.search_keys import searched_fields
from service.record.standing import standing
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
A_PAGE = 50
DAY = r"^(\d{4}-\d{2}-\d{2})?$"
SHOWN_LINKS = 12  # of a network; the rest is folded away


@router.get("/console/queue")
def queue_page(
    request: Request,
    office: Annotated[str, Query(max_length=100)] = "",
    stage: Stage = "clearance",
    lane: Annotated[str, Query(max_length=10)] = "",
    beyond: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    day: Annotated[str, Query(pattern=DAY)] = "",
) -> Response:
    """What waits at an office; a browser asks for the list alone every while."""
    store, principal, language = desk_of(request).journal.store, principal_of(request), language_of(request)
    offices = [one for one in reading.offices(store) if principal.sees(one)]
    office = office or (offices[0] if offices else "")
    if not principal.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    if office and not is_known_office(store, office, {*desk_of(request).policy.capacity.offices, *principal.offices}):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    first, last = days_shown(store, office, stage, now().date(), day=_day_of(day))
    chosen = lane if lane in Lane.__members__ else None
    waits = queue(store, office, stage, first, until=last, clearance=chosen, at_most=A_PAGE + 1, beyond=beyond)
    numbers = [one["consignment_id"] for one in waits[:A_PAGE]]
    hidden = unseen(store, principal, numbers)
    numbers = [number for number in numbers if number not in hidden]
    declarations, due = reading.declared(store, numbers), reading.due(store, numbers)
    rows = [
        {
            **one,
            "goods": reading.goods_of(declarations.get(one["consignment_id"])),
            "sender": (declarations.get(one["consignment_id"]) or {}).get("consignor_name"),
            "reasons": reading.in_words(one["reasons"], language),
            "place": address_of(one["consignment_id"]),
            "due": due.get(one["consignment_id"]),
        }
        for one in waits[:A_PAGE]
    ]
    asked = {"office": office, "stage": stage, "lane": lane} | ({"day": day} if day else {})
    part = "queue_rows" if request.headers.get("hx-request") else "queue"
    return page(
        request, part, rows=rows, offices=offices, office=office, stage=stage, lane=lane, stages=STAGES,
        day=day, first=first, last=last, lanes=tuple(Lane.__members__), beyond=beyond, more=len(waits) > A_PAGE,
        here="?" + urlencode(asked | {"beyond": beyond}),
        before="?" + urlencode(asked | {"beyond": max(0, beyond - A_PAGE)}),
        after="?" + urlencode(asked | {"beyond": beyond + A_PAGE}),
    )  # fmt: skip


@router.get("/console/consignments/{consignment_id:path}")
def consignment_page(request: Request, consignment_id: str, outcome: str = "") -> Response:
    """Everything about one consignment."""
    entered = outcome if outcome in ("recorded", "repeated", "superseding") else ""
    return _consignment(request, consignment_id, outcome=entered)


@router.post("/console/consignments/{consignment_id:path}/override")
def override(request: Request, consignment_id: str, form: Form) -> Response:
    """Another lane, with a reason."""
    store = desk_of(request).journal.store
    consignment_id = number_meant(store, consignment_id)
    _require_visible(request, store, consignment_id)
    given = (text_of(form, name) for name in ("decision_id", "clearance", "reason"))
    decision_id, clearance, reason = given
    try:
        override_lane(store, decision_id, clearance, principal_of(request).name, reason, now(), consignment_id)
    except Fault as fault:
        return _consignment(request, consignment_id, fault=str(fault))
    return to(address_of(consignment_id))


@router.post("/console/consignments/{consignment_id:path}/outcome")
def enter_outcome(request: Request, consignment_id: str, form: Form) -> Response:
    """An inspection result; it counts with how the consignment had been chosen."""
    desk, principal = desk_of(request), principal_of(request)
    consignment_id = number_meant(desk.journal.store, consignment_id)
    decision = _require_visible(request, desk.journal.store, consignment_id)
    chosen = {} if decision is None else _selection(decision, desk.journal.store)
    row: dict[str, Any] = {
        "consignment_id": consignment_id, "known_at": now().isoformat(), "stage": text_of(form, "stage") or None,
        "result": text_of(form, "result"), "officer": principal.name, **chosen,
        "findings": ";".join(str(one) for one in form.getlist("findings")) or None,
        "criminal_link": "true" if form.get("criminal_link") else None,
        "items_found": text_of(form, "items_found") or None,
        "right_holder": text_of(form, "right_holder") or None,
    }  # fmt: skip
    gated = gate_results(outcome_rows({"outcomes": [row]})[0], desk.journal.store)
    if gated.refused.height:
        why = gated.refused.row(0, named=True)
        fault = f"{why['field']}: {why['reason']}; {why['remedy']}"
        return _consignment(request, consignment_id, fault=fault, typed=form)
    received = desk.journal.sent_by(principal.sender).learn(gated.accepted)
    outcome = "superseding" if received.superseding else "recorded" if received.recorded else "repeated"
    return to(f"{address_of(consignment_id)}?outcome={outcome}")


@router.get("/console/networks/{code}")
def network_page(request: Request, code: str) -> Response:
    """Parties, links with their evidence, and what officers said of them."""
    return _network(request, code)


@router.post("/console/networks/{code}")
def judge_pair(request: Request, code: str, form: Form) -> Response:
    """Two parties are the same, are not, or the former word is taken back."""
    verdicts = {"same": True, "not_same": False, "unsure": None}
    verdict, reason = text_of(form, "verdict"), text_of(form, "reason")
    try:
        if verdict not in verdicts or not 0 < len(reason) <= 2000:
            raise Fault("reason: say why")
        parties.judge(
            desk_of(request).journal.store, text_of(form, "one"), text_of(form, "other"), verdicts[verdict],
            principal_of(request).name, reason, micros(now()), principal_of(request).offices,
        )  # fmt: skip
    except Fault as fault:
        return _network(request, code, str(fault))
    return to(f"/console/networks/{code}")


def _day_of(text: str) -> date | None:
    """A day as a date field sends it, or none; 422 for one that no calendar has."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY) from None


def _require_visible(request: Request, store: Store, consignment_id: str) -> dict[str, Any] | None:
    """Its newest decision; 404 where there is nothing, or any part of it is of an office that is not one's own."""
    if unseen(store, principal_of(request), [consignment_id]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    decisions = desk_of(request).journal.decisions_on(consignment_id)
    if decisions:
        return decisions[0]
    if not reading.declared(store, [consignment_id]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return None


def _selection(decision: dict[str, Any], store: Store) -> dict[str, Any]:
    """Say how it was chosen; unknown where nothing but an officer's own word chose it."""
    stands = standing(decision, overrides_of(store, decision["consignment_id"]))
    overridden = stands.override is not None
    if decision["selection"] == "none" or (overridden and decision["selection"] != "random"):
        return {"selection": "unknown"}
    return {"selection": decision["selection"], "selection_probability": decision["selection_probability"]}


def _consignment(
    request: Request, consignment_id: str, outcome: str = "", fault: str = "", typed: FormData | None = None
) -> Response:
    desk, language, offices = desk_of(request), language_of(request), principal_of(request).offices
    store = desk.journal.store
    consignment_id = number_meant(store, consignment_id)
    newest = _require_visible(request, store, consignment_id)
    found = dossier(store, bundles_of(request), consignment_id, offices)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    entry = next((one for one in found["decisions"][::-1] if newest and _is(one, newest)), None)
    explained = entry["explanation"] if entry else {}
    picture, weights = None, []
    if "contributions" in explained:
        say = in_language(language, "say")
        weights = [
            {**one, "meaning": reading.BY_NAME[one["code"]].words[language] if one["code"] in reading.BY_NAME else
             one["code"]}
            for one in explained["contributions"]
        ]  # fmt: skip
        shares = [(one["meaning"], one["contribution"]) for one in weights]
        picture = waterfall(explained["expected_margin"], shares, say("usual"), say("rest"), say("this_one"))
    body = (found["declarations"][-1]["declared"] if found["declarations"] else None) or {}
    odd = {one["field"]: one["problem"] for one in (newest or {}).get("data_problems", [])}
    network = (newest or {}).get("network_id") or (newest or {}).get("party_id")
    overrides = overrides_of(store, consignment_id)
    stands = standing(newest, overrides) if newest else None
    return page(
        request, "consignment", 422 if fault else 200, consignment_id=consignment_id, decision=newest, odd=odd,
        reasons=reading.in_words((newest or {}).get("reasons", []), language), picture=picture, weights=weights,
        fields=[(name, value) for name, value in body.items() if name != "goods" and value not in (None, "")],
        searched={
            name: place_of_search(store.pseudonyms, *typed) for name, typed in searched_fields(body).items()
        },
        due=reading.due(store, [consignment_id]).get(consignment_id),
        goods=body.get("goods") or [], network=network, lanes=tuple(Lane.__members__), outcome=outcome, fault=fault,
        addressee=parties.addressee_network(store, body, offices),
        siblings=_seen_by(request, reading.siblings(store, network, consignment_id)),
        similar=_seen_by(request, reading.similar(store, body, consignment_id)),
        results=reading.results(store, [consignment_id])[consignment_id], choices=(RESULTS, FINDINGS),
        overrides=overrides, stands=stands, events=reading.events(store, consignment_id, language, offices),
        no_weights=explained.get("note", ""), place=address_of(consignment_id), stages=STAGES,
        typed=_typed(typed or FormData()),
    )  # fmt: skip


def _typed(form: FormData) -> dict[str, Any]:
    """What a form of a result held when it was refused, to stand in it again."""
    names = ("stage", "result", "items_found", "right_holder", "criminal_link")
    findings = [str(finding) for finding in form.getlist("findings")]
    return {name: text_of(form, name) for name in names} | {"findings": findings}


def _seen_by(request: Request, others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Other consignments, those of which one sees every part, with where their pages are."""
    store, numbers = desk_of(request).journal.store, [one["consignment_id"] for one in others]
    hidden = unseen(store, principal_of(request), numbers)
    return [
        {**one, "place": address_of(one["consignment_id"])} for one in others if one["consignment_id"] not in hidden
    ]


def _is(entry: dict[str, Any], decision: dict[str, Any]) -> bool:
    return bool(entry["decision"].get("decision_id") == decision["decision_id"])


def _network(request: Request, code: str, fault: str = "") -> Response:
    try:
        found = parties.network(desk_of(request).journal.store, code, principal_of(request).offices)
    except Fault:
        found = None
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    judged = {tuple(sorted((one["one"], one["other"]))) for one in found["judgements"] if one["counts"]}
    links = [
        {**link, "judged": tuple(sorted((link["one"], link["other"]))) in judged}
        for link in sorted(found["links"], key=lambda link: -link["bits"])
    ]
    return page(
        request, "network", 422 if fault else 200, network=found, links=links, picture=web(found), code=code,
        shown=SHOWN_LINKS, fault=fault,
        everything=place_of_search(desk_of(request).journal.store.pseudonyms, found["network_id"], ["network"]),
        siblings=_seen_by(request, reading.siblings(desk_of(request).journal.store, found["network_id"], "")),
    )  # fmt: skip
