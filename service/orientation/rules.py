"""Rules beside the model: conditions on named columns, an outcome and a reason, readable in a TOML file."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from features.fault import Fault
from service.orientation.lanes import Lane, Track


class PolicyFault(Fault):
    """A policy file that cannot be used; the message names the section and key."""


Condition = Callable[[pl.Expr, Any], pl.Expr]
CONDITIONS: dict[str, Condition] = {
    "is": lambda value, word: value == word,
    "is_not": lambda value, word: value != word,
    "in": lambda value, words: value.is_in(words),
    "below": lambda value, bound: value < bound,
    "above": lambda value, bound: value > bound,
    "starts_with": lambda value, words: functools.reduce(
        operator.or_, (value.str.starts_with(w) for w in ([words] if isinstance(words, str) else words))
    ),
    "matches": lambda value, pattern: value.str.contains(pattern),
    "missing": lambda value, wanted: value.is_null() == wanted,
}
FIELDS = {"code", "when", "lane", "track", "reason", "author", "office", "from", "until"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `when` all of its conditions hold for a consignment, it asks for `lane` and gives `reason`."""

    code: str
    when: pl.Expr
    columns: tuple[str, ...]
    lane: Lane
    track: Track
    reason: Mapping[str, str]
    author: str
    office: str | None
    start: date | None
    end: date | None

    def holds(self) -> pl.Expr:
        """Whether the rule applies to a row of consignment columns and features; false where a value is unknown."""
        conditions = [self.when]
        if self.office is not None:
            conditions.append(pl.col("office") == self.office)
        if self.start is not None:
            conditions.append(pl.col("lodged_at").dt.date() >= self.start)
        if self.end is not None:
            conditions.append(pl.col("lodged_at").dt.date() <= self.end)
        return functools.reduce(operator.and_, conditions).fill_null(False)


def read_rule(written: Mapping[str, Any], known: set[str]) -> Rule:
    """A rule from its TOML table; raises PolicyFault naming the rule and the key at fault."""
    code = str(written.get("code", "?"))
    unknown = sorted(set(written) - FIELDS)
    if unknown:
        raise PolicyFault(f"rule {code}: unknown key {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    lacking = [key for key in ("code", "when", "lane", "reason", "author") if not written.get(key)]
    if lacking:
        raise PolicyFault(f"rule {code}: needs {lacking[0]!r}")
    if written["lane"] not in Lane.__members__:
        raise PolicyFault(f"rule {code}: lane {written['lane']!r} is none of {', '.join(Lane.__members__)}")
    if written.get("track", "none") not in Track.__members__:
        raise PolicyFault(f"rule {code}: track {written['track']!r} is none of {', '.join(Track.__members__)}")
    reason = written["reason"]
    return Rule(
        code=code,
        when=functools.reduce(operator.and_, _conditions(code, written["when"], known)),
        columns=tuple(written["when"]),
        lane=Lane[written["lane"]],
        track=Track[written.get("track", "none")],
        reason=reason if isinstance(reason, Mapping) else {"en": reason},
        author=written["author"],
        office=written.get("office"),
        start=_day(code, "from", written.get("from")),
        end=_day(code, "until", written.get("until")),
    )


def _conditions(code: str, when: Mapping[str, Any], known: set[str]) -> list[pl.Expr]:
    conditions = []
    for column, tests in when.items():
        if column not in known:
            raise PolicyFault(f"rule {code}: no consignment column or feature is called {column!r}")
        for word, bound in (tests if isinstance(tests, Mapping) else {"is": tests}).items():
            if word not in CONDITIONS:
                raise PolicyFault(
                    f"rule {code}: {column}: unknown condition {word!r}; known are {', '.join(CONDITIONS)}"
                )
            conditions.append(CONDITIONS[word](pl.col(column), bound))
    return conditions


def _day(code: str, key: str, value: object) -> date | None:
    if value is not None and not isinstance(value, date):
        raise PolicyFault(f"rule {code}: {key} is no date; write {key} = 2026-03-01")
    return value
