"""Data problems of accepted declarations: missing values, invalid codes, contradictory sums.

A problem names its field and fault. Those that mean that an element is lacking which the law asks for are listed in
`required_elements.toml`; the others are told, and change no orientation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from features.algebra import Pattern, lower
from features.algebra.tables import Table, anywhere
from features.algebra.written import SPACE, Flags, Question, where
from features.columns.goods import VAGUE, WORD
from features.comparable import LETTERS
from features.consignment import Consignments
from features.hs_codes import hs_plain_text
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
from features.messages.found import PROBLEM, Found
from features.messages.masses import postal_limits
from features.messages.raw import NOT_STATED
from features.money import EURO_PER_UNIT
from features.product_codes import named

__all__ = ["CONSIGNMENT_CHECKS", "LINE_CHECKS", "MEANINGLESS", "MISSING", "PROBLEM", "oddities"]
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
NUMBER = rf"^[0-9.{SPACE}]{{2,13}}$"  # of a tariff code
OFFICE = r"^[A-Z0-9][A-Z0-9.-]{0,19}$"
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


LETTER = Pattern(LETTERS)


@dataclass(frozen=True, slots=True)
class Check:
    """A problem of a field, and where it holds; None where it holds nowhere."""

    field: str
    problem: str
    holds: Callable[[Table], Flags | None]


def _missing(field: str) -> Check:
    return Check(field, MISSING, lambda table: table.missing(field))


def _asked(field: str, problem: str, question: Question) -> Check:
    return Check(field, problem, lambda table: where(table, field, question))


def _country(field: str) -> Check:
    return _asked(field, "not a country code of ISO 3166", Question(lambda code: code not in COUNTRIES))


def _matches(pattern: str) -> Callable[[str], object]:
    """Return what a pattern from the beginning to the end of a text makes of one, as polars sees it.

    Its `$` is the end, where Python's is also before a last line break, and its space is what Unicode calls so.
    """
    return re.compile(pattern.removeprefix("^").removesuffix("$").replace(r"\s", SPACE)).fullmatch


def _form(field: str, pattern: str, form: str, *, often_another: bool = False) -> Check:
    """often_another: nearly every text of a file is another one."""
    matches = _matches(pattern)
    all_at_once = (lambda texts: ~texts.str.contains(pattern)) if often_another else None
    return _asked(field, f"not the form of {form}", Question(lambda text: matches(text) is None, all_at_once))


def _mailbox(field: str) -> Check:
    matches = _matches(EMAIL)

    def all_at_once(texts: pl.Series) -> pl.Series:
        local = texts.str.split("@").list.first().str.len_chars()
        return ~texts.str.contains(EMAIL) | (local > LONGEST_LOCAL)

    def one(text: str) -> bool:
        return matches(text) is None or len(text.split("@", 1)[0]) > LONGEST_LOCAL

    return _asked(field, "not the form of an e-mail address", Question(one, all_at_once))


IS_S10 = _matches(S10)


def s10_fails(item: str) -> bool:
    """Say whether an S10 item identifier fails its check digit; other identifiers have none."""
    if IS_S10(item) is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(item[2:10], S10_WEIGHTS, strict=True))
    expected = 11 - total % 11
    return int(item[10]) != {10: 0, 11: 5}.get(expected, expected)


def _s10_fails_in(items: pl.Series) -> pl.Series:
    odd = items.str.contains(S10).fill_null(value=False)
    number = items.filter(odd).str.slice(2, 9).cast(pl.Int64).to_numpy()  # eight digits and the check digit
    total = sum(number // 10 ** (8 - place) % 10 * weight for place, weight in enumerate(S10_WEIGHTS))
    expected = 11 - total % 11
    fails = np.zeros(len(items), np.bool_)
    fails[odd.to_numpy()] = number % 10 != np.where(expected == 10, 0, np.where(expected == 11, 5, expected))
    return pl.Series(fails)


def _says_nothing(text: str) -> bool:
    """Say whether a text has no letter, or vague words only."""
    if text == NOT_STATED:
        return False
    return VAGUE.count(lower(text)) >= WORD.count(text) or not LETTER.count(text)


def _say_nothing(texts: pl.Series) -> pl.Series:
    only_vague = texts.str.to_lowercase().str.count_matches(VAGUE.source) >= texts.str.count_matches(WORD.source)
    return (texts != NOT_STATED) & (only_vague | ~texts.str.contains(LETTERS))


def _known_place(code: str) -> bool:
    if re.match(IATA, code):
        return code in airports()
    return not (re.match(UNLOCODE, code) or re.match(IMPC, code)) or code[:2] in COUNTRIES


def _heavier_than_post(table: Table) -> Flags | None:
    """Find postal items that are heavier than the post takes: EMS (class E, or EN and the like), or any other."""
    limits, mass = postal_limits(), table.number("gross_mass_kg")
    heavy = mass > min(limits.values())
    if not anywhere(heavy):
        return None
    ems = table.text_or_unknown("mail_class").holds(_is_ems)
    return heavy & _is_postal(table) & (mass > np.where(ems, limits["ems"], limits["any"]))


def _is_ems(mail: str) -> bool:
    if mail.isascii():
        return IN_ASCII.match(mail) is not None
    return bool(pl.Series([mail]).str.contains(EMS)[0])  # other letters may be capitals of these


EMS = r"^(?i:E[A-Z]?$|EMS)"
IN_ASCII = re.compile(r"(?i:E[A-Z]?\Z|EMS)")


def _is_postal(table: Table) -> Flags:
    return table.text_or_unknown("stream").is_one_of("postal")


def _lighter_than_goods(table: Table) -> Flags | None:
    return table.number("gross_mass_kg") < table.number("net_mass_total_kg") * 0.999


NO_RECEPTACLE = Question(lambda text: len(text) == 29 and RECEPTACLE.match(text) is None)


def _no_receptacle(table: Table) -> Flags | None:
    odd = where(table, "transport_id", NO_RECEPTACLE)
    return None if odd is None else odd & _is_postal(table)


def _no_currency(table: Table) -> Flags | None:
    unstated = table.missing("currency")
    return None if unstated is None else unstated & ~np.isnan(table.number("value"))


LOST_ZERO = "an odd number of digits; a zero at its beginning is lost"
IS_NUMBER = _matches(NUMBER)


@lru_cache(maxsize=20_000)
def _code_problem(code: str) -> str:
    """Return what is wrong with a tariff code, as far as its form and its heading tell; empty where nothing is."""
    digits = hs_plain_text(code)
    # codes have 2, 4, 6, 8 or 10 digits; a spreadsheet drops the first zero
    if len(digits) % 2:
        return LOST_ZERO
    known = len(digits) < 4 or digits[:4] in HEADINGS or digits[:2] in NATIONAL_CHAPTERS
    return "" if known else NO_HEADING


NO_HEADING = f"no heading of {HS_EDITION}"
NO_RATE = Question(lambda code: code in CURRENCIES and code not in EURO_PER_UNIT)
S10_FAILS, SAYS_NOTHING = Question(s10_fails, _s10_fails_in), Question(_says_nothing, _say_nothing)
CONSIGNMENT_CHECKS = (
    _asked("consignment_id", "the S10 check digit is wrong", S10_FAILS),
    *(_missing(field) for field in MINIMUM if field not in ("consignment_id", "description", "hs_code")),
    _country("dispatch_country"),
    _country("destination_country"),
    _country("consignor_country"),
    _country("consignee_country"),
    Check("gross_mass_kg", "less than the net mass", _lighter_than_goods),
    Check("gross_mass_kg", TOO_HEAVY, _heavier_than_post),
    _asked("office", "no place is known by this code", Question(lambda code: not _known_place(code))),
    _form("office", OFFICE, "an office's code (capital letters and digits); the default capacity holds for it"),
    Check("transport_id", "not the form of a receptacle identifier", _no_receptacle),
    _form("ioss", IOSS, "an IOSS number (IM and ten digits)"),
    _form("consignor_phone", PHONE, "a telephone number", often_another=True),
    _form("consignee_phone", PHONE, "a telephone number", often_another=True),
    _mailbox("consignor_email"),
    _mailbox("consignee_email"),
)
LINE_CHECKS = (
    _missing("hs_code"),
    _missing("value"),
    _asked("description", MEANINGLESS, SAYS_NOTHING),
    _asked("hs_code", NO_CODE, Question(lambda code: IS_NUMBER(code) is None)),
    _asked("hs_code", LOST_ZERO, Question(lambda code: bool(IS_NUMBER(code)) and _code_problem(code) == LOST_ZERO)),
    _asked("hs_code", NO_HEADING, Question(lambda code: _code_problem(code) == NO_HEADING)),
    Check("currency", "missing beside a value", _no_currency),
    _asked("currency", "not a currency code of ISO 4217", Question(lambda code: code not in CURRENCIES)),
    _asked("currency", "a currency without a rate", NO_RATE),
    _country("goods_origin_country"),
    _asked("product_code", "the check digit of the GTIN is wrong", Question(lambda code: named(code).fails is True)),
)


def odd_in(consignments: Consignments) -> Found:
    """Return the data problems of all consignments."""
    found = Found()
    for table, checks in ((consignments.declared, CONSIGNMENT_CHECKS), (consignments.lines, LINE_CHECKS)):
        for check in checks:
            holds = check.holds(table)
            if holds is not None and anywhere(holds):
                found.add(table.whole("row").values[holds], check.field, check.problem)
    return found


def oddities(consignments: Consignments) -> pl.DataFrame:
    """Return the data problems (PROBLEM) of all consignments, one kind after the other."""
    return odd_in(consignments).frame()
