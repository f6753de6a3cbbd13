"""Right holders' applications for action: the goods each covers, the authorised senders, and the contact to notify.

They are part of the policy, so that a replay uses those that were in force. Rules may use two columns derived from
them, in addition to the declared ones: `right_holder`, whose goods the wording names, and `sender_authorised`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from features.algebra import Text
from features.choices import APPLICATION_COLUMNS as KEYS
from features.consignment import Consignments
from features.hs_codes import hs_plain_text
from features.moments import EPOCH
from service.orientation.columns import Floats, Known
from service.orientation.normal_texts import normal, normal_name
from service.orientation.periods import MICROSECOND
from service.orientation.policy_sections import PolicyFault, day, only, texts
from service.orientation.rule_conditions import Kind

PROTECTED: dict[str, Kind] = {"right_holder": "text", "sender_authorised": "number"}
NAME, ACCOUNTS = "consignor_name", ("consignor_id", "seller_account")  # by any of which a sender may be authorised


@dataclass(frozen=True, slots=True)
class Application:
    """A right holder's application for action, as granted.

    number: of the decision that granted it. words: brand words that identify its goods, normalised for comparison. hs:
    prefixes of the HS codes that it covers; all codes where empty. senders: normalised names, numbers or accounts of
    authorised senders. contact: to be notified of a detention. small_consignments: whether it requests the procedure
    for small consignments. start, end: the first and last day of its validity.
    """

    right_holder: str
    words: tuple[str, ...] = ()
    small_consignments: bool = False
    start: date | None = None
    end: date | None = None
    number: str = ""
    hs: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    contact: str = ""

    def holds_on(self, day: date) -> bool:
        """Return true if the application is valid on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def covers(self, wording: str, codes: Sequence[str]) -> bool:
        """Return true if the wording contains one of its brand words and the known HS codes fit.

        wording: normalised for comparison.
        """
        named = any(f" {word} " in f" {wording} " for word in self.words)
        return named and self.fits(codes)

    def fits(self, codes: Sequence[str]) -> bool:
        """Return true if one of the known HS codes is among its own, or nothing is known of either."""
        return not self.hs or not codes or any(code.startswith(self.hs) for code in codes)


def protected(
    consignments: Consignments, known: Known, applications: Sequence[Application], *, codes_as_written: bool = False
) -> tuple[Text, Floats]:
    """Return PROTECTED of consignments: unknown where no application valid on its day covers any of its lines.

    sender_authorised: 1 where every right holder whose goods are named authorises the sender, 0 where one does not.
    codes_as_written: as the first edition of judging did (DecisionContext).
    """
    holders: list[str | None] = [None] * len(known)
    authorised = np.full(len(known), np.nan)
    if not applications:
        return Text.of(holders), authorised
    days = [(EPOCH + moment * MICROSECOND).date() for moment in known.moments("lodged_at").tolist()]
    covered = [
        (row, applications[place])
        for row, place in sorted(_covered(consignments, applications, codes_as_written=codes_as_written))
        if applications[place].holds_on(days[row])
    ]
    senders = _senders(known, [row for row, _ in covered])
    for (row, application), sender in zip(covered, senders, strict=True):
        holders[row] = holders[row] or application.right_holder
        authorised[row] = np.fmin(authorised[row], float(not sender.isdisjoint(application.senders)))
    return Text.of(holders), authorised


def _senders(known: Known, rows: Sequence[int]) -> list[set[str | None]]:
    """Return for each of these rows the names and accounts by which a right holder may know its sender."""
    names = normal_name(_values(known.text(NAME), rows))
    accounts = (normal(_values(known.text(name), rows)) for name in ACCOUNTS)
    return [{*each} - {None} for each in zip(names, *accounts, strict=True)]


def _values(column: Text, rows: Sequence[int]) -> list[str | None]:
    return [column.words[code] for code in column.codes[list(rows)].tolist()] if rows else []


def _covered(
    consignments: Consignments, applications: Sequence[Application], *, codes_as_written: bool
) -> set[tuple[int, int]]:
    """Return pairs of a consignment and the place of an application that covers one of its lines."""
    wording = consignments.lines.text_or_unknown("description")
    named = _named(normal(wording.words), applications)
    declared = consignments.lines.text_or_unknown("hs_code").rows()
    codes = declared if codes_as_written else [code and hs_plain_text(code) for code in declared]
    return {
        (row, place)
        for row, words, code in zip(
            consignments.lines.whole("row").values.tolist(), wording.codes.tolist(), codes, strict=True
        )
        for place in named[words]
        if applications[place].fits([code] if code else [])
    }


def _named(wordings: Sequence[str | None], applications: Sequence[Application]) -> list[set[int]]:
    """Return for each wording the places of the applications whose brand words it contains.

    Brand words are found by the first word of each, so that the time does not grow with the number of applications.
    """
    by_first: dict[str, list[tuple[list[str], int]]] = {}
    for place, application in enumerate(applications):
        for brand in application.words:
            words = brand.split(" ")
            by_first.setdefault(words[0], []).append((words, place))
    found: list[set[int]] = []
    for wording in wordings:
        written = wording.split(" ") if wording else []
        found.append({
            place
            for start, word in enumerate(written)
            for words, place in by_first.get(word, ())
            if written[start : start + len(words)] == words
        })  # fmt: skip
    return found


def read_applications(written: Any) -> tuple[Application, ...]:
    """Read the tables `applications` of a policy; raises PolicyFault naming the application and the key at fault."""
    if not isinstance(written, list) or not all(isinstance(table, Mapping) for table in written):
        raise PolicyFault("applications: each needs a table of its own under [[applications]]")
    return tuple(_application(table) for table in written)


def _application(written: Mapping[str, Any]) -> Application:
    holder = written.get("right_holder")
    if not isinstance(holder, str) or not holder:
        raise PolicyFault("applications: each needs a right_holder")
    where = f"application of {holder}"
    only(written, KEYS, where)
    opted = written.get("small_consignments", False)
    if not isinstance(opted, bool):
        raise PolicyFault(f"{where}.small_consignments: must be true or false")
    naming = [written.get(name, "") for name in ("number", "contact")]
    if not all(isinstance(text, str) for text in naming):
        raise PolicyFault(f"{where}: number and contact must be texts")
    hs = tuple(re.sub(r"[.\s]", "", code) for code in texts(written, f"{where}.hs", ()))
    if not all(code.isascii() and code.isdecimal() for code in hs):
        raise PolicyFault(f"{where}.hs: needs prefixes of HS codes: digits, with dots and spaces or without")
    start, end = day(written, f"{where}.from"), day(written, f"{where}.until")
    if start is not None and end is not None and end < start:
        raise PolicyFault(f"{where}: until is before from")
    words, senders = (texts(written, f"{where}.{name}", ()) for name in ("words", "senders"))
    either = (*_known(normal(senders)), *_known(normal_name(senders)))
    return Application(holder, _known(normal(words)), opted, start, end, naming[0], hs, either, naming[1])


def _known(texts_or_none: Sequence[str | None]) -> tuple[str, ...]:
    """Leave out texts of which nothing is left for comparison."""
    return tuple(text for text in texts_or_none if text)
