"""Data problems of accepted declarations: missing values, invalid codes, contradictory sums.

A problem names its field and fault. Those that mean that an element is lacking which the law asks for are listed in
`required_elements.toml`; the others are told, and change no orientation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.columns.goods import VAGUE, WORD
from features.comparable import LETTERS
from features.hs_codes import hs_plain
from features.messages.code_lists import (
    COUNTRIES,
    CURRENCIES,
    EMAIL,
    HEADINGS,
    HS_EDITION,
    IATA,
    IMPC,
    IOSS,
    LONGEST_LOCAL,
    NATIONAL_CHAPTERS,
    PHONE,
    RECEPTACLE,
    S10,
    UNLOCODE,
    airports,
)
from features.messages.masses import postal_limits
from features.messages.raw import NOT_STATED
from features.money import EURO_PER_UNIT
from features.product_codes import gtin_fails
from tests.oracle.gate.consignment import Consignments

PROBLEM = pl.Schema({"row": pl.UInt32(), "field": pl.String(), "problem": pl.String()})
MINIMUM = (
    "consignment_id",
    "description",
    "hs_code",
    "packages",
    "gross_mass_kg",
    "consignor_name",
    "consignor_address",
    "consignee_name",
    "consignee_address",
)  # "7+1"
MISSING, MEANINGLESS = "missing", "says nothing about the goods"
TOO_HEAVY = "heavier than the post takes; perhaps in another unit"
NO_CODE = "not 2 to 10 digits"
NUMBER = r"^[0-9.\s]{2,13}$"  # of a tariff code
OFFICE = r"^[A-Z0-9][A-Z0-9.-]{0,19}$"
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_fails(item: pl.Expr) -> pl.Expr:
    """Return true where an S10 item identifier fails its check digit; null for other identifiers."""
    number = item.str.slice(2, 9).cast(pl.Int64, strict=False)  # eight digits and the check digit
    return pl.when(item.str.contains(S10)).then(number.map_batches(_fails, return_dtype=pl.Boolean))


def _fails(numbers: pl.Series) -> pl.Series:
    number = numbers.fill_null(0).to_numpy()
    total = sum(number // 10 ** (8 - place) % 10 * weight for place, weight in enumerate(S10_WEIGHTS))
    expected = 11 - total % 11
    return pl.Series(number % 10 != np.where(expected == 10, 0, np.where(expected == 11, 5, expected)))


@dataclass(frozen=True, slots=True)
class _Check:
    field: str
    problem: str
    holds: pl.Expr


def _missing(field: str) -> _Check:
    return _Check(field, MISSING, pl.col(field).is_null())


def _country(field: str) -> _Check:
    return _Check(field, "not a country code of ISO 3166", ~pl.col(field).is_in(list(COUNTRIES)))


def _form(field: str, pattern: str, form: str) -> _Check:
    return _Check(field, f"not the form of {form}", ~pl.col(field).str.contains(pattern))


def _mailbox(field: str) -> _Check:
    local = pl.col(field).str.split("@").list.first().str.len_chars()
    return _Check(
        field, "not the form of an e-mail address", ~pl.col(field).str.contains(EMAIL) | (local > LONGEST_LOCAL)
    )


def _says_nothing() -> pl.Expr:
    """Select texts without any letter, or with vague words only."""
    text = pl.col("description")
    only_vague = text.str.to_lowercase().str.count_matches(VAGUE.source) >= text.str.count_matches(WORD.source)
    return (text != NOT_STATED) & (only_vague | ~text.str.contains(LETTERS))


def _no_such_place(field: str) -> pl.Expr:
    """Select airport codes of no airport, and places or exchange offices in no country; ignore other codes."""
    return pl.col(field).map_batches(_unknown_places, return_dtype=pl.Boolean)


def _unknown_places(codes: pl.Series) -> pl.Series:
    return codes.is_in([code for code in codes.unique() if code is not None and not _known_place(code)])


def _known_place(code: str) -> bool:
    if re.match(IATA, code):
        return code in airports()
    return not (re.match(UNLOCODE, code) or re.match(IMPC, code)) or code[:2] in COUNTRIES


def _heavier_than_post() -> pl.Expr:
    """Select postal items that are heavier than the post takes: EMS (class E, or EN and the like), or any other."""
    limits = postal_limits()
    ems = pl.col("mail_class").str.contains(r"^(?i:E[A-Z]?$|EMS)").fill_null(False)
    limit = pl.when(ems).then(limits["ems"]).otherwise(limits["any"])
    return (pl.col("stream") == "postal") & (pl.col("gross_mass_kg") > limit)


HS_DIGITS = hs_plain(pl.col("hs_code"))
LOST_ZERO = "an odd number of digits; a zero at its beginning is lost"
IS_ODD = HS_DIGITS.str.len_chars() % 2 == 1  # codes have 2, 4, 6, 8 or 10 digits; a spreadsheet drops the first zero
CONSIGNMENT_CHECKS = (
    _Check("consignment_id", "the S10 check digit is wrong", s10_fails(pl.col("consignment_id"))),
    *(_missing(field) for field in MINIMUM if field not in ("consignment_id", "description", "hs_code")),
    _country("dispatch_country"),
    _country("destination_country"),
    _country("consignor_country"),
    _country("consignee_country"),
    _Check("gross_mass_kg", "less than the net mass", pl.col("gross_mass_kg") < pl.col("net_mass_total_kg") * 0.999),
    _Check("gross_mass_kg", TOO_HEAVY, _heavier_than_post()),
    _Check("office", "no place is known by this code", _no_such_place("office")),
    _form("office", OFFICE, "an office's code (capital letters and digits); the default capacity holds for it"),
    _Check(
        "transport_id",
        "not the form of a receptacle identifier",
        (pl.col("stream") == "postal")
        & (pl.col("transport_id").str.len_chars() == 29)
        & ~pl.col("transport_id").str.contains(RECEPTACLE.pattern),
    ),
    _form("ioss", IOSS, "an IOSS number (IM and ten digits)"),
    _form("consignor_phone", PHONE, "a telephone number"),
    _form("consignee_phone", PHONE, "a telephone number"),
    _mailbox("consignor_email"),
    _mailbox("consignee_email"),
)
LINE_CHECKS = (
    _missing("hs_code"),
    _missing("value"),
    _Check("description", MEANINGLESS, _says_nothing()),
    _Check("hs_code", NO_CODE, ~pl.col("hs_code").str.contains(NUMBER)),
    _Check("hs_code", LOST_ZERO, pl.col("hs_code").str.contains(NUMBER) & IS_ODD),
    _Check(
        "hs_code",
        f"no heading of {HS_EDITION}",
        ~IS_ODD
        & (HS_DIGITS.str.len_chars() >= 4)
        & ~HS_DIGITS.str.slice(0, 4).is_in(list(HEADINGS))
        & ~HS_DIGITS.str.slice(0, 2).is_in(list(NATIONAL_CHAPTERS)),
    ),
    _Check("currency", "missing beside a value", pl.col("value").is_not_null() & pl.col("currency").is_null()),
    _Check("currency", "not a currency code of ISO 4217", ~pl.col("currency").is_in(list(CURRENCIES))),
    _Check(
        "currency",
        "a currency without a rate",
        pl.col("currency").is_in(list(CURRENCIES)) & ~pl.col("currency").is_in(list(EURO_PER_UNIT)),
    ),
    _country("goods_origin_country"),
    _Check("product_code", "the check digit of the GTIN is wrong", gtin_fails(pl.col("product_code"))),
)


def oddities(consignments: Consignments) -> pl.DataFrame:
    """Return the data problems (PROBLEM) of all consignments."""
    return pl.concat([_holding(consignments.frame, CONSIGNMENT_CHECKS), _holding(consignments.goods, LINE_CHECKS)])


def _holding(frame: pl.DataFrame, checks: tuple[_Check, ...]) -> pl.DataFrame:
    judged = frame.select("row", *(c.holds.fill_null(False).alias(str(i)) for i, c in enumerate(checks)))
    named = [
        judged.filter(pl.col(str(i))).select("row", pl.lit(c.field).alias("field"), pl.lit(c.problem).alias("problem"))
        for i, c in enumerate(checks)
        if judged[str(i)].any()
    ]
    return pl.concat([PROBLEM.to_frame(), *named])
