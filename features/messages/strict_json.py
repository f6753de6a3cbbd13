"""JSON from untrusted sources, read strictly: in UTF-8, each name once, within limits that hold before it is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from features.messages.bounds import Bounds
from features.messages.raw import UnreadableFile

DEEPEST = 100  # brackets within one another
NAMES = 1_000  # of one object: the widest that is known has some fifty, and a mapping may offer more
STRANGERS = 100  # unknown names of a document; so many are named as faults, more are no mistake
KEY = re.compile(rb'"([A-Za-z_][\w.-]{0,60})"\s*:')
STRING = rb'"(?:[^"\\]|\\.)*+"?'  # one that is never closed ends with the document, so that it is looked at once
STRINGS = re.compile(STRING, re.DOTALL)
BRACKETS = re.compile(STRING + rb"|[\[\]{}]", re.DOTALL)
LONG = re.compile(STRING + rb"|[\[\]{},]", re.DOTALL)
LONG_FROM = 50_000  # commas of a document that is looked through for objects of too many names
SEPARATORS = (b",", b"[", b"{")


class NotTaken(ValueError):
    """A document that is valid JSON, and yet not taken."""


def read_json(
    content: bytes, name: str, bounds: Bounds, *, as_written: bool = True, known: Collection[str] | None = None
) -> Any:
    """Read a JSON document.

    as_written: give numbers as the text that they were written in. known: the names that objects may have; a few
    others are left for whoever validates the document. Raises UnreadableFile for one that is invalid, not in UTF-8,
    too large or too deep, has a duplicate name, or too many names or values.
    """
    bounds.check_size(len(content), name)
    bounds.check_signs(_values(content, bounds.signs), name)
    _check_nesting(content, name)
    numbers: dict[str, Any] = {"parse_float": str, "parse_int": str, "parse_constant": _no_constant}
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_Objects(known), **(numbers if as_written else {}))
    except (ValueError, RecursionError) as fault:
        reason = str(fault) if isinstance(fault, NotTaken) else "not valid JSON in UTF-8"
        raise UnreadableFile(f"{name}: {reason}; send it again") from None


def loads_once(text: str) -> Any:
    """Read JSON in which no name may stand twice in an object; raises ValueError, NotTaken, RecursionError."""
    return json.loads(text, object_pairs_hook=_Objects(None))


def first_keys(content: bytes) -> list[str]:
    """Return names of keys near the beginning of a JSON document, without parsing it."""
    return [key.decode("ascii", "replace") for key in KEY.findall(content[:20_000])[:50]]


class _Objects:
    """Objects of one document: no name twice, for two parsers could read two different declarations."""

    def __init__(self, known: Collection[str] | None) -> None:
        self._known, self._strangers = None if known is None else frozenset(known), 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise NotTaken("an object names the same key twice")
        if len(found) > NAMES:
            raise NotTaken(f"an object has more than {NAMES:,} names")
        if self._known is not None:
            self._strangers += len(found.keys() - self._known)
            if self._strangers > STRANGERS:
                raise NotTaken(f"more than {STRANGERS} names are unknown; /openapi.json lists those that are known")
        return found


def _no_constant(_: str) -> None:
    raise ValueError("not a number")


def _values(content: bytes, most: int) -> int:
    """Count the values of a document, or an upper bound of them where that is within `most`."""
    signs = sum(map(content.count, SEPARATORS))
    if signs <= most:
        return signs
    within = (string.group() for string in STRINGS.finditer(content))
    return signs - sum(string.count(sign) for string in within for sign in SEPARATORS)


def _check_nesting(content: bytes, name: str) -> None:
    """Refuse brackets that stand too deep; in a long document also objects of too many names, before they are parsed.

    Parsing one object of half a million names holds up every other thread for as long as it takes.
    """
    long = content.count(b",") > LONG_FROM
    if not long and content.count(b"[") + content.count(b"{") <= DEEPEST:
        return
    signs = LONG if long else BRACKETS
    within: list[int] = []  # for each bracket that is open how many more names may follow; none in a list
    for match in signs.finditer(content):
        sign = match.group()
        if sign == b",":
            if within:
                within[-1] -= 1
                if within[-1] == 0:
                    raise UnreadableFile(f"{name}: an object has more than {NAMES:,} names; send it again")
        elif sign in b"[{":
            within.append(NAMES if sign == b"{" else -1)
            if len(within) > DEEPEST:
                raise UnreadableFile(f"{name}: brackets within brackets more than {DEEPEST} deep")
        elif sign in b"]}" and within:
            within.pop()
