"""Search in the console: one box on every page; what it finds; and the page of cases.

The address of what was found holds the key sealed: no history of a browser and no log on the way shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.access.read_log import SEALED_KINDS
from service.api.live_desk import desk_of
from service.console import consignment_view as view
from service.console.csv_answer import csv_answer
from service.console.phrases import phrase
from service.console.rendering import address_of, form_of, language_of, page, text_of, to
from service.console.translations import in_language
from service.officers.cases import Case, open_cases
from service.officers.offices import unseen
from service.officers.search import A_PAGE, COUNTED, KINDS, LARGEST_PAGE, LOOKED_AT, Asked, Found, checked, search
from service.officers.statutory_clocks import Clock
from service.store.pseudonyms import Pseudonyms

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
HERE = "/console/search"


@router.get(HERE)
def search_page(request: Request) -> Response:
    """What can be searched for."""
    return _page(request, Asked(""))


@router.post(HERE)
def find(request: Request, form: Form) -> Response:
    """Go to what is found of a key."""
    kind = text_of(form, "kind")
    asked = Asked(text_of(form, "key"), (kind,) if kind else ())
    try:
        key, kinds = checked(asked)
    except Fault as fault:
        return _page(request, asked, fault=str(fault))
    return to(place_of_search(desk_of(request).journal.store.pseudonyms, key, kinds))


@router.get(HERE + "/{sealed}")
def found_page(request: Request, sealed: str, beyond: Annotated[int, Query(ge=0, le=COUNTED - 1)] = 0) -> Response:
    """What is on record of a key."""
    store = desk_of(request).journal.store
    try:
        key, *kinds = store.pseudonyms.unsealed(sealed).split(SEALED_KINDS)
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    asked = Asked(key, tuple(kinds), beyond)
    try:
        return _page(request, asked, search(store, asked, principal_of(request).sender))
    except Fault as fault:
        return _page(request, asked, fault=str(fault))


@router.get(HERE + "/{sealed}/csv")
def found_csv(request: Request, sealed: str) -> Response:
    """The consignments that a key finds, the newest, as a file for a spreadsheet."""
    store = desk_of(request).journal.store
    try:
        key, *kinds = store.pseudonyms.unsealed(sealed).split(SEALED_KINDS)
        found = search(store, Asked(key, tuple(kinds), at_most=LARGEST_PAGE), principal_of(request).sender)
    except (ValueError, Fault):
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    names = ("consignment_id", "lodged_at", "office", "clearance", "result", "sender", "addressee", "goods")
    heading = [view.label(name, language_of(request)) for name in names]
    return csv_answer("tamis-search.csv", heading, ([one[name] for name in names] for one in found.consignments))


@router.get("/console/cases.csv")
def cases_csv(request: Request) -> Response:
    """Open cases as a file for a spreadsheet."""
    language = language_of(request)
    say, word = in_language(language, "say"), in_language(language, "word")
    heading = [say(name) for name in ("column_number", "track", "detained", "right_holder", "due", "what")]
    rows = (
        [case.consignment_id, word(case.track.name), str(case.noted["detained"]), case.right_holder,
         str(due.due) if due else None, phrase(due.text, language) if due else None]
        for case, due in _cases(request)
    )  # fmt: skip
    return csv_answer("tamis-cases.csv", heading, rows)


@router.get("/console/cases")
def cases_page(request: Request) -> Response:
    """Open cases of the offices that one sees, the most urgent first."""
    rows = [{"case": case, "due": due, "place": address_of(case.consignment_id)} for case, due in _cases(request)]
    return page(request, "cases", rows=rows)


def _cases(request: Request) -> list[tuple[Case, Clock | None]]:
    """Open cases that the caller sees, with what is due next of each."""
    store = desk_of(request).journal.store
    cases = open_cases(store)
    hidden = unseen(store, principal_of(request), [case.consignment_id for case in cases])
    return [(case, case.due()) for case in cases if case.consignment_id not in hidden]


def place_of_search(pseudonyms: Pseudonyms, key: str, kinds: Sequence[str] = ()) -> str:
    """Return where what is found of a key is shown."""
    return f"{HERE}/{pseudonyms.sealed(SEALED_KINDS.join([key, *kinds]))}"


def _page(request: Request, asked: Asked, found: Found | None = None, fault: str = "") -> Response:
    pseudonyms = desk_of(request).journal.store.pseudonyms

    def place(key: str, *kinds: str) -> str:
        return place_of_search(pseudonyms, key, kinds)

    here = place(asked.key, *asked.kinds) if found is not None else HERE
    return page(
        request, "search", HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK, found=found, fault=fault,
        sought=asked.key, kind=asked.kinds[0] if asked.kinds else "", kinds=KINDS, beyond=asked.beyond,
        looked_at=LOOKED_AT, counted=COUNTED, here=here, place=place,
        sealed=here.rpartition("/")[2], **_pages(here, asked, found),
    )  # fmt: skip


def _pages(here: str, asked: Asked, found: Found | None) -> dict[str, Any]:
    """Return where the pages before and after are; empty where there is none."""
    before = f"{here}?beyond={max(0, asked.beyond - A_PAGE)}" if asked.beyond else ""
    further = found is not None and asked.beyond + A_PAGE < found.total
    return {"before": before, "after": f"{here}?beyond={asked.beyond + A_PAGE}" if further else ""}
