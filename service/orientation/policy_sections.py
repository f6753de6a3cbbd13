"""Sections and keys of a policy file, each refused by its name where it does not hold what it should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from features.fault import Fault


class PolicyFault(Fault):
    """A policy file that cannot be used; the message names the section and key."""


def section_of(written: Mapping[str, Any], name: str, known: Iterable[str] = ()) -> Mapping[str, Any]:
    """Return a section, empty where the file has none; refuses other keys than the known ones, where they are named."""
    section = written.get(name, {})
    if not isinstance(section, Mapping):
        raise PolicyFault(f"{name}: needs a section [{name}]")
    if known:
        only(section, known, name)
    return section


def only(section: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse a key that would never be read."""
    unknown = sorted(set(section) - set(known))
    if unknown:
        raise PolicyFault(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def share(section: Mapping[str, Any], where: str, default: float) -> float:
    """Read a number from 0 to 1."""
    value = section.get(_key(where), default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PolicyFault(f"{where}: needs a number from 0 to 1")
    return float(value)


def above_zero(section: Mapping[str, Any], where: str, default: float) -> float:
    """Read a number above 0."""
    value = section.get(_key(where), default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise PolicyFault(f"{where}: needs a number above 0")
    return float(value)


def whole(section: Mapping[str, Any], where: str, default: int | None, least: int | None = 0) -> int:
    """Read a whole number, not below `least`; required where there is no default."""
    value = section.get(_key(where), default)
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        bound = {None: "", 0: ", zero or more", 1: ", one or more"}.get(least, f", {least} or more")
        raise PolicyFault(f"{where}: needs a whole number{bound}")
    return value


def day(section: Mapping[str, Any], where: str) -> date | None:
    """Read a day, if given."""
    value = section.get(_key(where))
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise PolicyFault(f"{where}: is not a date; write {_key(where)} = 2026-03-01")
    return value


def texts(section: Mapping[str, Any], where: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of non-empty texts."""
    value = section.get(_key(where), list(default))
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise PolicyFault(f"{where}: needs a list of texts")
    return tuple(value)


def _key(where: str) -> str:
    return where.rsplit(".", 1)[1]
