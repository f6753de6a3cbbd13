"""Problem documents (RFC 9457): how every error leaves the service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

Problem = dict[str, Any]


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
