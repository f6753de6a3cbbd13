"""An analyst's pages of one consignment and of one network, and his judgements on two parties."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.moments import micros
from features.outcome import RESULTS, STAGES
from service.access.guard import principal_of
from service.api.live_desk import bundles_of, desk_of
from service.audit.dossier import dossier
from service.console import consignment_view as view
from service.console import page_queries as reading
from service.console.list_query import ListQuery, list_query
from service.console.pictures import waterfall, web
from service.console.reason_words import BY_NAME, evidence_in, in_words
from service.console.rendering import address_of, form_of, kinds_of, language_of, now, page, text_of, to
from service.console.search_pages import place_of_search
from service.console.translations import in_language
from service.officers.assignments import holders
from service.officers.cases import STEPS, case_of
from service.officers.investigations import CONSIGNMENT, Item, holding
from service.officers.offices import unseen
from service.officers.overrides import overrides_of
from service.officers.search import LARGEST_PAGE, NETWORK, Asked, search
from service.orientation.lanes import Lane
from service.parties import stored_parties as parties
from service.record.numbers_meant import number_meant
from service.record.search_index import PARTY
from service.record.search_keys import searched_fields
from service.record.standing import standing
from service.scoring.explanation import Language
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
SENDERS_KEYS = ("consignor_phone", "consignor_email", "consignor_name")
ADDRESSEES_KEYS = ("consignee_phone", "consignee_email", "consignee_name")
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
    if investigation := text_of(form, "investigation"):
        return to(f"/console/investigations/{quote(investigation, safe='')}#links")
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
    request: Request,
    consignment_id: str,
    fault: str = "",
    typed: FormData | None = None,
    done: str = "",
    link: str = "",
) -> Response:
    """Show the page of a consignment.

    fault: why a form was refused. typed: what stands in its forms. done: what was done. link: for the right holder.
    """
    desk, language, offices = desk_of(request), language_of(request), principal_of(request).offices
    store = desk.journal.store
    consignment_id = number_meant(store, consignment_id)
    newest = require_visible(request, store, consignment_id)
    found = dossier(store, bundles_of(request), consignment_id, offices)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    entry = next((one for one in found["decisions"][::-1] if newest and _is(one, newest)), None)
    body = (found["declarations"][-1]["declared"] if found["declarations"] else None) or {}
    problems = [(one["field"], one["problem"]) for one in (newest or {}).get("data_problems", [])]
    network = (newest or {}).get("network_id") or (newest or {}).get("party_id")
    overrides = overrides_of(store, consignment_id)
    places = {name: place_of_search(store.pseudonyms, *key) for name, key in searched_fields(body).items()}
    reasons = in_words((newest or {}).get("reasons", []), language, desk.policy.rules)
    plain, lower = view.others_of(reasons, language)
    case = case_of(store, consignment_id)
    family = _seen_by(request, reading.siblings(store, network, consignment_id))
    return page(
        request, "consignment", 422 if fault else 200, consignment_id=consignment_id, decision=newest, fault=fault,
        place=address_of(consignment_id), query=_list_of(request, typed), broad=True, stages=STAGES,
        stands=standing(newest, overrides) if newest else None, overrides=overrides, lanes=tuple(Lane.__members__),
        by_kind=view.by_kind((newest or {}).get("risk_by_kind"), kinds_of(request)),
        taken_by=holders(store, [consignment_id]).get(consignment_id), worth=reading.euro_of(body),
        due=reading.due(store, [consignment_id]).get(consignment_id), network=network,
        addressee=parties.addressee_network(store, body, offices),
        acts=view.acts_of(reasons, language), plain=plain, lower=lower, sender_place=places.get("consignor_name"),
        addressee_place=places.get("consignee_name"), goods=view.goods_lines(body),
        groups=view.declared_groups(body, dict(problems), places, language),
        goods_odd=view.odd_of_lines(problems, language), label=partial(view.label, language=language),
        past=view.past_of(_parcels_of(request, body, SENDERS_KEYS, (newest or {}).get("party_id"))), siblings=family,
        addressee_past=view.past_of(_parcels_of(request, body, ADDRESSEES_KEYS)),
        similar=_seen_by(request, reading.similar(store, body, consignment_id)), alike_from=reading.ALIKE,
        case=case, link=link, steps=STEPS[1:], findings=kinds_of(request).codes,
        inquiries=holding(store, Item(CONSIGNMENT, consignment_id), principal_of(request).sender),
        results=reading.results(store, [consignment_id])[consignment_id], choices=(RESULTS, kinds_of(request).codes),
        events=reading.events(store, consignment_id, language, offices), typed=typed_in(typed or FormData()),
        **_weights(entry["explanation"] if entry else {}, language),
        **({"toast": {"done": done, "of": consignment_id}} if done else {}),
    )  # fmt: skip


def _parcels_of(
    request: Request, body: dict[str, Any], stated_as: tuple[str, ...], party: str | None = None
) -> list[dict[str, Any]]:
    """The latest parcels of one side: as linked or, where that is off, with the same telephone, mailbox or name."""
    stated = searched_fields(body)
    keys = [(party, [PARTY])] if party else [stated[name] for name in stated_as if name in stated]
    if not keys:
        return []
    key, kinds = keys[0]
    asked = Asked(key, tuple(kinds), at_most=LARGEST_PAGE)
    return search(desk_of(request).journal.store, asked, principal_of(request).sender).consignments


def _list_of(request: Request, typed: FormData | None) -> ListQuery | None:
    """The list that led to a page, as its address or the form that was refused says."""
    return list_query(str(request.query_params)) or list_query(text_of(typed or FormData(), "list"))


def _weights(explained: dict[str, Any], language: Language) -> dict[str, Any]:
    """What each input contributed, as a picture and as a table; why not, where nothing says it."""
    if "contributions" not in explained:
        return {"picture": None, "weights": [], "no_weights": explained.get("note", "")}
    say = in_language(language, "say")
    weights = [
        {**one, "value": evidence_in(one["value"], language),
         "meaning": BY_NAME[one["code"]].words[language] if one["code"] in BY_NAME else one["code"]}
        for one in explained["contributions"]
    ]  # fmt: skip
    shares = [(one["meaning"], one["contribution"]) for one in weights]
    picture = waterfall(explained["expected_margin"], shares, say("usual"), say("rest"), say("this_one"))
    return {"picture": picture, "weights": weights, "no_weights": ""}


def typed_in(form: FormData) -> dict[str, Any]:
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


def _names(request: Request, network_id: str) -> dict[str, str]:
    """What the parties of a network call themselves, of the latest parcels that the caller sees."""
    store, reader = desk_of(request).journal.store, principal_of(request).sender
    parties = search(store, Asked(network_id, (NETWORK,)), reader).parties
    return {one["party_id"]: one["sender"] for one in parties if one["sender"]}


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
        names=_names(request, found["network_id"]),
        everything=place_of_search(desk_of(request).journal.store.pseudonyms, found["network_id"], ["network"]),
        shown=SHOWN_LINKS,
        fault=fault,
        siblings=_seen_by(request, reading.siblings(desk_of(request).journal.store, found["network_id"], "")),
    )  # fmt: skip
