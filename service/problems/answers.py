"""Problem documents: made from a kind of the catalogue, and what depends on the call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from starlette.responses import Response

from service.problems.catalogue import Kind

Problem = dict[str, Any]
MOST_ERRORS = 1_000  # faults of one body that are listed: one for each of its consignments; others are counted


def field_problem(pointer: str, reason: str, remedy: str) -> Problem:
    """What is wrong with one field: the JSON pointer to it, the reason and the remedy, never its value."""
    return {"pointer": pointer, "reason": reason, "remedy": remedy}


def problem(
    kind: Kind,
    errors: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
    *,
    unlisted: int = 0,
    retry_after: int | None = None,
    **filled: object,
) -> Response:
    """Return a problem document.

    errors: by field; of more than MOST_ERRORS the rest is counted. unlisted: further ones that were counted already.
    retry_after: seconds, where the call knows better than its kind. filled: what the detail names.
    """
    wait = kind.retry_after if retry_after is None else retry_after
    detail = kind.detail.format(**filled, seconds=wait)
    content: Problem = {
        "type": kind.type, "code": kind.code, "title": kind.title, "status": kind.status.value, "detail": detail,
    }  # fmt: skip
    unlisted += max(0, len(errors) - MOST_ERRORS)
    if errors:
        content["errors"] = list(errors[:MOST_ERRORS])
    if unlisted:
        content["more_errors"] = unlisted
        content["detail"] += f" Of its faults {unlisted:,} more are not listed."
    named = structlog.contextvars.get_contextvars().get("request_id")
    if named:
        content["request_id"] = named
    waits = {} if wait is None else {"Retry-After": str(wait)}
    numbered = {"X-Request-Id": named} if named else {}  # the last resort answers from outside all middleware
    text = json.dumps(content, ensure_ascii=True)
    return Response(
        text, kind.status.value, media_type="application/problem+json", headers={**waits, **numbered, **(headers or {})}
    )
