"""Errors as problem+json (RFC 9457) that name the field and the remedy and never echo what was sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.messages import Refused
from service.api.models import KNOWN, body_field
from service.versions import Conflict, Gone

LOG = structlog.get_logger("tamis.api")
RETRY_SECONDS = "5"
Problem = dict[str, Any]
REMEDIES = {
    "missing": "state it",
    "extra_forbidden": "an unknown field: see /openapi.json for the known ones; put foreign columns into `extra`",
    "finite_number": "a finite number",
    "string_too_long": "shorten it",
    "too_long": "send at most 1,000 at a time",
    "too_short": "send at least one",
    "json_invalid": "send valid JSON in UTF-8",
}


class Unprocessable(ValueError):
    """A body that the gate refused; `errors` name each field and its remedy."""

    def __init__(self, errors: list[Problem]) -> None:
        super().__init__("refused by the gate")
        self.errors = errors


def problem(
    status: HTTPStatus, detail: str, errors: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """A problem document."""
    content: Problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if errors:
        content["errors"] = list(errors)
    return Response(
        json.dumps(content, ensure_ascii=True), status.value, media_type="application/problem+json", headers=headers
    )


def refused_fields(refused: Refused, places: Sequence[str]) -> list[Problem]:
    """Every refused row as the field of the body that it is, the reason and the remedy."""
    return [
        {"pointer": body_field(places[row["line"]], row["field"]), "reason": row["reason"], "remedy": row["remedy"]}
        for row in refused.rows.select("line", "field", "reason", "remedy").to_dicts()
    ]


async def _unprocessable(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Unprocessable)  # noqa: S101 - registered for it alone
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "some fields cannot be read; nothing was recorded", fault.errors)


async def _invalid(_: Request, fault: Exception) -> Response:
    """A body of another shape: where it differs and what to do, without its values and without its unknown names."""
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = [
        {"pointer": _pointer(error), "reason": _reason(error["type"]), "remedy": REMEDIES.get(error["type"], REMEDY)}
        for error in fault.errors()[:100]
    ]
    told = list({error["pointer"]: error for error in reversed(errors)}.values())[::-1]  # the first fault of each field
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body has another shape; nothing was recorded", told)


REMEDY = "see /openapi.json for what the field takes"


def _pointer(error: Problem) -> str:
    """Where the fault lies; a name that the caller invented is not repeated."""
    where = [str(part) for part in error["loc"] if part != "body"]
    if error["type"] in ("extra_forbidden", "json_invalid") or "extra" in where:
        where = where[: where.index("extra") + 1] if "extra" in where else where[:-1]
    return "/" + "/".join(part for part in where if part in KNOWN or part.isdecimal())


def _reason(kind: str) -> str:
    return kind.replace("_", " ")


async def _conflict(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Conflict)  # noqa: S101 - registered for it alone
    detail = (
        f"{len(fault.consignment_ids)} consignments were sent before under the same message and version with another "
        "content; send an amendment with the next version"
    )
    return problem(HTTPStatus.CONFLICT, detail)


async def _gone(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Gone)  # noqa: S101 - registered for it alone
    return problem(HTTPStatus.GONE, f"{fault}; send it as a new version if it is to be decided again")


async def _unwritable(request: Request, fault: Exception) -> Response:
    """No decision leaves unrecorded: when the store cannot be written, the caller is told to come again."""
    LOG.error("store_unavailable", route=request.url.path, kind=type(fault).__name__)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "the record cannot be written now", headers={"Retry-After": RETRY_SECONDS}
    )


async def _http(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for it alone
    status = HTTPStatus(fault.status_code)
    detail = DETAILS.get(status, status.description or status.phrase)
    return problem(status, detail, headers=fault.headers)


DETAILS = {
    HTTPStatus.BAD_REQUEST: "the body cannot be read; send valid JSON in UTF-8",
    HTTPStatus.SERVICE_UNAVAILABLE: "the desk is not ready; come again",
    HTTPStatus.NOT_FOUND: "nothing is on record under this address",
}


async def _unexpected(request: Request, fault: Exception) -> Response:
    """The last resort; the log names the kind of fault and the route, never the content."""
    LOG.error("unexpected", route=request.url.path, kind=type(fault).__name__)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected fault; it is logged")


Answer = Callable[[Request, Exception], Awaitable[Response]]
ANSWERS: dict[type[Exception], Answer] = {
    Unprocessable: _unprocessable,
    RequestValidationError: _invalid,
    Conflict: _conflict,
    Gone: _gone,
    DBAPIError: _unwritable,
    PoolTimeout: _unwritable,
    HTTPException: _http,
    Exception: _unexpected,
}


class BodyLimit:
    """Refuses a body above the limit before anything reads it, whether its length is declared or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > self.limit:
                too_large = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {self.limit} bytes a request")
                await too_large(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        await self.app(scope, _replay(bytes(body), receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever the connection says next."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def install(app: FastAPI, body_limit: int) -> None:
    """Teach the application all of this."""
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, answer)
    app.add_middleware(BodyLimit, limit=body_limit)
