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

import polars as pl

from features.choices import APPLICATION_COLUMNS as KEYS
from features.consignment import Consignments
from features.hs_codes import hs_plain
from tests.oracle.entities.comparable import comparable, words_of_name
from tests.oracle.orientation.policy_sections import PolicyFault, day, only, texts

PROTECTED = {"right_holder": pl.String(), "sender_authorised": pl.Float64()}
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
        return named and (not self.hs or not codes or any(code.startswith(self.hs) for code in codes))


def protected(
    consignments: Consignments, applications: Sequence[Application], *, codes_as_written: bool = False
) -> pl.DataFrame:
    """Return PROTECTED, one row per consignment: null where no application valid on its day covers any of its lines.

    sender_authorised: 1 where every right holder whose goods are named authorises the sender, 0 where one does not.
    codes_as_written: as the first edition of judging did (DecisionContext).
    """
    rows = len(consignments)
    holder, allowed = pl.Series([None] * rows, dtype=pl.String), pl.Series([None] * rows, dtype=pl.Float64)
    if applications:
        code = pl.col("hs_code") if codes_as_written else hs_plain(pl.col("hs_code"))
        lines = consignments.goods.select(
            "row", pl.format(" {} ", comparable("description")).alias("wording"), code.fill_null("")
        )
        accounts = (comparable(name) for name in ACCOUNTS)
        senders = consignments.frame.select("row", "lodged_at", words_of_name(NAME), *accounts)
        for application in applications:
            candidates = senders.with_columns(_covered(lines, application, rows)).select(
                (pl.col("covered") & _valid(application)).alias("covered"),
                pl.any_horizontal(pl.col(name).is_in(application.senders) for name in (NAME, *ACCOUNTS))
                .fill_null(False)
                .alias("sends"),
            )
            covered, sends = candidates["covered"], candidates["sends"].cast(pl.Float64)
            owner = application.right_holder
            holder = holder.zip_with(~covered | holder.is_not_null(), pl.repeat(owner, rows, eager=True))
            allowed = allowed.zip_with(~covered, pl.select(pl.min_horizontal(allowed, sends)).to_series())
    return pl.DataFrame([holder.alias("right_holder"), allowed.alias("sender_authorised")])


def _covered(lines: pl.DataFrame, application: Application, rows: int) -> pl.Series:
    named = lines.filter(pl.col("wording").str.contains_any([f" {word} " for word in application.words]))
    if application.hs:
        code = pl.col("hs_code")
        kinds = [code.str.starts_with(start) for start in application.hs]
        named = named.filter(pl.any_horizontal(code == "", *kinds))
    return pl.select(pl.int_range(rows).is_in(named["row"].implode()).alias("covered")).to_series()


def _valid(application: Application) -> pl.Expr:
    day = pl.col("lodged_at").dt.date()
    since = pl.lit(True) if application.start is None else day >= application.start
    return since & (pl.lit(True) if application.end is None else day <= application.end)


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
    either = (*_compared(senders, comparable("text")), *_compared(senders, words_of_name("text")))
    return Application(
        holder, _compared(words, comparable("text")), opted, start, end, naming[0], hs, either, naming[1]
    )  # fmt: skip


def _compared(written: tuple[str, ...], how: pl.Expr) -> tuple[str, ...]:
    """Normalise texts (of a column `text`) for comparison; those that normalise to nothing are left out."""
    frame = pl.DataFrame({"text": list(written)}, schema={"text": pl.String}).select(how)
    return tuple(text for text in frame.to_series() if text)
