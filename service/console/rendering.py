"""How a page is made: its template, its language, who sees it, and the token that its forms carry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.finding_kinds import Kinds
from features.moments import EPOCH
from service.access.credentials import same_text
from service.access.directory import Access
from service.access.permissions import PERMISSIONS
from service.access.principal import Principal
from service.access.read_log import ReadLog
from service.console.phrases import fault_in, measure_in, phrase
from service.console.translations import NAMES, in_language, language_among
from service.desk import Desk
from service.scoring.explanation import Language

HOME = "/console/"
FIELDS, MANY_FIELDS = 50, 250  # of a form, at most
MENU = {  # the group, then of each page its route, title and address; a group of one page is that page
    "queue": {"queue_page": ("queue", "/console/queue")},
    "inquiries": {
        "investigations_page": ("investigations", "/console/investigations"),
        "purchases_page": ("purchases", "/console/purchases"),
        "cases_page": ("cases", "/console/cases"),
        "lists_page": ("lists", "/console/lists"),
        "reports_page": ("reports", "/console/reports"),
    },
    "steering": {
        "day_page": ("day", "/console/day"),
        "capacity_page": ("capacity", "/console/capacity"),
        "policy_page": ("policy", "/console/policy"),
        "model_page": ("model", "/console/model"),
    },
    "oversight": {
        "operators_page": ("operators", "/console/operators"),
        "burden_page": ("burden", "/console/burden"),
        "audit_page": ("audit", "/console/audit"),
        "access_page": ("access", "/console/access"),
    },
}

DONE = {  # what a page may say was done, and whether it can be undone for a minute
    "recorded": True, "superseding": True, "repeated": False, "overridden": True, "withdrawn": False, "taken": False,
    "released": False, "view_kept": False, "recorded_many": True, "withdrawn_many": False,
}  # fmt: skip
SHORTCUTS = (  # keys and what they do, in the order of the help; see static/console.js
    ("j k", "key_move"), ("o", "key_open"), ("r", "key_result"), ("l", "key_take"), ("x", "key_mark"),
    ("v", "key_lane"), ("z", "key_undo"), ("p", "key_print"), ("/", "key_search"),
    ("[ ]", "key_pages"), ("?", "key_help"),
)  # fmt: skip
ALMOST_ALL = 0.9995  # of which one decimal of a per cent would say 100.0


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("service.console"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def page(request: Request, template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """A page, or a part of one, in the language of who asks; everything in it is escaped."""
    principal: Principal | None = getattr(request.state, "principal", None)
    language = language_of(request)
    searches = principal is not None and principal.role in PERMISSIONS["find"].roles
    text = _templates().get_template(f"{template}.html").render(
        say=in_language(language, "say"), word=in_language(language, "word"), title=in_language(language, "title"),
        language=language, languages=NAMES, principal=principal, menu=menu_of(principal), path=request.url.path,
        undoable=DONE, moment=partial(moment, zone=zone_of(request)), zone=zone_of(request).key, share=share, euro=euro,
        shortcuts=SHORTCUTS, phrase=partial(phrase, language=language), fault_in=partial(fault_in, language=language),
        measure=partial(measure_in, language=language), kind_word=partial(kinds_of(request).word_of, language=language),
        **{"searches": searches, "sought": "", "broad": False, "toast": toast_of(request), "address_of": address_of}
        | values,
    )  # fmt: skip
    return HTMLResponse(text, status)


def kinds_of(request: Request) -> Kinds:
    """The kinds of finding of this installation."""
    kinds: Kinds = request.app.state.dialects.kinds
    return kinds


def menu_of(principal: Principal | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """The pages that a role may open, by group and in order: titles and addresses."""
    if principal is None:
        return []
    groups = (
        (group, [entry for route, entry in pages.items() if principal.role in PERMISSIONS[route].roles])
        for group, pages in MENU.items()
    )
    return [(group, pages) for group, pages in groups if pages]


def language_of(request: Request) -> Language:
    """What a person chose; before that, what the browser asks for."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is not None and principal.session:
        return language_among(principal.language)
    return language_among(request.headers.get("accept-language", ""))


def access_of(request: Request) -> Access:
    """Who is known here; 503 while the service starts."""
    access: Access | None = getattr(request.app.state, "access", None)
    if access is None:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)
    return access


def read_log_of(request: Request) -> ReadLog:
    """The log of reads of this process."""
    read_log: ReadLog = request.app.state.read_log
    return read_log


async def form_of(request: Request) -> FormData:
    """What a form says; 403 where it does not carry the token of the session that sends it."""
    return await _checked_form(request, FIELDS)


async def form_of_many(request: Request) -> FormData:
    """What a form says that marks parcels, each a field of its own."""
    return await _checked_form(request, MANY_FIELDS)


async def form_with_file(request: Request) -> FormData:
    """What a form says that sends one file."""
    return await _checked_form(request, FIELDS, files=1)


async def _checked_form(request: Request, fields: int, files: int = 0) -> FormData:
    form = await request.form(max_files=files, max_fields=fields)
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is not None and not same_text(text_of(form, "csrf"), principal.csrf):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return form


def text_of(form: FormData, name: str) -> str:
    """One field as text; empty where it is absent."""
    given = form.get(name, "")
    return given.strip() if isinstance(given, str) else ""


def address_of(consignment_id: str) -> str:
    """Where the page of a consignment is, whatever characters its number holds."""
    return f"/console/consignments/{quote(consignment_id, safe='')}"


def to(place: str) -> Response:
    """Go there, by a new request."""
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def zone_of(request: Request) -> ZoneInfo:
    """The time zone of the policy that serves; UTC while the service starts."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    return ZoneInfo("UTC" if desk is None else desk.policy.capacity.zone)


def moment(at: int | str | None, zone: ZoneInfo, *, short: bool = False) -> str:
    """A moment (microseconds since 1970, or ISO 8601 in UTC) to the minute in a time zone; short: no year, no zone."""
    if at is None:
        return ""
    utc = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else EPOCH + timedelta(microseconds=at)
    return utc.astimezone(zone).strftime("%m-%d %H:%M" if short else "%Y-%m-%d %H:%M %Z")


def euro(amount: float | None) -> str:
    """An amount of euro, to the cent where it is small."""
    return "" if amount is None else f"€ {amount:,.0f}" if amount >= 1000 else f"€ {amount:,.2f}"


def toast_of(request: Request) -> dict[str, str] | None:
    """What the page before did, as its address says: `done` and, of a consignment, its number."""
    done, of = request.query_params.get("done", ""), request.query_params.get("of", "")
    return {"done": done, "of": of[:100]} if done in DONE else None


def share(value: float | None) -> str:
    """A probability or a rate as a percentage; one that is not quite 100 % is not called so."""
    if value is not None and ALMOST_ALL <= value < 1:
        return "> 99.9 %"
    return "" if value is None else f"{value * 100:.1f} %"


def now() -> datetime:
    """The console's clock."""
    return datetime.now(UTC)
