"""The description of the API (OpenAPI): what FastAPI knows of the routes, with how they are answered and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from service.access.permissions import PERMISSIONS, Row
from service.api.answer_models import FieldProblem, ProblemDocument
from service.problems.catalogue import KINDS, Kind

METHODS = ("get", "post")
NAMED = re.compile(r"{\w+}")  # in the detail of a problem
KEY = "key"
BEARER = HTTPBearer(description="Bearer KEY")
ABOUT = """Lodge consignments, get decisions, return control results. Every call but those of monitoring carries a key.

Retry any call unchanged: what was recorded is answered again, with `Idempotent-Replay: true`. Errors are problem
documents with a `code` of the catalogue (`/docs/problems`); they name every field and its remedy and never repeat what
was sent.
"""
TAGS = {
    "consignments": "what clearance systems call",
    "results": "what controls have found",
    "officers": "lists of work, networks and what officers say of them",
    "right holders": "genuine goods",
    "monitoring": "how the service is; no key, no personal data",
}
TAG_OF = {
    "post_consignments": "consignments", "post_message": "consignments", "get_consignment": "consignments",
    "get_decisions": "consignments",
    "post_outcomes": "results", "get_dossier": "officers", "get_queue": "officers", "get_network": "officers",
    "get_investigations": "officers", "post_investigation": "officers", "get_investigation": "officers",
    "post_investigation_entry": "officers", "post_document": "officers", "get_document": "officers",
    "post_hand_over": "officers",
    "get_network_ftm": "officers", "get_search": "officers", "post_judgement": "officers", "post_transfer": "officers",
    "get_operators": "officers", "post_operator_audit": "officers",
    "get_purchases": "officers", "post_purchase": "officers", "post_purchase_note": "officers",
    "post_genuine": "right holders", "healthz": "monitoring", "readyz": "monitoring", "metrics": "monitoring",
}  # fmt: skip
LODGING = ("post_consignments", "post_message")
WHEN = {
    401: "no valid key",
    403: "the role of the key may not do this",
    404: "not on record, or of another office",
    409: "on record with another content, or of another office or key; nothing was recorded",
    410: "erased since; send it as a new version",
    413: "more bytes than one call may send",
    422: "fields that cannot be used, each with its remedy; nothing was recorded",
    429: "more calls a minute than allowed",
    503: "busy, starting, or the record cannot be reached; retry unchanged",
}
WAITED_FOR = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
RETRY_AFTER = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
OF_QUOTA = {
    "RateLimit-Policy": {
        "description": "what the process that answered allows this caller: `q` calls at once, whole again after `w` "
        "seconds (draft-ietf-httpapi-ratelimit-headers)",
        "schema": {"type": "string", "examples": ['"calls";q=100;w=10']},
    },
    "RateLimit": {
        "description": "what it has left: `r` calls now, all of them again after `t` seconds",
        "schema": {"type": "string", "examples": ['"calls";r=97;t=1']},
    },
}
COUNTED = (404, 409, 410, 413, 422, 429)  # refusals of a caller who is known and whose call was counted
OF_LODGING = {
    "Tamis-Dry-Run": {
        "description": "`true` where nothing was recorded, whatever the form of the answer",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Idempotent-Replay": {
        "description": "`true` where all decisions were on record before",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def describe(app: FastAPI) -> None:
    """Let an application describe itself so; the document is made once, when it is asked for first."""
    app.openapi = cache(lambda: _document(app))  # type: ignore[method-assign]


def operation_id(route: BaseRoute) -> str:
    """Name an operation as its route: what a generated client calls its method."""
    return str(getattr(route, "name", ""))


def _document(app: FastAPI) -> dict[str, Any]:
    tags = [{"name": name, "description": words} for name, words in TAGS.items()]
    document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=tags)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which is never sent
        schemas.pop(name, None)
    for model in (FieldProblem, ProblemDocument):
        schemas[model.__name__] = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[model.__name__].pop("$defs", None)
    components["securitySchemes"] = {KEY: BEARER.model_dump(mode="json", by_alias=True, exclude_none=True)}
    components["headers"] = OF_QUOTA
    components["responses"] = {HTTPStatus(code).name.lower(): _problem(HTTPStatus(code)) for code in WHEN}
    for method, operation in _operations(document):
        _complete(operation, method)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        yield from ((method, path[method]) for method in METHODS if method in path)


def _complete(operation: dict[str, Any], method: str) -> None:
    """Say who may call an operation and how it refuses."""
    name = operation["operationId"]
    row, responses = PERMISSIONS[name], operation["responses"]
    operation["tags"] = [TAG_OF[name]]
    if not row.public:
        operation["security"] = [{KEY: []}]
        operation["description"] += f"\n\nFor keys of: {', '.join(sorted(row.roles))}."
    responses.pop(str(HTTPStatus.UNPROCESSABLE_ENTITY.value), None)
    for status in _refusals(name, row, operation, method):
        responses[str(status.value)] = {"$ref": f"#/components/responses/{status.name.lower()}"}
    for status, answer in responses.items():
        if status < "300" and not row.public:
            answer["headers"] = {**(OF_LODGING if name in LODGING and status == "200" else {}), **_quota_headers()}


def _refusals(name: str, row: Row, operation: dict[str, Any], method: str) -> Iterator[HTTPStatus]:
    """Yield the statuses by which an operation may refuse."""
    parameters = operation.get("parameters", [])
    if row.public:
        if name == "readyz":
            yield HTTPStatus.SERVICE_UNAVAILABLE
        return
    yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if name == "get_queue" or any(one["in"] == "path" for one in parameters):
        yield HTTPStatus.NOT_FOUND
    if name in LODGING:
        yield from (HTTPStatus.CONFLICT, HTTPStatus.GONE)
    if method == "post":
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if method == "post" or parameters:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    yield from WAITED_FOR


def _problem(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    kinds = [kind for kind in KINDS if kind.status is status]
    examples = {kind.code: {"summary": kind.title, "value": _example(kind)} for kind in kinds}
    described: dict[str, Any] = {
        "description": f"{WHEN[status.value]}: {', '.join(f'`{kind.code}`' for kind in kinds)}",
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    headers = {**(RETRY_AFTER if status in WAITED_FOR else {}), **(_quota_headers() if status in COUNTED else {})}
    return described | ({"headers": headers} if headers else {})


def _quota_headers() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in OF_QUOTA}


def _example(kind: Kind) -> dict[str, Any]:
    """How a problem of a kind looks; an ellipsis stands for what depends on the call."""
    return {"type": kind.type, "code": kind.code, "title": kind.title, "status": kind.status.value,
            "detail": _any_call(kind)}  # fmt: skip


def _any_call(kind: Kind) -> str:
    return NAMED.sub("…", kind.detail)
