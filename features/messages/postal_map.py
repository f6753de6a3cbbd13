"""Where each thing stands in one operator's postal messages: the tables of `postal.toml`, and changes to them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from features.fault import Fault
from features.messages.masses import units

STANDARD = Path(__file__).with_name("postal.toml")
TABLES = ("message", "item", "consignor", "consignee", "piece", "receptacle", "words", "units")
PLACED = ("message", "item", "consignor", "consignee", "piece", "receptacle")
Steps = tuple[str, ...]
Places = tuple[tuple[Steps, ...], ...]


class PostalMapFault(Fault):
    """A map that cannot be used; names the table and key at fault."""


@dataclass(frozen=True, slots=True)
class PostalMap:
    """Where things stand in one operator's messages; the tables of `postal.toml`."""

    tables: Mapping[str, Mapping[str, Any]]
    paths: Mapping[tuple[str, str], Places]

    def places(self, table: str, key: str) -> Places:
        return self.paths[table, key]

    def names(self, key: str) -> frozenset[str]:
        """Return names of the message table, as they are compared; an array may bear their plural."""
        return frozenset(path[0] for parts in self.places("message", key) for path in parts)

    def word(self, kind: str, written: str) -> str | None:
        found: str | None = self.tables["words"][kind].get(" ".join(written.lower().split()))
        return found


def postal_map(changes: Mapping[str, Any] | None = None) -> PostalMap:
    """Return the standard map with an operator's own places where it states any; raises PostalMapFault."""
    standard = _standard()
    for table, keys in (changes or {}).items():
        if table not in TABLES or not isinstance(keys, Mapping):
            raise PostalMapFault(f"postal.{table}: unknown; one of {', '.join(TABLES)}")
        for key, places in keys.items():
            _check(standard, table, key, places)
    merged = {table: {**standard[table], **(changes or {}).get(table, {})} for table in TABLES}
    merged["words"] = {k: {**w, **(changes or {}).get("words", {}).get(k, {})} for k, w in standard["words"].items()}
    paths = {
        (table, key): tuple(_parts(place) for place in places)
        for table in PLACED
        for key, places in merged[table].items()
    }
    return PostalMap(merged, paths)


def _parts(place: str) -> tuple[Steps, ...]:
    """Read `a/b + c` as paths of names: those that stand beside one another, each step by step."""
    return tuple(tuple(map(plain, part.split("/"))) for part in place.split("+"))


@lru_cache(maxsize=1)
def _standard() -> dict[str, Any]:
    return tomllib.loads(STANDARD.read_text(encoding="utf-8"))


def _check(standard: Mapping[str, Any], table: str, key: str, places: Any) -> None:
    if key not in standard[table]:
        raise PostalMapFault(f"postal.{table}.{key}: unknown; one of {', '.join(standard[table])}")
    if table == "words":
        if not isinstance(places, Mapping) or not all(isinstance(word, str) for word in places.values()):
            raise PostalMapFault(f"postal.words.{key}: needs words, each with ours")
    elif table == "units":
        if not isinstance(places, str) or places not in units():
            raise PostalMapFault(f"postal.units.mass: needs a unit of mass: one of {', '.join(units())}")
    elif not isinstance(places, list) or not all(isinstance(place, str) and place.strip() for place in places):
        raise PostalMapFault(f'postal.{table}.{key}: needs a list of places such as ["itemId"]')


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Bring a name to the form in which it is compared."""
    return re.sub(r"[-_\s.]", "", name).lower()
