"""The suite of expectations of an installation: standard limits, and a file in the home that a unit edits.

[complete]                 # least share of lines that state a column; 0 asks for nothing
consignor_name = 0.98
ioss = 0.3

[medians]                  # least and most of the median of a column
value_eur = [0.5, 400]

[values]                   # what a column may state, beside nothing
mail_class = ["U", "E", "P"]

[limits]
most_gifts = 0.4

[reference]
against = "last"           # compare with the manifest judged before; "none" where absent
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from features.consignment import BY_NAME, STREAMS
from features.fault import Fault

FILE = "expectations.toml"
COMPLETE = {
    "consignor_name": 0.95,
    "consignee_name": 0.95,
    "value": 0.90,
    "gross_mass_kg": 0.90,
    "dispatch_country": 0.90,
    "hs_code": 0.50,
}
# wide enough for any honest day, too narrow for cents or grams
MEDIANS = {"value_eur": (0.2, 1_000.0), "gross_mass_kg": (0.01, 50.0)}
SHARES = ("most_gifts", "drift", "least_offices")  # limits from nought to one
FACTORS = ("volume_factor", "median_factor")  # limits of at least one
TABLES = ("complete", "medians", "values", "limits", "reference")


class SuiteFault(Fault):
    """A file of expectations that cannot be used; the message names the entry and says what it takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the suite: of the manifest alone, and of how far it may be from the reference.

    first_year, last_year: a clock that was never set writes 1970. drift: of a share. least_offices: a share of the
    reference's number of offices.
    """

    most_gifts: float = 0.60
    longest_span_days: float = 31.0
    first_year: float = 2015
    last_year: float = 2100
    volume_factor: float = 1.8
    median_factor: float = 3.0
    drift: float = 0.25
    least_offices: float = 0.5


@dataclass(frozen=True, slots=True)
class Suite:
    """What is expected of a manifest.

    complete: column → least share of lines that state it. medians: column → least and most. values: column → what it
    may state. against_last: whether a manifest is compared with the one judged before.
    """

    complete: Mapping[str, float] = field(default_factory=lambda: COMPLETE)
    medians: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MEDIANS)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"stream": STREAMS})
    limits: Limits = Limits()
    against_last: bool = False

    def as_toml(self) -> str:
        """Write the suite as a file that `load_suite` reads."""
        limits = {f.name: getattr(self.limits, f.name) for f in fields(self.limits)}
        values = {name: f"[{', '.join(map(_quoted, allowed))}]" for name, allowed in self.values.items()}
        medians = {name: f"[{least:g}, {most:g}]" for name, (least, most) in self.medians.items()}
        return "\n".join(
            (
                *_table("complete", "least share of lines that state a column; 0 asks for nothing", self.complete),
                *_table("medians", "least and most of the median of a column", medians),
                *_table("values", "what a column may state, beside nothing", values),
                *_table("limits", "of the manifest alone, and of how far it may be from the reference", limits),
                *_table("reference", '"last": compare with the manifest judged before; "none"', self._reference()),
            )
        )

    def _reference(self) -> dict[str, str]:
        return {"against": _quoted("last" if self.against_last else "none")}


STANDARD = Suite()


def load_suite(home: Path) -> Suite:
    """Read the suite of a home: what its file states in place of the standard; raises SuiteFault for what cannot be."""
    path = home / FILE
    if not path.exists():
        return STANDARD
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SuiteFault(f"{path} cannot be read as TOML; `tamis expectations` shows how it is written") from fault
    return suite_of(written)


def suite_of(written: Mapping[str, Any]) -> Suite:
    """Check what a file states and put it over the standard; raises SuiteFault with every mistake in one line."""
    faults = [f"{FILE}: table {place} is unknown; there are {', '.join(TABLES)}"
              for place, name in enumerate(written, start=1) if name not in TABLES]  # fmt: skip
    tables = {name: written.get(name, {}) for name in TABLES}
    faults += [f"{FILE}: {name} is a table" for name, table in tables.items() if not isinstance(table, Mapping)]
    if faults:
        raise SuiteFault("; ".join(faults))
    faults = [
        *_wrong("complete", tables["complete"], BY_NAME, _is_share, "a share from 0 to 1"),
        *_wrong("medians", tables["medians"], MEDIANS, _is_range, "two numbers, the least and the most"),
        *_wrong("values", tables["values"], _texts(), _is_texts, "a list of texts, at least one"),
        *_wrong("limits", tables["limits"], _limits(SHARES), _is_share, "a share from 0 to 1", others=_limits()),
        *_wrong("limits", tables["limits"], _limits(FACTORS), _is_factor, "a number from 1 on", others=_limits()),
        *_wrong("limits", tables["limits"], _limits(), _is_number, "a number above 0"),
        *_wrong("reference", tables["reference"], ("against",), lambda v: v in ("last", "none"), '"last" or "none"'),
    ]
    if faults:
        raise SuiteFault("; ".join(dict.fromkeys(faults)))
    return Suite(
        complete={name: share for name, share in (COMPLETE | dict(tables["complete"])).items() if share},
        medians=MEDIANS | {name: (float(least), float(most)) for name, (least, most) in tables["medians"].items()},
        values={"stream": STREAMS} | {name: tuple(allowed) for name, allowed in tables["values"].items()},
        limits=replace(Limits(), **tables["limits"]),
        against_last=tables["reference"].get("against") == "last",
    )


def _wrong(table: str, entries: Mapping[str, Any], known: Any, fits: Any, takes: str, *, others: Any = ()) -> list[str]:
    """Name the entries that are unknown, by their place as they may say anything, or whose value does not fit.

    others: names that another check knows.
    """
    unknown = [
        f"{FILE}: entry {place} of {table} is unknown; there are {', '.join(known)}"
        for place, name in enumerate(entries, start=1)
        if name not in known and name not in others
    ]
    return unknown + [
        f"{FILE}: {table}.{name} takes {takes}" for name, v in entries.items() if name in known and not fits(v)
    ]


def _texts() -> list[str]:
    return [name for name, column in BY_NAME.items() if column.kind == "text"]


def _limits(names: tuple[str, ...] = ()) -> tuple[str, ...]:
    return names or tuple(f.name for f in fields(Limits))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _is_share(value: object) -> bool:
    return (value == 0 and not isinstance(value, bool)) or (_is_number(value) and value <= 1)  # type: ignore[operator]  # a number


def _is_factor(value: object) -> bool:
    return _is_number(value) and value >= 1  # type: ignore[operator]  # a number


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _table(name: str, meaning: str, entries: Mapping[str, Any]) -> list[str]:
    return [f"[{name}]  # {meaning}", *(f"{key} = {value}" for key, value in entries.items()), ""]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
