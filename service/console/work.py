"""An analyst's pages: the queue, one consignment, one network; and what he says there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.contract import gate_outcomes
from features.fault import Fault
from features.outcome import FINDINGS, RESULTS, STAGES
from service import parties
from service.access.guard import principal_of
from service.api.live import desk_of
from service.api.models import outcome_rows
from service.console import reading
from service.console.pages import form_of, language_of, now, page, text_of, to
from service.console.pictures import waterfall, web
from service.console.words import in_language
from service.dossier import dossier
from service.orientation.lanes import Lane
from service.overrides import override as override_lane
from service.overrides import overrides_of
from service.queue import Stage, queue, since_of
from service.records import micros
from service.store import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
A_PAGE = 50
SHOWN_LINKS = 12  # of a network; the rest is folded away


@router.get("/console/queue")
def queue_page(
    request: Request,
    office: Annotated[str, Query(max_length=100)] = "",
    stage: Stage = "clearance",
    lane: Annotated[str, Query(max_length=10)] = "",
    beyond: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """What waits at an office; a browser asks for the list alone every while."""
    store, principal, language = desk_of(request).journal.store, principal_of(request), language_of(request)
    offices = [one for one in reading.offices(store) if principal.sees(one)]
    office = office or (offices[0] if offices else "")
    if not principal.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    chosen = lane if lane in Lane.__members__ else None
    waits = queue(store, office, stage, since_of(now().date()), clearance=chosen, at_most=A_PAGE + 1, beyond=beyond)
    numbers = [one["consignment_id"] for one in waits[:A_PAGE]]
    said, due = reading.declared(store, numbers), reading.due(store, numbers)
    rows = [
        {
            **one,
            "goods": reading.goods_of(said.get(one["consignment_id"])),
            "sender": (said.get(one["consignment_id"]) or {}).get("consignor_name"),
            "reasons": reading.in_words(one["reasons"], language),
            "place": address_of(one["consignment_id"]),
            "due": due.get(one["consignment_id"]),
        }
        for one in waits[:A_PAGE]
    ]
    asked = {"office": office, "stage": stage, "lane": lane}
    part = "queue_rows" if request.headers.get("hx-request") else "queue"
    return page(
        request, part, rows=rows, offices=offices, office=office, stage=stage, lane=lane, stages=STAGES,
        lanes=tuple(Lane.__members__), beyond=beyond, more=len(waits) > A_PAGE,
        here="?" + urlencode(asked | {"beyond": beyond}),
        before="?" + urlencode(asked | {"beyond": max(0, beyond - A_PAGE)}),
        after="?" + urlencode(asked | {"beyond": beyond + A_PAGE}),
    )  # fmt: skip


@router.get("/console/consignments/{consignment_id:path}")
def consignment_page(request: Request, consignment_id: str, told: str = "") -> Response:
    """Everything about one consignment."""
    return _consignment(request, consignment_id, told=told if told in ("recorded", "repeated") else "")


@router.post("/console/consignments/{consignment_id:path}/override")
def override(request: Request, consignment_id: str, form: Form) -> Response:
    """Another lane, with a reason."""
    store = desk_of(request).journal.store
    _mine(request, store, consignment_id)
    given = (text_of(form, name) for name in ("decision_id", "clearance", "reason"))
    decision_id, clearance, reason = given
    try:
        override_lane(store, decision_id, clearance, principal_of(request).name, reason, now(), of=consignment_id)
    except Fault as fault:
        return _consignment(request, consignment_id, fault=str(fault))
    return to(address_of(consignment_id))


@router.post("/console/consignments/{consignment_id:path}/outcome")
def enter_outcome(request: Request, consignment_id: str, form: Form) -> Response:
    """An inspection result; it counts with how the consignment had been chosen."""
    desk, principal = desk_of(request), principal_of(request)
    decision = _mine(request, desk.journal.store, consignment_id)
    chosen = {} if decision is None else _selection(decision, desk.journal.store)
    row: dict[str, Any] = {
        "consignment_id": consignment_id, "known_at": now().isoformat(), "stage": text_of(form, "stage") or None,
        "result": text_of(form, "result"), "officer": principal.name, **chosen,
        "findings": ";".join(str(one) for one in form.getlist("findings")) or None,
        "criminal_link": "true" if form.get("criminal_link") else None,
        "items_found": text_of(form, "items_found") or None,
        "right_holder": text_of(form, "right_holder") or None,
    }  # fmt: skip
    gated = gate_outcomes(outcome_rows({"outcomes": [row]})[0])
    if gated.refused.height:
        why = gated.refused.row(0, named=True)
        return _consignment(request, consignment_id, fault=f"{why['field']}: {why['reason']}; {why['remedy']}")
    received = desk.journal.learn(gated.accepted)
    return to(f"{address_of(consignment_id)}?told={'recorded' if received.recorded else 'repeated'}")


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
            principal_of(request).name, reason, micros(now()),
        )  # fmt: skip
    except Fault as fault:
        return _network(request, code, str(fault))
    return to(f"/console/networks/{code}")


def address_of(consignment_id: str) -> str:
    """Where its page is, whatever characters its number holds."""
    return f"/console/consignments/{quote(consignment_id, safe='')}"


def _mine(request: Request, store: Store, consignment_id: str) -> dict[str, Any] | None:
    """Its newest decision; 404 where there is nothing, or it is of an office that is not one's own."""
    decisions = desk_of(request).journal.decisions_on(consignment_id)
    if decisions:
        if not principal_of(request).sees(decisions[0].get("office")):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return decisions[0]
    if not reading.declared(store, [consignment_id]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return None


def _selection(decision: dict[str, Any], store: Store) -> dict[str, Any]:
    """How it was chosen; unknown where nothing but an analyst's own word chose it."""
    overridden = any(one["counts"] for one in overrides_of(store, decision["consignment_id"]))
    if decision["selection"] == "none" or (overridden and decision["selection"] != "random"):
        return {"selection": "unknown"}
    return {"selection": decision["selection"], "selection_probability": decision["selection_probability"]}


def _consignment(request: Request, consignment_id: str, told: str = "", fault: str = "") -> Response:
    desk, language = desk_of(request), language_of(request)
    store = desk.journal.store
    newest = _mine(request, store, consignment_id)
    found = dossier(store, desk.model, consignment_id)
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
    return page(
        request, "consignment", 422 if fault else 200, consignment_id=consignment_id, decision=newest, odd=odd,
        reasons=reading.in_words((newest or {}).get("reasons", []), language), picture=picture, weights=weights,
        fields=[(name, value) for name, value in body.items() if name != "goods" and value not in (None, "")],
        due=reading.due(store, [consignment_id]).get(consignment_id),
        goods=body.get("goods") or [], network=network, lanes=tuple(Lane.__members__), told=told, fault=fault,
        siblings=_seen_by(request, reading.siblings(store, network, consignment_id)),
        similar=_seen_by(request, reading.similar(store, body, consignment_id)),
        results=reading.results(store, [consignment_id])[consignment_id], choices=(RESULTS, FINDINGS),
        overrides=overrides_of(store, consignment_id), place=address_of(consignment_id), stages=STAGES,
    )  # fmt: skip


def _seen_by(request: Request, others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Other consignments, of the offices that are one's own, with where their pages are."""
    sees = principal_of(request).sees
    return [{**one, "place": address_of(one["consignment_id"])} for one in others if sees(one.get("office"))]


def _is(entry: dict[str, Any], decision: dict[str, Any]) -> bool:
    return bool(entry["decision"].get("decision_id") == decision["decision_id"])


def _network(request: Request, code: str, fault: str = "") -> Response:
    try:
        found = parties.network(desk_of(request).journal.store, code)
    except Fault:
        found = None
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    said = {tuple(sorted((one["one"], one["other"]))) for one in found["judgements"] if one["counts"]}
    links = [
        {**link, "judged": tuple(sorted((link["one"], link["other"]))) in said}
        for link in sorted(found["links"], key=lambda link: -link["bits"])
    ]
    return page(
        request, "network", 422 if fault else 200, network=found, links=links, picture=web(found), code=code,
        shown=SHOWN_LINKS,
        fault=fault,
        siblings=_seen_by(request, reading.siblings(desk_of(request).journal.store, found["network_id"], "")),
    )  # fmt: skip
