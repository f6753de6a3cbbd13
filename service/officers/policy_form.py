"""A policy changed by a form: the same text with one thing in it that is other, comments and order kept.

What comes out is a text like any other: it is checked, proposed and approved as one that somebody typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import tomlkit
from tomlkit.items import AoT

from features.fault import Fault
from service.orientation.policy_file import kinds_of_columns

CHECKS = ("physical", "scan", "documents", "audit", "expected")
WORDS = ("is", "is_not", "in", "below", "above", "starts_with", "matches", "missing")
SEVERAL = ("in", "starts_with")  # words behind which several values may stand, with commas between


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a rule, as a form has it."""

    column: str
    word: str
    bound: str


def with_capacity(text: str, office: str, checks: Mapping[str, str]) -> str:
    """Give an office other checks a day; what is left empty stays as it is."""
    document = tomlkit.parse(text)
    if not office.strip():
        raise Fault("office: say which, or default")
    section: Any = document.setdefault("capacity", tomlkit.table(is_super_table=True))
    of_office = section.get(office)
    if of_office is None:
        of_office = section[office] = tomlkit.table()
    for name in CHECKS:
        if stated := checks.get(name, "").strip():
            of_office[name] = _whole(name, stated)
    return tomlkit.dumps(document)


def with_threshold(text: str, least: str, rate: str) -> str:
    """Send nobody below another probability, or draw another share by chance; what is empty stays as it is."""
    document = tomlkit.parse(text)
    for section, name, stated in (("risk", "least", least), ("random", "rate", rate)):
        if stated.strip():
            document.setdefault(section, tomlkit.table())[name] = _number(f"{section}.{name}", stated)
    return tomlkit.dumps(document)


def with_rule(
    text: str, code: str, clauses: Sequence[Clause], lane: str, reasons: Mapping[str, str], author: str,
    office: str = "", first: str = "", last: str = "",
) -> str:  # fmt: skip
    """Add a rule, or put it in the place of the one that has its code.

    reasons: by language. first, last: the days on which it holds, or empty.
    """
    document = tomlkit.parse(text)
    rule = tomlkit.table()
    rule["code"] = code.strip()
    when = tomlkit.inline_table()
    for clause in clauses:
        bounds = when.setdefault(clause.column, tomlkit.inline_table())
        bounds[clause.word] = _bound(clause)
    rule["when"], rule["lane"], rule["author"] = when, lane, author
    written = tomlkit.inline_table()
    written.update({language: reason.strip() for language, reason in reasons.items() if reason.strip()})
    rule["reason"] = written
    if office.strip():
        rule["office"] = office.strip()
    for name, day in (("from", first), ("until", last)):
        if day.strip():
            rule[name] = _day(name, day)
    rules = _rules(document)
    places = [place for place, other in enumerate(rules) if other.get("code") == rule["code"]]
    if places:
        rules[places[0]] = rule
    else:
        rules.append(rule)
    return tomlkit.dumps(document)


def with_rule_ended(text: str, code: str, last: str) -> str:
    """Let a rule hold until a day."""
    document = tomlkit.parse(text)
    rule = next((one for one in _rules(document) if one.get("code") == code), None)
    if rule is None:
        raise Fault("code: no rule of the policy has it")
    rule["until"] = _day("until", last)
    return tomlkit.dumps(document)


def _rules(document: tomlkit.TOMLDocument) -> AoT:
    rules = document.setdefault("rules", tomlkit.aot())
    if not isinstance(rules, AoT):
        raise Fault("rules: each rule needs a table of its own under [[rules]]; change the text")
    return rules


def _bound(clause: Clause) -> Any:
    kind = kinds_of_columns().get(clause.column)
    if kind is None:
        raise Fault("column: choose one that the list offers")
    if clause.word not in WORDS:
        raise Fault(f"condition: one of {', '.join(WORDS)}")
    if clause.word == "missing":
        return True
    stated = [part.strip() for part in clause.bound.split(",")] if clause.word in SEVERAL else [clause.bound.strip()]
    if not all(stated):
        raise Fault("bound: say with what it is compared")
    values = [_number("bound", part) if kind == "number" else part for part in stated]
    return values if clause.word in SEVERAL else values[0]


def _number(name: str, text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise Fault(f"{name}: a number") from None


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise Fault(f"{name}: a whole number")
    return int(text)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Fault(f"{name}: a day as YYYY-MM-DD") from None
