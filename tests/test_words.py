"""Words that name nothing: what a value is called says what it is, wherever the product gives it a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SAY_NOTHING = frozenset({"told", "said", "made", "mine", "some", "own", "there"})
MODULES = sorted(path for floor in ("features", "service", "pipelines") for path in (REPOSITORY / floor).rglob("*.py"))


def names_given(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each name that a module gives to a value or an argument, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_name_says_what_the_value_is(module: Path) -> None:
    given = names_given(ast.parse(module.read_text(encoding="utf-8")))
    assert [f"line {line}: {name}" for name, line in given if name in SAY_NOTHING] == []
