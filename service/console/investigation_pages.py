"""Investigations in the console: all of them, one on one screen, and what officers do there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.access.read_log import SEALED_KINDS
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.detaining import detained_by
from service.console.investigation_picture import picture_of
from service.console.investigation_words import entry_in_words, item_in_words
from service.console.rendering import (
    address_of,
    form_of,
    form_of_many,
    form_with_file,
    kinds_of,
    language_of,
    now,
    page,
    text_of,
    to,
)
from service.console.report_pages import parcels_of
from service.console.search_pages import place_of_search
from service.officers import investigations as inquiry
from service.officers.cases import detain
from service.officers.investigation_view import (
    KEPT_WITH_KINDS,
    Gathered,
    further_items,
    gathered,
    items_of_list,
    items_of_network,
    items_of_search,
)
from service.officers.investigations import CONSIGNMENT, KEY, LIST, PARTY, Investigation, Item
from service.officers.overrides import override_lane
from service.parties.list_matches import PREVIEW, matches_of
from service.parties.report_clusters import cluster_of
from service.record.numbers_meant import number_meant
from service.record.search_index import catch_up
from service.record.standing import with_standing
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
FormOfMany = Annotated[FormData, Depends(form_of_many)]
FormWithFile = Annotated[FormData, Depends(form_with_file)]
HERE = "/console/investigations"
EVENTS_SHOWN, LINKS_SHOWN = 80, 12
OF_ITEM = {PARTY: "/console/networks/", LIST: "/console/lists/"}


@router.get(HERE)
def investigations_page(request: Request) -> Response:
    """Every investigation of the offices that one sees."""
    return _all(request)


@router.post(HERE)
def begin_investigation(request: Request, form: Form) -> Response:
    """Open one, of nothing yet or of what the page was about on which it was asked for."""
    store, me = desk_of(request).journal.store, principal_of(request)
    try:
        items, title = _asked_items(request, form)
        title = text_of(form, "title") or title
        number = inquiry.open_investigation(store, title[: inquiry.LONGEST_TITLE], items, me.sender, me.name, now())
    except Fault as fault:
        return _all(request, str(fault))
    return to(place_of_one(number))


@router.get(HERE + "/{number}")
def investigation_page(request: Request, number: str) -> Response:
    """One investigation on one screen."""
    return show_investigation(request, number)


@router.post(HERE + "/{number}")
def act_in_investigation(request: Request, number: str, form: FormOfMany) -> Response:
    """Note, give a task, add, leave out, ask for checks, detain, close or open again."""
    act = ACTS.get(text_of(form, "what"))
    if act is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        act(request, number, form)
    except Fault as fault:
        return show_investigation(request, number, str(fault))
    return to(place_of_one(number, text_of(form, "then")))


def _all(request: Request, fault: str = "") -> Response:
    found = inquiry.investigations(desk_of(request).journal.store, principal_of(request).sender)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    return page(request, "investigations", status, rows=found, fault=fault)


def _asked_items(request: Request, form: FormData) -> tuple[list[Item], str]:
    """Say what an investigation is opened of, and what it is called where nobody says."""
    store, reader = desk_of(request).journal.store, principal_of(request).sender
    catch_up(store)  # what was decided a moment ago is found too
    if number := text_of(form, "consignment"):
        number = number_meant(store, number)
        decided = desk_of(request).journal.decisions_on(number)
        codes = [code for one in decided[:1] if (code := one.get("network_id") or one.get("party_id"))]
        return [Item(CONSIGNMENT, number), *(Item(PARTY, code) for code in codes)], number
    if code := text_of(form, "party"):
        return items_of_network(store, code, reader), code
    if list_id := text_of(form, "list"):
        found = matches_of(store, list_id, _whole(form, "version"), now() - PREVIEW)
        if found is None:
            raise Fault("list: no such version is on record")
        return items_of_list(store, list_id, found.sides, reader), list_id
    if code := text_of(form, "cluster"):
        cluster = cluster_of(store, code)
        if cluster is None:
            raise Fault("cluster: these reports are no cluster any more")
        numbers = parcels_of(store, cluster, now())
        lists = [Item(LIST, list_id) for list_id in cluster.lists]
        return [*lists, *items_of_list(store, cluster.lists[0], numbers, reader)], cluster.label
    if sealed := text_of(form, "sealed"):
        try:
            key, *kinds = store.pseudonyms.unsealed(sealed).split(SEALED_KINDS)
        except ValueError:
            raise HTTPException(HTTPStatus.NOT_FOUND) from None
        return items_of_search(store, key, kinds, reader), key
    return [], ""


def required(request: Request, number: str) -> Investigation:
    """Return an investigation of the reader's offices; 404 for any other."""
    store, reader = desk_of(request).journal.store, principal_of(request).sender
    investigation = inquiry.investigation_of(store, number, reader)
    if investigation is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return investigation


def show_investigation(request: Request, number: str, fault: str = "") -> Response:
    """Return the page of an investigation, with what could not be done."""
    journal, me, language = desk_of(request).journal, principal_of(request), language_of(request)
    store, investigation = journal.store, required(request, number)
    found = gathered(store, investigation, me.sender)
    decisions = {
        one.consignment_id: next(iter(journal.decisions_on(one.consignment_id)), None) for one in found.parcels
    }
    numbers = [one.consignment_id for one in found.parcels]
    lists = {
        given: [str(reason["evidence"]) for reason in (decision or {}).get("reasons", []) if _of_list(reason)]
        for given, decision in decisions.items()
    }
    place = partial(_place_of, store)
    return page(
        request, "investigation", 422 if fault else 200, one=investigation, found=found, fault=fault, broad=True,
        picture=picture_of(found, lists, place, address_of), lists=lists, results=reading.results(store, numbers),
        further=further_items(store, found, investigation, me.sender), links=_links(found),
        others=[_item(store, item, language) for item in investigation.items if item.kind != CONSIGNMENT],
        events=_events(store, investigation, numbers, request), place=place, shown=LINKS_SHOWN,
        findings=kinds_of(request).codes,
    )  # fmt: skip


def _of_list(reason: dict[str, Any]) -> bool:
    return str(reason["code"]).partition(".")[0] == "list" and bool(reason.get("evidence"))


def _links(found: Gathered) -> list[dict[str, Any]]:
    judged = {
        tuple(sorted((one["one"], one["other"]))) for of in found.networks for one in of["judgements"] if one["counts"]
    }
    links = {
        (link["one"], link["other"]): {**link, "judged": tuple(sorted((link["one"], link["other"]))) in judged,
                                       "network": of["network_id"]}
        for of in found.networks for link in of["links"]
    }  # fmt: skip
    return sorted(links.values(), key=lambda link: -link["bits"])


def _item(store: Store, item: Item, language: Any) -> dict[str, str]:
    key, *kinds = item.value.split(KEPT_WITH_KINDS)
    leads = _place_of(store, key, *kinds) if item.kind == KEY else f"{OF_ITEM[item.kind]}{quote(item.value, safe='')}"
    return {"kind": item.kind, "value": item.value, "text": item_in_words(item, language), "place": leads}


def _place_of(store: Store, key: str, *kinds: str) -> str:
    return place_of_search(store.pseudonyms, key, kinds)


def _events(store: Store, investigation: Investigation, numbers: list[str], request: Request) -> list[dict[str, Any]]:
    """What was noted and what happened to its parcels, the latest first."""
    language, offices = language_of(request), principal_of(request).offices
    noted = [
        {"at": row["at"], "title": entry_in_words(row, language), "by": row["officer"], "of": "", "details": []}
        for row in investigation.entries
    ]
    happened = [
        {**event, "by": "", "of": number}
        for number in numbers[:EVENTS_SHOWN] for event in reading.events(store, number, language, offices)
        if event["kind"] != "investigation"
    ]  # fmt: skip
    return sorted([*noted, *happened], key=lambda one: -one["at"])[:EVENTS_SHOWN]


def place_of_one(number: str, part: str = "") -> str:
    """Return the address of an investigation, at one of its parts."""
    return f"{HERE}/{quote(number, safe='')}{f'#{part}' if part.isalnum() else ''}"


def _whole(form: FormData, name: str) -> int:
    text = text_of(form, name)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _note(request: Request, number: str, form: FormData) -> None:
    me = principal_of(request)
    inquiry.note(desk_of(request).journal.store, number, text_of(form, "text"), me.sender, me.name, now())


def _give_task(request: Request, number: str, form: FormData) -> None:
    me, store = principal_of(request), desk_of(request).journal.store
    text, who, due = (text_of(form, name) for name in ("text", "who", "due"))
    inquiry.give_task(store, number, text, who, due, me.sender, me.name, now())


def _finish_task(request: Request, number: str, form: FormData) -> None:
    me = principal_of(request)
    inquiry.finish_task(desk_of(request).journal.store, number, _whole(form, "task"), me.sender, me.name, now())


def _close(request: Request, number: str, form: FormData) -> None:
    me = principal_of(request)
    inquiry.close(desk_of(request).journal.store, number, text_of(form, "text"), me.sender, me.name, now())


def _reopen(request: Request, number: str, form: FormData) -> None:
    me = principal_of(request)
    inquiry.reopen(desk_of(request).journal.store, number, text_of(form, "text"), me.sender, me.name, now())


def _add(request: Request, number: str, form: FormData) -> None:
    """What is asked for by its kind, or a key that is searched for."""
    store, me = desk_of(request).journal.store, principal_of(request)
    items, _ = _asked_items(request, form)
    if key := text_of(form, "key"):
        items = items_of_search(store, key, [], me.sender)
    inquiry.add_items(store, number, items, me.sender, me.name, now())


def _widen(request: Request, number: str, form: FormData) -> None:  # noqa: ARG001 - one signature for all acts
    """Add all parcels of its networks."""
    store, me = desk_of(request).journal.store, principal_of(request)
    investigation = required(request, number)
    items = further_items(store, gathered(store, investigation, me.sender), investigation, me.sender)
    room = inquiry.MOST_ITEMS - len(investigation.items)
    inquiry.add_items(store, number, items[:room], me.sender, me.name, now())


def _leave_out(request: Request, number: str, form: FormData) -> None:
    me, item = principal_of(request), Item(text_of(form, "kind"), text_of(form, "value"))
    inquiry.leave_out(desk_of(request).journal.store, number, item, me.sender, me.name, now())


def _marked(request: Request, number: str, form: FormData) -> tuple[Investigation, list[str]]:
    """The parcels that a form marks, of those that the investigation holds and the reader sees."""
    store, investigation = desk_of(request).journal.store, required(request, number)
    seen = {one.consignment_id for one in gathered(store, investigation, principal_of(request).sender).parcels}
    marked = [str(one) for one in form.getlist("number") if str(one) in seen]
    if not marked:
        raise Fault("consignment_id: mark at least one")
    return investigation, list(dict.fromkeys(marked))


def _ask_for_checks(request: Request, number: str, form: FormData) -> None:
    """Let each parcel that is marked be opened: the red lane, with the investigation as its reason."""
    journal, me, at = desk_of(request).journal, principal_of(request), now()
    investigation, marked = _marked(request, number, form)
    newest = [one for given in marked if (one := next(iter(journal.decisions_on(given)), None)) is not None]
    for decision in with_standing(journal.store, newest):
        if decision["standing_clearance"] != "red":
            reason = f"{investigation.number}: {investigation.title}"
            override_lane(
                journal.store, decision["decision_id"], "red", me.name, reason, at, decision["consignment_id"]
            )


def _detain(request: Request, number: str, form: FormData) -> None:
    """Detain each parcel that is marked and has no case yet."""
    desk = desk_of(request)
    investigation, marked = _marked(request, number, form)
    held = gathered(desk.journal.store, investigation, principal_of(request).sender).cases
    for given in marked:
        if given not in held:
            detain(desk.journal, detained_by(request, given, form), desk.policy.tracks)


Act = Callable[[Request, str, FormData], None]
ACTS: dict[str, Act] = {
    "note": _note, "task": _give_task, "task_done": _finish_task, "close": _close, "reopen": _reopen, "add": _add,
    "widen": _widen, "leave_out": _leave_out, "check": _ask_for_checks, "detain": _detain,
}  # fmt: skip
