"""Errors as problem+json (RFC 9457) that name the field and the remedy and never echo what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from features.messages import Refused
from service.api.bodies import KNOWN, body_field
from service.api.body_limit import BodyLimit
from service.problems import Problem, problem
from service.record.consignment_versions import Conflict, Gone
from service.record.ownership import OfAnother

LOG = structlog.get_logger("tamis.api")
RETRY_SECONDS = "5"
TOLD = 1_000  # faults of one body that are told: one for each of its consignments
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


def refused_fields(refused: Refused, places: Sequence[str]) -> list[Problem]:
    """Every refused row as the field of the body that it is, the reason and the remedy."""
    return [
        {"pointer": body_field(places[row["line"]], row["field"]), "reason": row["reason"], "remedy": row["remedy"]}
        for row in refused.rows.select("line", "field", "reason", "remedy").to_dicts()
    ]


async def _unprocessable(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Unprocessable)  # noqa: S101 - registered for it alone
    listed = fault.errors[:TOLD]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Some fields are invalid; nothing was recorded.", listed)


async def _invalid(_: Request, fault: Exception) -> Response:
    """A body of another shape: where it differs and what to do, without its values and without its unknown names."""
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = [
        {"pointer": _pointer(error), "reason": _reason(error["type"]), "remedy": REMEDIES.get(error["type"], REMEDY)}
        for error in fault.errors()[:100]
    ]
    first_of_each = {error["pointer"]: error for error in reversed(errors)}
    listed = list(first_of_each.values())[::-1]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The body does not match the schema; nothing was recorded.", listed)


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


async def _of_another(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, OfAnother)  # noqa: S101 - registered for it alone
    detail = (
        f"consignment_id, message_id: {len(fault.consignment_ids)} consignments, or the message that they came in, "
        "belong to another office or caller; nothing was recorded. Use identifiers of your own, or have the "
        "consignment transferred first"
    )
    return problem(HTTPStatus.CONFLICT, detail)


async def _gone(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Gone)  # noqa: S101 - registered for it alone
    return problem(HTTPStatus.GONE, f"{fault}; send it as a new version to have it decided again")


async def _unwritable(request: Request, fault: Exception) -> Response:
    """No decision leaves unrecorded: when the store cannot be written, the caller is told to come again."""
    LOG.error("store_unavailable", route=request.url.path, kind=type(fault).__name__)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The record cannot be written at the moment; retry after 5 s.",
        headers={"Retry-After": RETRY_SECONDS},
    )


async def _http(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for it alone
    status = HTTPStatus(fault.status_code)
    detail = DETAILS.get(status, status.description or status.phrase)
    return problem(status, detail, headers=fault.headers)


DETAILS = {
    HTTPStatus.BAD_REQUEST: "The body cannot be parsed; send valid JSON in UTF-8.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service is not ready; retry after 5 s.",
    HTTPStatus.NOT_FOUND: "Not found.",
}


async def _unexpected(request: Request, fault: Exception) -> Response:
    """The last resort; the log names the kind of fault and the route, never the content."""
    LOG.error("unexpected", route=request.url.path, kind=type(fault).__name__)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; it has been logged.")


Answer = Callable[[Request, Exception], Awaitable[Response]]
ANSWERS: dict[type[Exception], Answer] = {
    Unprocessable: _unprocessable,
    RequestValidationError: _invalid,
    Conflict: _conflict,
    Gone: _gone,
    OfAnother: _of_another,
    DBAPIError: _unwritable,
    PoolTimeout: _unwritable,
    HTTPException: _http,
    Exception: _unexpected,
}


def install(app: FastAPI, body_limit: int) -> None:
    """Teach the application all of this."""
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, answer)
    app.add_middleware(BodyLimit, limit=body_limit)
