"""Errors as problem+json (RFC 9457) that name the field and the remedy and never echo what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.api.bodies import KNOWN
from service.api.body_faults import beside
from service.api.body_limit import BodyLimit
from service.problems import Problem, catalogue, field_problem, problem
from service.record.consignment_versions import Conflict, Gone
from service.record.ownership import OfAnother

LOG = structlog.get_logger("tamis.api")
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


def refused(fault: Fault, reason: str) -> Unprocessable:
    """Say what a fault says of one field of a call ("field: remedy"), or of the call. reason: what cannot be done."""
    field, named, remedy = str(fault).partition(": ")
    return Unprocessable([field_problem(f"/{field}" if named else "/", reason, remedy or field)])


class Malformed(RequestValidationError):
    """A body of another shape; `values` are the faults of what could be read of it all the same.

    faults: of its shape, as pydantic names them. unlisted: further ones of which the number alone is known.
    """

    def __init__(self, faults: Sequence[Any], values: Sequence[Problem] = (), unlisted: int = 0) -> None:
        super().__init__(faults)
        self.values, self.unlisted = values, unlisted


async def _unprocessable(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Unprocessable)  # noqa: S101 - registered for it alone
    return problem(catalogue.INVALID_FIELDS, fault.errors)


async def _invalid(_: Request, fault: Exception) -> Response:
    """A body of another shape: where it differs and what to do, without its values and without its unknown names."""
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for it alone
    faults = fault.errors()
    shape = [field_problem(_pointer(one), _reason(one["type"]), REMEDIES.get(one["type"], REMEDY)) for one in faults]
    first_of_each = {one["pointer"]: one for one in reversed(shape)}
    listed = list(first_of_each.values())[::-1]
    if not isinstance(fault, Malformed):
        return problem(catalogue.MALFORMED_BODY, listed)
    kinds = [(one["pointer"], of["type"] == "extra_forbidden") for one, of in zip(shape, faults, strict=True)]
    return problem(catalogue.MALFORMED_BODY, [*listed, *beside(fault.values, kinds)], unlisted=fault.unlisted)


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
    return problem(catalogue.CHANGED_CONTENT, count=len(fault.consignment_ids))


async def _of_another(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, OfAnother)  # noqa: S101 - registered for it alone
    return problem(catalogue.OF_ANOTHER, count=len(fault.consignment_ids))


async def _gone(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Gone)  # noqa: S101 - registered for it alone
    return problem(catalogue.ERASED, what=fault)


def _route(request: Request) -> str:
    """Return the name of a request's route; its path names a consignment."""
    return str(getattr(request.state, "route", "unknown"))


async def _unwritable(request: Request, fault: Exception) -> Response:
    """No decision leaves unrecorded: when the store cannot be written, the caller is told to come again."""
    LOG.error("store_unavailable", route=_route(request), kind=type(fault).__name__)
    return problem(catalogue.NOT_WRITTEN)


async def _http(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for it alone
    return problem(catalogue.OF_STATUS[HTTPStatus(fault.status_code)], headers=fault.headers)


async def _unexpected(request: Request, fault: Exception) -> Response:
    """The last resort; the log names the kind of fault and the route, never the content."""
    LOG.error("unexpected", route=_route(request), kind=type(fault).__name__)
    return problem(catalogue.INTERNAL)


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
