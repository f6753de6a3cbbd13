"""An analyst's pages of one consignment and of one network, and his judgements on two parties."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import micros
from features.outcome import FINDINGS, RESULTS, STAGES
from service.access.guard import principal_of
from service.api.live_desk import bundles_of, desk_of
from service.audit.dossier import dossier
from service.console import page_queries as reading
from service.console.list_query import list_query
from service.console.pictures import waterfall, web
from service.console.rendering import address_of, form_of, language_of, now, page, text_of, to
from service.console.search_pages import place_of_search
from service.console.translations import in_language
from service.officers.assignments import holders
from service.officers.offices import unseen
from service.officers.overrides import overrides_of
from service.orientation.lanes import Lane
from service.parties import stored_parties as parties
from service.record.numbers_meant import number_meant
from service.record.search_keys import searched_fields
from service.record.standing import standing
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
SHOWN_LINKS = 12  # of a network; the rest is folded away


@router.get("/console/consignments/{consignment_id:path}")
def consignment_page(request: Request, consignment_id: str) -> Response:
    """Everything about one consignment."""
    return show_consignment(request, consignment_id)


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


def require_visible(request: Request, store: Store, consignment_id: str) -> dict[str, Any] | None:
    """Its newest decision; 404 where there is nothing, or any part of it is of an office that is not one's own."""
    if unseen(store, principal_of(request), [consignment_id]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    decisions = desk_of(request).journal.decisions_on(consignment_id)
    if decisions:
        return decisions[0]
    if not reading.declared(store, [consignment_id]):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return None


def show_consignment(
    request: Request, consignment_id: str, fault: str = "", typed: FormData | None = None, done: str = ""
) -> Response:
    """Show the page of a consignment.

    fault: why a form was refused. typed: what stands in its forms. done: what was done.
    """
    desk, language, offices = desk_of(request), language_of(request), principal_of(request).offices
    store = desk.journal.store
    consignment_id = number_meant(store, consignment_id)
    newest = require_visible(request, store, consignment_id)
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
        goods=body.get("goods") or [], network=network, lanes=tuple(Lane.__members__), fault=fault,
        query=list_query(str(request.query_params)) or list_query(text_of(typed or FormData(), "list")),
        taken_by=holders(store, [consignment_id]).get(consignment_id), broad=True,
        **({"toast": {"done": done, "of": consignment_id}} if done else {}),
        siblings=_seen_by(request, reading.siblings(store, network, consignment_id)),
        similar=_seen_by(request, reading.similar(store, body, consignment_id)),
        results=reading.results(store, [consignment_id])[consignment_id], choices=(RESULTS, FINDINGS),
        overrides=overrides, stands=stands, events=reading.events(store, consignment_id, language, offices),
        no_weights=explained.get("note", ""), place=address_of(consignment_id), stages=STAGES,
        typed=_typed(typed or FormData()),
    )  # fmt: skip


def _typed(form: FormData) -> dict[str, Any]:
    """What a form of a result held when it was refused, to stand in it again."""
    names = ("stage", "result", "items_found", "right_holder", "criminal_link", "clearance", "reason")
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
        shown=SHOWN_LINKS,
        fault=fault,
        siblings=_seen_by(request, reading.siblings(desk_of(request).journal.store, found["network_id"], "")),
    )  # fmt: skip
