"""Coming in and going out: log-in, one-time links, language."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from service.access.access import WHOLE, Denied
from service.access.guard import COOKIE, principal_of
from service.access.principal import PURPOSES
from service.console.pages import HOME, access_of, form_of, language_of, menu_of, now, page, text_of, to
from service.console.words import LANGUAGES

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]


@router.get("/")
def start() -> Response:
    """Whoever opens the address in a browser wants the console."""
    return to(HOME)


@router.get("/console/log-in")
def log_in_page(request: Request) -> Response:
    """Name, password, and what for."""
    return page(request, "log_in", purposes=PURPOSES, fault="")


@router.post("/console/log-in")
def log_in(request: Request, form: Form) -> Response:
    """Begin a session."""
    purpose = text_of(form, "purpose")
    try:
        if purpose not in PURPOSES:
            raise Denied(f"purpose: one of {', '.join(PURPOSES)}")
        given = form.get("password", "")
        secret = access_of(request).log_in(text_of(form, "name"), str(given), purpose, now())
    except Denied as fault:
        return page(request, "log_in", 401, purposes=PURPOSES, fault=str(fault))
    answer = to(HOME)
    answer.set_cookie(
        COOKIE, secret, max_age=int(WHOLE.total_seconds()), path="/console", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


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
    return to(places[0][1]) if places else page(request, "error", 403, detail="no page is for this role", errors=[])
