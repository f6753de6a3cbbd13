"""Right holders' applications for action: which goods each covers, who may send them, and whom to tell.

They stand in the policy, so that a decision is given again with those that were in force. Two columns for rules follow
from them, beside what was declared: `right_holder`, whose goods the wording names, and `sender_authorised`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from features.comparable import comparable, words_of_name
from features.consignment import Consignments
from service.orientation.sections import PolicyFault, day, only, texts

PROTECTED = {"right_holder": pl.String(), "sender_authorised": pl.Float64()}
NAME, ACCOUNTS = "consignor_name", ("consignor_id", "seller_account")  # by any of which a sender may be authorised
KEYS = ("right_holder", "number", "words", "hs", "senders", "contact", "small_consignments", "from", "until")


@dataclass(frozen=True, slots=True)
class Application:
    """A right holder's application for action, as granted.

    number: of the decision that granted it. words: brand words by which its goods are named, as they are compared. hs:
    beginnings of the HS codes that it covers; all where there are none. senders: names, numbers or accounts of those
    who may send its goods, as they are compared. contact: whom to tell of a detention. small_consignments: whether it
    asks for the procedure for small consignments. start, end: the days of its first and last validity.
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
        """Whether it is valid on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def covers(self, wording: str, codes: Sequence[str]) -> bool:
        """Whether goods are named by its words, and are of its kind as far as their codes are known.

        wording: as it is compared.
        """
        named = any(f" {word} " in f" {wording} " for word in self.words)
        return named and (not self.hs or not codes or any(code.startswith(self.hs) for code in codes))


def protected(consignments: Consignments, applications: Sequence[Application]) -> pl.DataFrame:
    """PROTECTED, one row a consignment: null where no application that is valid on its day covers a line of it.

    sender_authorised: 1 where every right holder whose goods are named lets the sender send them, 0 where one does not.
    """
    rows = len(consignments)
    holder, allowed = pl.Series([None] * rows, dtype=pl.String), pl.Series([None] * rows, dtype=pl.Float64)
    if applications:
        lines = consignments.goods.select(
            "row", pl.format(" {} ", comparable("description")).alias("wording"), pl.col("hs_code").fill_null("")
        )
        told = (comparable(name) for name in ACCOUNTS)
        senders = consignments.frame.select("row", "lodged_at", words_of_name(NAME), *told)
        for one in applications:
            mine = senders.with_columns(_covered(lines, one, rows)).select(
                (pl.col("covered") & _valid(one)).alias("covered"),
                pl.any_horizontal(pl.col(name).is_in(one.senders) for name in (NAME, *ACCOUNTS))
                .fill_null(False)
                .alias("sends"),
            )
            covered, sends = mine["covered"], mine["sends"].cast(pl.Float64)
            holder = holder.zip_with(~covered | holder.is_not_null(), pl.repeat(one.right_holder, rows, eager=True))
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
    """From the tables `applications` of a policy; raises PolicyFault naming the application and the key at fault."""
    if not isinstance(written, list) or not all(isinstance(one, Mapping) for one in written):
        raise PolicyFault("applications: each needs a table of its own under [[applications]]")
    return tuple(_application(one) for one in written)


def _application(written: Mapping[str, Any]) -> Application:
    holder = written.get("right_holder")
    if not isinstance(holder, str) or not holder:
        raise PolicyFault("applications: each needs a right_holder")
    where = f"application of {holder}"
    only(written, KEYS, where)
    opted = written.get("small_consignments", False)
    if not isinstance(opted, bool):
        raise PolicyFault(f"{where}.small_consignments: is true or false")
    told = [written.get(name, "") for name in ("number", "contact")]
    if not all(isinstance(one, str) for one in told):
        raise PolicyFault(f"{where}: number and contact are texts")
    hs = texts(written, f"{where}.hs", ())
    if not all(code.isdecimal() for code in hs):
        raise PolicyFault(f"{where}.hs: needs beginnings of HS codes, digits alone")
    start, end = day(written, f"{where}.from"), day(written, f"{where}.until")
    if start is not None and end is not None and end < start:
        raise PolicyFault(f"{where}: until is before from")
    words, senders = (texts(written, f"{where}.{name}", ()) for name in ("words", "senders"))
    either = (*_compared(senders, comparable("text")), *_compared(senders, words_of_name("text")))
    return Application(
        holder, _compared(words, comparable("text")), opted, start, end, told[0], hs, either, told[1]
    )  # fmt: skip


def _compared(written: tuple[str, ...], how: pl.Expr) -> tuple[str, ...]:
    """Texts (of a column `text`) as they are compared; one of which nothing is left says nothing."""
    frame = pl.DataFrame({"text": list(written)}, schema={"text": pl.String}).select(how)
    return tuple(text for text in frame.to_series() if text)
