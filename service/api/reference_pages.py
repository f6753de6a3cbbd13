"""Pages about the API that the service itself shows: no key, nothing of an installation, no other host."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import jinja2
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup, escape
from starlette.staticfiles import StaticFiles

from service.problems import catalogue

STATIC = "/docs/static"
router = APIRouter(prefix="/docs", include_in_schema=False)


def static_files() -> StaticFiles:
    """The files of these pages: the product's, and Swagger UI as a package brings it."""
    return StaticFiles(packages=[("service.api", "static"), ("fastapi_offline", "static")])


@router.get("")
def api_reference() -> Response:
    """The description of the API as a page, on which calls can be tried with a key."""
    return HTMLResponse(_templates().get_template("docs.html").render())


@router.get("/problems")
def problem_kinds() -> Response:
    """The catalogue of problems: where the `type` of every error leads."""
    kinds = sorted(catalogue.KINDS, key=lambda kind: kind.status)
    by_status = [(status, list(of)) for status, of in groupby(kinds, key=lambda kind: kind.status)]
    return HTMLResponse(_templates().get_template("problems.html").render(by_status=by_status))


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("service.api"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["coded"] = _coded
    return environment


def _coded(words: str) -> Markup:
    """Words with those between backticks set as code."""
    parts = (
        Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(words.split("`"))
    )
    return Markup("").join(parts)
