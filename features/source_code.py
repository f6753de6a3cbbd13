"""What a function computes, as text: its code, and all constants and functions that it rests on."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from features.algebra import Pattern

Named = tuple[str, Any]
PLAIN = (str, bytes, int, float, complex, type(None), type(Ellipsis))
WHOLE = ("features.algebra.", "features.identifiers.")  # are hashed as a whole
OTHERS = {*sys.stdlib_module_names, "numpy", "polars", "numba"}  # what they compute is theirs


def source_of(function: Callable[..., Any]) -> list[tuple[str, str]]:
    """Return names and what they stand for: a function's plain code, and all that it names, followed through functions.

    Followed are functions, lambdas and what encloses them, compiled patterns, tables, sets and other constants. Raises
    TypeError, which names it, where a function rests on a value that cannot be told from another.
    """
    described: set[tuple[str, str]] = set()
    seen: set[int] = set()
    waiting: list[Named] = [(function.__name__, function)]
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen and not isinstance(value, PLAIN):
            continue
        seen.add(id(value))
        text, named = _described(name, value)
        if text:
            described.add((name, text))
        waiting += named
    return sorted(described)


def _described(name: str, value: Any) -> tuple[str, list[Named]]:
    """Return what a value is, and the values that it rests on in turn."""
    if isinstance(value, functools.partial):
        return _described(name, (value.func, value.args, value.keywords))
    if hasattr(value, "__wrapped__"):
        return "", [(name, value.__wrapped__)]
    if isinstance(value, FunctionType | type) and _is_of_others(value.__module__):
        return value.__qualname__, []
    if isinstance(value, FunctionType):
        return _code_of(value), list(_named_by(value))
    if isinstance(value, type):
        return plain_code(inspect.getsource(value)), list(_methods_of(value))
    if isinstance(value, ModuleType | BuiltinFunctionType) or _is_of_others(type(value).__module__, but="builtins"):
        return _of_others(name, value)
    return _constant(name, value)


def _constant(name: str, value: Any) -> tuple[str, list[Named]]:
    """Return a constant as text; what it holds is described in its place."""
    if isinstance(value, PLAIN):
        return repr(value), []
    if isinstance(value, Mapping):
        items = [(f"{name}[{key!r}]", each) for key, each in value.items()]
        return f"{{{', '.join(sorted(repr(key) for key in value))}}}", items
    if isinstance(value, tuple | list):
        return f"{len(value)} in order", [(f"{name}[{place}]", each) for place, each in enumerate(value)]
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(repr, value)))}}}", []
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, [
            (name, type(value)),
            *((f"{name}.{field.name}", getattr(value, field.name)) for field in fields(value)),
        ]
    raise TypeError(
        f"{name} is a {type(value).__name__}, which a fingerprint cannot tell from another: "
        "use numbers, texts, patterns, tables, sets, tuples and functions"
    )


def _of_others(name: str, value: Any) -> tuple[str, list[Named]]:
    if isinstance(value, Pattern):
        return f"pattern {value.source!r}", []
    if isinstance(value, re.Pattern):
        return f"pattern {value.pattern!r} with flags {value.flags}", []
    if isinstance(value, ModuleType | BuiltinFunctionType) or callable(value):
        return getattr(value, "__name__", name), []
    return f"{type(value).__module__}.{type(value).__qualname__} {value!r}", []


def _is_of_others(module: str | None, but: str = "") -> bool:
    root = (module or "builtins").split(".", 1)[0]
    return root != but and (root in OTHERS or f"{module}.".startswith(WHOLE))


def _named_by(function: FunctionType) -> Iterator[Named]:
    """Yield the globals that a function names, in the functions within it too, what encloses it, and its defaults."""
    instructions = list(_instructions_of(function.__code__))
    names = {each.argval for each in instructions if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    attributes = {each.argval for each in instructions if each.opname in ("LOAD_ATTR", "LOAD_METHOD")}
    for name in sorted(name for name in names & function.__globals__.keys() if not name.startswith("__")):
        value = function.__globals__[name]
        yield name, value
        if isinstance(value, ModuleType) and not _is_of_others(value.__name__):
            yield from ((other, vars(value)[other]) for other in sorted(attributes & vars(value).keys()))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    for place, default in enumerate(function.__defaults__ or ()):
        yield f"default {place}", default
    yield from (function.__kwdefaults__ or {}).items()


def _methods_of(kind: type) -> Iterator[Named]:
    """Yield the methods that a class writes out; those that a decorator makes follow from its code."""
    file = inspect.getsourcefile(kind)
    for name, value in vars(kind).items():
        if inspect.isfunction(value) and value.__code__.co_filename == file:
            yield name, value


def _instructions_of(code: CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions_of(constant)


def _code_of(function: FunctionType) -> str:
    if function.__name__ != "<lambda>":
        return plain_code(inspect.getsource(function))
    lines, _ = inspect.findsource(function)  # the whole file: a lambda may stand in the middle of a statement
    named = [
        ast.unparse(node)
        for node in ast.walk(ast.parse("".join(lines)))
        if isinstance(node, ast.Lambda) and node.lineno == function.__code__.co_firstlineno
    ]
    return " or ".join(sorted(named))


def plain_code(source: str) -> str:
    """Return code without docstrings, comments and layout."""
    return ast.unparse(_without_docstrings(source))


def pieces_of_code(source: str) -> set[str]:
    """Return the statements of a module as plain code; of its imports only those under another name.

    The module that holds a function does not affect what it computes, nor does an import under its own name.
    """
    pieces = set()
    for node in _without_docstrings(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            pieces |= {f"{alias.name} as {alias.asname}" for alias in node.names if alias.asname}
        else:
            pieces.add(ast.unparse(node))
    return pieces


def _without_docstrings(source: str) -> ast.Module:
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def wordless(source: str) -> str:
    """Return code without docstrings, comments, layout, and the `words=…` that an analyst reads."""
    tree = ast.parse(plain_code(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "words"]
    return ast.unparse(tree)
