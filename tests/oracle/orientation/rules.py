"""Rules in addition to the model: conditions on named columns, a lane and a reason, readable in a TOML file."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from tests.oracle.orientation.lanes import Lane, Track
from tests.oracle.orientation.policy_sections import PolicyFault, day

Condition = Callable[[pl.Expr, Any], pl.Expr]
CONDITIONS: dict[str, Condition] = {
    "is": lambda value, word: value == word,
    "is_not": lambda value, word: value != word,
    "in": lambda value, words: functools.reduce(operator.or_, (value == word for word in words)),
    "below": lambda value, bound: value < bound,
    "above": lambda value, bound: value > bound,
    "starts_with": lambda value, words: functools.reduce(
        operator.or_, (value.str.starts_with(w) for w in ([words] if isinstance(words, str) else words))
    ),
    "matches": lambda value, pattern: value.str.contains(pattern),
    "missing": lambda value, wanted: value.is_null() == wanted,
}
FIELDS = {"code", "when", "lane", "track", "reason", "author", "office", "from", "until", "snoozed_until"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `when` all of its conditions hold for a consignment, it asks for `lane` and gives `reason`.

    start, end: the first and the last day that it is in force. snoozed: before this day it asks for nothing.
    """

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
    snoozed: date | None = None

    def holds(self) -> pl.Expr:
        """Return the condition on a row of consignment columns and features; false where a value is unknown."""
        conditions = [self.when]
        if self.office is not None:
            conditions.append(pl.col("office").fill_null("unknown") == self.office)  # as capacity names it
        if self.start is not None:
            conditions.append(pl.col("lodged_at").dt.date() >= self.start)
        if self.end is not None:
            conditions.append(pl.col("lodged_at").dt.date() <= self.end)
        if self.snoozed is not None:
            conditions.append(pl.col("lodged_at").dt.date() >= self.snoozed)
        return functools.reduce(operator.and_, conditions).fill_null(False)

    def state(self, today: date) -> str:
        """Return the state of the rule on a day: `active`, `to come`, `expired` or `snoozed`."""
        if self.end is not None and self.end < today:
            return "expired"
        if self.start is not None and self.start > today:
            return "to come"
        return "snoozed" if self.snoozed is not None and self.snoozed > today else "active"

    def anew(self) -> Rule:
        """Return the same rule without its days: what it would select at any time."""
        return replace(self, start=None, end=None, snoozed=None)


def read_rule(written: Any, sample: pl.DataFrame) -> Rule:
    """Read a rule from its TOML table; raises PolicyFault naming the rule and the key at fault.

    sample: one row of everything that a condition may name; conditions are tried on it.
    """
    if not isinstance(written, Mapping):
        raise PolicyFault("rules: each rule needs a table of its own under [[rules]]")
    code = str(written.get("code", "?"))
    unknown = sorted(set(written) - FIELDS)
    if unknown:
        raise PolicyFault(f"rule {code}: unknown key {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    missing = [key for key in ("code", "when", "lane", "reason", "author") if not written.get(key)]
    if missing:
        raise PolicyFault(f"rule {code}: needs {missing[0]!r}")
    if written["lane"] not in Lane.__members__:
        raise PolicyFault(f"rule {code}: lane {written['lane']!r} is none of {', '.join(Lane.__members__)}")
    if written.get("track", "none") not in Track.__members__:
        raise PolicyFault(f"rule {code}: track {written['track']!r} is none of {', '.join(Track.__members__)}")
    start, end = day(written, f"rule {code}.from"), day(written, f"rule {code}.until")
    if start is not None and end is not None and end < start:
        raise PolicyFault(f"rule {code}: until is before from")
    if not isinstance(written.get("office", ""), str):
        raise PolicyFault(f"rule {code}: office names one office; write a rule for each")
    rule = Rule(
        code=code,
        when=functools.reduce(operator.and_, _conditions(code, written["when"], sample)),
        columns=tuple(written["when"]),
        lane=Lane[written["lane"]],
        track=Track[written.get("track", "none")],
        reason=_reason(code, written["reason"]),
        author=written["author"],
        office=written.get("office"),
        start=start,
        end=end,
        snoozed=day(written, f"rule {code}.snoozed_until"),
    )
    _try(rule, sample)
    return rule


def _reason(code: str, written: Any) -> Mapping[str, str]:
    reason = {"en": written} if isinstance(written, str) else written
    if not isinstance(reason, Mapping) or not reason.get("en"):
        raise PolicyFault(f"rule {code}: reason needs a sentence in English, en")
    return reason


def _try(rule: Rule, sample: pl.DataFrame) -> None:
    try:
        sample.select(rule.holds())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as fault:
        raise PolicyFault(f"rule {rule.code}: when: a condition does not fit the type of its column") from fault


def _conditions(code: str, when: Any, sample: pl.DataFrame) -> list[pl.Expr]:
    if not isinstance(when, Mapping):
        raise PolicyFault(f"rule {code}: when: needs a table of columns and conditions")
    conditions = []
    for column, tests in when.items():
        if column not in sample.columns:
            raise PolicyFault(f"rule {code}: no consignment column or feature is called {column!r}")
        if tests in ({}, []):
            raise PolicyFault(f"rule {code}: {column}: needs a condition")
        for word, bound in (tests if isinstance(tests, Mapping) else {"is": tests}).items():
            if word not in CONDITIONS:
                known = ", ".join(CONDITIONS)
                raise PolicyFault(f"rule {code}: {column}: unknown condition {word!r}; known are {known}")
            if bound == []:
                raise PolicyFault(f"rule {code}: {column}: {word}: the list is empty")
            conditions.append(CONDITIONS[word](pl.col(column), bound))
    return conditions
