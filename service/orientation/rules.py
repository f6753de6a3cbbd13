"""Rules in addition to the model: conditions on named columns, a lane and a reason, readable in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from service.orientation.columns import Bools, Known
from service.orientation.lanes import Lane, PreArrival, Track
from service.orientation.policy_sections import PolicyFault, day
from service.orientation.rule_conditions import CONDITIONS, Condition, Kind, Misfit, compiled, is_chance

FIELDS = {
    "code",
    "when",
    "lane",
    "pre_arrival",
    "track",
    "reason",
    "author",
    "office",
    "from",
    "until",
    "snoozed_until",
}
EARLY = ("request_information", "request_amendment", "request_screening")  # that a rule may ask for before arrival
FIRST_DAY = date(1970, 1, 1)
MICROS_OF_A_DAY = 86_400_000_000
UNKNOWN_OFFICE = "unknown"  # as capacity names it


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `when` all of its conditions hold for a consignment, it asks for `lane` and gives `reason`.

    start, end: the first and the last day that it is in force. snoozed: before this day it asks for nothing. early:
    what it asks for before arrival; no_risk asks for nothing.
    """

    code: str
    when: tuple[Condition, ...]
    columns: tuple[str, ...]
    lane: Lane
    track: Track
    reason: Mapping[str, str]
    author: str
    office: str | None
    start: date | None
    end: date | None
    snoozed: date | None = None
    early: PreArrival = PreArrival.no_risk

    def holds(self, known: Known) -> Bools:
        """Return for each consignment whether all conditions hold; false where a value is unknown."""
        held = self.when[0](known)
        for condition in self.when[1:]:
            held = held & condition(known)
        if self.office is not None:
            office = known.text("office")
            held = held & (office.holds(self.office.__eq__) | (~office.known() & (self.office == UNKNOWN_OFFICE)))
        since = [first for first in (self.start, self.snoozed) if first is not None]
        if not since and self.end is None:
            return held
        days = known.moments("lodged_at") // MICROS_OF_A_DAY
        for first in since:
            held = held & (days >= (first - FIRST_DAY).days)
        return held if self.end is None else held & (days <= (self.end - FIRST_DAY).days)

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


def read_rule(written: Any, kinds: Mapping[str, Kind]) -> Rule:
    """Read a rule from its TOML table; raises PolicyFault naming the rule and the key at fault.

    kinds: of every column that a condition may name, what its values are.
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
    if written.get("pre_arrival", EARLY[0]) not in EARLY:
        raise PolicyFault(f"rule {code}: pre_arrival is none of {', '.join(EARLY)}")
    start, end = day(written, f"rule {code}.from"), day(written, f"rule {code}.until")
    if start is not None and end is not None and end < start:
        raise PolicyFault(f"rule {code}: until is before from")
    if not isinstance(written.get("office", ""), str):
        raise PolicyFault(f"rule {code}: office names one office; write a rule for each")
    return Rule(
        code=code,
        when=tuple(_conditions(code, written["when"], kinds)),
        columns=tuple(written["when"]),
        lane=Lane[written["lane"]],
        track=Track[written.get("track", "none")],
        reason=_reason(code, written["reason"]),
        author=written["author"],
        office=written.get("office"),
        start=start,
        end=end,
        snoozed=day(written, f"rule {code}.snoozed_until"),
        early=PreArrival[written.get("pre_arrival", "no_risk")],
    )


def _reason(code: str, written: Any) -> Mapping[str, str]:
    reason = {"en": written} if isinstance(written, str) else written
    if not isinstance(reason, Mapping) or not reason.get("en"):
        raise PolicyFault(f"rule {code}: reason needs a sentence in English, en")
    return reason


def _conditions(code: str, when: Any, kinds: Mapping[str, Kind]) -> list[Condition]:
    if not isinstance(when, Mapping):
        raise PolicyFault(f"rule {code}: when: needs a table of columns and conditions")
    conditions = []
    for column, tests in when.items():
        kind = "chance" if is_chance(column) else kinds.get(column)
        if kind is None:
            raise PolicyFault(f"rule {code}: no consignment column or feature is called {column!r}")
        if tests in ({}, []):
            raise PolicyFault(f"rule {code}: {column}: needs a condition")
        for word, bound in (tests if isinstance(tests, Mapping) else {"is": tests}).items():
            if word not in CONDITIONS:
                known = ", ".join(CONDITIONS)
                raise PolicyFault(f"rule {code}: {column}: unknown condition {word!r}; known are {known}")
            if bound == []:
                raise PolicyFault(f"rule {code}: {column}: {word}: the list is empty")
            try:
                conditions.append(compiled(column, kind, word, bound))
            except Misfit as fault:
                raise PolicyFault(f"rule {code}: when: a condition does not fit the type of its column") from fault
    return conditions
