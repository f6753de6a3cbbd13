"""What a list states: the frame that every reader fills, and the account of what was read and what was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from features.fault import Fault

STATEMENTS = pl.Schema(
    {
        "subject_id": pl.String(),
        "label": pl.String(),
        "property": pl.String(),
        "text": pl.String(),
        "source": pl.String(),
    }
)
PROPERTIES = {  # property of a subject → the column that it is compared by, if any; no parcel states wallet and tag
    "name": "consignor_name",
    "email": "consignor_email",
    "phone": "consignor_phone",
    "address": "consignor_address",
    "country": "consignor_country",
    "id": "consignor_id",
    "account": "seller_account",
    "url": "seller_url",
    "wallet": "wallet",
    "tag": "tag",
    "iban": "tag",
    "pseudonym": "tag",
    "counterparty": None,
    "ip": None,
    "title": None,
    "brand": None,
    "price": None,
}
PREFIXES = {"iban": "IBAN ", "pseudonym": "pseudonym "}  # of what is compared in the column of another kind
LONGEST, MOST_PROBLEMS = 2_000, 1_000
MOST_STATEMENTS = 5_000_000
Row = tuple[str, str, str, str]  # subject, label, property, text


class Unreadable(Fault):
    """A list of which nothing can be read; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as read: its statements (STATEMENTS), unreadable places, and the number of what was left out.

    problems: line, reason and remedy of each, at most MOST_PROBLEMS. left_out: by kind of thing and reason. No text of
    the list stands in either.
    """

    format: str
    statements: pl.DataFrame
    problems: list[dict[str, Any]]
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)

    def read(self) -> dict[str, int]:
        """Count the statements by property, in the order of PROPERTIES; `subject` counts whom they are about."""
        number = dict(self.statements.group_by("property").len().rows())
        of_properties = {name: number[name] for name in PROPERTIES if name in number}
        return {"subject": self.statements["subject_id"].n_unique(), **of_properties}

    def account(self) -> dict[str, Any]:
        """Return what was read and what was left out, by kind and reason, for a program to read."""
        left_out = [{"kind": kind, "reason": reason, "count": n} for (kind, reason), n in self.left_out.items()]
        return {"format": self.format, "read": self.read(), "left_out": left_out, "problems": self.problems}


@dataclass(slots=True)
class Reading:
    """What a reader has to say beside its rows."""

    problems: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def problem(self, line: int, reason: str, remedy: str) -> None:
        """Note a place that cannot be read; neither text may repeat what stands there."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append({"line": line, "reason": reason, "remedy": remedy})

    def leave_out(self, kind: str, reason: str, number: int = 1) -> None:
        """Count what was understood and is not listed, such as the victim of a suspect."""
        self.left_out[kind, reason] += number
