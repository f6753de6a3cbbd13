"""Pages about the API that the service itself shows: no key, nothing of an installation, no other host."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import jinja2
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from service.problems import catalogue

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("/problems")
def problem_kinds() -> Response:
    """The catalogue of problems: where the `type` of every error leads."""
    kinds = sorted(catalogue.KINDS, key=lambda kind: kind.status)
    by_status = [(status, list(of)) for status, of in groupby(kinds, key=lambda kind: kind.status)]
    return HTMLResponse(_templates().get_template("problems.html").render(by_status=by_status))


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("service.api"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
