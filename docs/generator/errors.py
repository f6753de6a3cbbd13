"""The page of error details, read from the source of the service."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import service
from docs.generator.markdown import page, table

SOURCES = Path(service.__file__).parent
INTRODUCTION = """
Errors are `application/problem+json` (RFC 9457) with `type`, `title`, `status` and `detail`. A malformed body also
has `errors`: a `pointer` to each field, the `reason` and the `remedy`. What was sent is never repeated. `…` stands
for what depends on the call.
"""


def errors_page() -> str:
    """Return the page of every status and detail that the service can answer with."""
    rows = sorted({(status.value, status.phrase, detail) for status, detail in error_details()})
    return page("Error details", INTRODUCTION, table(["status", "title", "detail"], rows))


def error_details() -> Iterator[tuple[HTTPStatus, str]]:
    """Yield the status and detail of each call of `problem`, and of tables that give a status its detail."""
    for file in sorted(SOURCES.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named = _constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "problem":
                yield from _pairs(node.args[0], node.args[1], named)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    yield from _pairs(key, value, named)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what a module assigns to single names."""
    return {
        statement.targets[0].id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }


def _pairs(
    status: ast.expr | None, detail: ast.expr, named: Mapping[str, ast.expr]
) -> Iterator[tuple[HTTPStatus, str]]:
    if not isinstance(status, ast.Attribute) or getattr(status.value, "id", "") != "HTTPStatus":
        return
    for words in _words(detail, named):
        yield HTTPStatus[status.attr], words


def _words(node: ast.expr, named: Mapping[str, ast.expr]) -> list[str]:
    """Return the texts that an expression can be; what is filled in stands as an ellipsis."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
    if isinstance(node, ast.Name) and node.id in named:
        return _words(named[node.id], named)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        of = named.get(node.value.id)
        return [text for value in of.values for text in _words(value, named)] if isinstance(of, ast.Dict) else []
    return []
