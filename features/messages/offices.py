"""The offices that there are, and other names by which carriers call them: a file of the installation.

    [offices]
    FRCDG1 = ["CDG", "FRCDGA", "Roissy"]
    FRORY1 = []

An office is named by the code that policy and capacity know it by, with its other names; capitals and spaces around a
name do not matter. An office that is none of them keeps its name, and is asked about.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from features.algebra import Text
from features.algebra.tables import Table
from features.algebra.written import SPACE, Flags, upper
from features.consignment import BY_NAME
from features.fault import Fault

NOT_LISTED = "none of the offices of this installation"


class OfficesFault(Fault):
    """A file of offices that cannot be used; names the entry at fault."""


@dataclass(frozen=True)
class Offices:
    """Offices by every name that they have, in capitals; empty where nobody has said which there are."""

    by_name: Mapping[str, str] = field(default_factory=dict)

    def code_of(self, written: str | None) -> str | None:
        """The code of an office by any of its names; what is none of them as it was written."""
        return None if written is None else self.by_name.get(written.strip().upper(), written)

    def in_rows(self, rows: Table) -> Table:
        """Rows of the manifest with the codes of their offices."""
        if not self.by_name or rows.kinds.get("office") != pl.String:
            return rows
        return rows.holding({"office": rows.text("office").each(self._code)})

    def _code(self, written: str) -> str:
        return self.by_name.get(upper(written.strip(SPACE)), written)

    def unlisted(self, offices: Text) -> Flags | None:
        """Where an office is none of those that there are; None where nobody has said which there are."""
        return None if not self.by_name else offices.holds(lambda office: office not in self._codes)

    @cached_property
    def _codes(self) -> frozenset[str]:
        return frozenset(self.by_name.values())


ANY_OFFICE = Offices()


def load_offices(path: Path | None) -> Offices:
    """Read the file of offices, TOML; any office is known where there is none. Raises OfficesFault."""
    if path is None:
        return ANY_OFFICE
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise OfficesFault(f"offices: the file cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise OfficesFault(f"offices: not valid TOML: {fault}") from fault
    offices = written.get("offices")
    if set(written) != {"offices"} or not isinstance(offices, dict) or not offices:
        raise OfficesFault('offices: needs one table, [offices], with a line such as FRCDG1 = ["CDG"] for each office')
    by_name: dict[str, str] = {}
    for code, aliases in offices.items():
        for name in _names(code, aliases):
            if by_name.setdefault(name, code) != code:
                raise OfficesFault(f"offices.{code}: has a name that another office has too; give it to one of them")
    return Offices(by_name)


def _names(code: str, aliases: object) -> Iterable[str]:
    if not isinstance(aliases, list) or not all(isinstance(name, str) and name.strip() for name in aliases):
        raise OfficesFault(f'offices.{code}: needs a list of its other names, such as ["CDG"]; [] where it has none')
    if len(code) > BY_NAME["office"].longest:
        raise OfficesFault(f"offices.{code[:20]}…: at most {BY_NAME['office'].longest} characters")
    return dict.fromkeys(name.strip().upper() for name in (code, *aliases))
