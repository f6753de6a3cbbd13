"""Coming in and going out: log-in, one-time links, language."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from service.access.accounts import WHOLE
from service.access.credentials import Denied
from service.access.guard import COOKIE, address_of_caller, principal_of
from service.access.hosts import address_of_service, is_encrypted
from service.access.oidc import NotBegunHere, Provider
from service.access.principal import PURPOSES
from service.console.phrases import phrase
from service.console.rendering import HOME, access_of, form_of, language_of, menu_of, now, page, text_of, to
from service.console.translations import LANGUAGES

OIDC_COOKIE, OIDC_COOKIE_SECONDS = "tamis_elsewhere", 600
router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]


@router.get("/")
def start() -> Response:
    """Whoever opens the address in a browser wants the console."""
    return to(HOME)


@router.get("/console/log-in")
def log_in_page(request: Request) -> Response:
    """Name, password, and what for."""
    return _log_in_page(request, "", 200)


@router.post("/console/log-in")
def log_in(request: Request, form: Form) -> Response:
    """Begin a session."""
    purpose = text_of(form, "purpose")
    try:
        if purpose not in PURPOSES:
            raise Denied(f"purpose: one of {', '.join(PURPOSES)}")
        given = form.get("password", "")
        address = address_of_caller(request)
        secret = access_of(request).log_in(text_of(form, "name"), str(given), purpose, now(), address)
    except Denied as fault:
        return _log_in_page(request, str(fault), 401)
    return _with_session(request, to(HOME), secret)


@router.post("/console/elsewhere")
def start_oidc_login(request: Request, form: Form) -> Response:
    """Log in at the provider."""
    provider, purpose = _provider(request), text_of(form, "purpose")
    try:
        if purpose not in PURPOSES:
            raise Denied(f"purpose: one of {', '.join(PURPOSES)}")
        begun = provider.begin(_way_back(request), purpose)
    except Denied as fault:
        return _log_in_page(request, str(fault), 503)
    answer = page(request, "elsewhere", place=begun.place)
    answer.set_cookie(
        OIDC_COOKIE, quote(begun.cookie), max_age=OIDC_COOKIE_SECONDS, path="/console/elsewhere", httponly=True,
        samesite="lax", secure=is_encrypted(request),
    )  # fmt: skip
    return answer


@router.get("/console/elsewhere/back")
def oidc_callback(request: Request) -> Response:
    """Back from the provider; a page of our own goes on, as a browser sends a strict cookie only after that."""
    provider = _provider(request)
    cookie = unquote(request.cookies.get(OIDC_COOKIE, ""))
    try:
        known = provider.end(_way_back(request), cookie, dict(request.query_params))
        secret = access_of(request).vouched(known.name, known.role, known.offices, known.purpose, now())
    except NotBegunHere as fault:
        return _log_in_page(request, str(fault), 403)
    except Denied as fault:
        return _log_in_page(request, str(fault), 401)
    answer = _with_session(request, page(request, "elsewhere", place=HOME), secret)
    answer.delete_cookie(OIDC_COOKIE, path="/console/elsewhere")
    return answer


def _way_back(request: Request) -> str:
    """Where the provider sends people back: registered there, and never taken from what a browser says."""
    return f"{address_of_service(request)}{request.app.url_path_for('oidc_callback')}"


def _provider(request: Request) -> Provider:
    provider: Provider = request.app.state.provider
    if not provider.configured:
        raise HTTPException(404)
    return provider


def _with_session(request: Request, answer: Response, secret: str) -> Response:
    answer.set_cookie(
        COOKIE, secret, max_age=int(WHOLE.total_seconds()), path="/console", httponly=True, samesite="strict",
        secure=is_encrypted(request),
    )  # fmt: skip
    return answer


def _log_in_page(request: Request, fault: str, status: int) -> Response:
    elsewhere = request.app.state.provider.configured
    return page(request, "log_in", status, purposes=PURPOSES, fault=fault, elsewhere=elsewhere)


@router.post("/console/log-out")
def log_out(request: Request, form: Form) -> Response:  # noqa: ARG001 - checks the token
    """End the session."""
    access_of(request).log_out(principal_of(request).session)
    answer = to("/console/log-in")
    answer.delete_cookie(COOKIE, path="/console")
    return answer


@router.post("/console/language")
def choose_language(request: Request, form: Form) -> Response:
    """Read another language from now on."""
    if text_of(form, "language") in LANGUAGES:
        access_of(request).speak(principal_of(request).name, text_of(form, "language"))
    return to(HOME)


@router.get("/console/invitation/{token}")
def invitation_page(request: Request, token: str) -> Response:
    """What a one-time link is for; opening it uses nothing up."""
    return _invitation(request, token, "", 200)


@router.post("/console/invitation/{token}")
def accept_invitation(request: Request, token: str, form: Form) -> Response:
    """Make the account."""
    try:
        given = str(form.get("password", ""))
        access_of(request).accept(token, text_of(form, "name"), given, language_of(request), now())
    except Denied as fault:
        return _invitation(request, token, str(fault), 422)
    return to("/console/log-in")


def _invitation(request: Request, token: str, fault: str, status: int) -> Response:
    invited: dict[str, Any] | None = access_of(request).invitation(token, now())
    return page(request, "invitation", status if invited else 404, invited=invited, fault=fault)


@router.get("/console/")
def home_page(request: Request) -> Response:
    """The first page of a role; one that has none is told so."""
    places = menu_of(principal_of(request))
    if places:
        _, ((_, first), *_) = places[0]
        return to(first)
    detail = phrase("no page is available for this role", language_of(request))
    return page(request, "error", 403, detail=detail, errors=[])
