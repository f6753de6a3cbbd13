"""Product codes: an article by its GTIN, and a single piece by its serial number.

A code is a GTIN in plain digits, a GS1 Digital Link (`https://…/01/<GTIN>/21/<serial>`), a GS1 element string with
brackets (`(01)<GTIN>(21)<serial>`) or as a scanner gives it (`]C101<GTIN>21<serial>`), or a serial number marked as
such (`S/N 83911-A`): other codes may be those of a model, which many pieces share. A maker gives a serial number to a
single piece: if another consignment has declared the same number, at most one of the two is genuine. What stands for no
number (`S/N unknown`, `see box`) names no piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import polars as pl

from features.algebra.characters import agreed
from features.element_strings import elements_of, without_symbology
from features.identifiers.placeholders import says_nothing

LINK = re.compile(
    r"(?:(?:https?://)?[^/\s]+(?:/[^/]+)*?)?/(?:01|gtin)/(\d{12,14}|\d{8})(?=[/?#]|$)", re.IGNORECASE | re.ASCII
)
ELEMENTS = re.compile(r"\(01\)\s?(\d{14})", re.ASCII)
DIGITS = re.compile(r"(\d{8}|\d{12,14})$", re.ASCII)
LINK_SERIAL = re.compile(r"/(?:21|ser)/([^/?#]+)", re.IGNORECASE)
ELEMENTS_SERIAL = re.compile(r"\(21\)\s?([^()]+)")
BARE_SERIAL = re.compile(
    r"(?:s/?n|serial(?: (?:no|number|#))?|n[°o]? ?(?:de )?s[ée]rie|seriennummer|序列号)[.:：# -]+"
    r"([a-z0-9][a-z0-9 ./-]{3,29})$",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"[\s./-]")


@dataclass(frozen=True, slots=True)
class Named:
    """The content of a code. gtin: fourteen digits; fails: its check digit is wrong; serial: GTIN and serial number."""

    gtin: str | None = None
    fails: bool | None = None
    serial: str | None = None


@lru_cache(maxsize=100_000)
def named(code: str) -> Named:
    """Parse a product code as a sender wrote it; empty for codes of another kind."""
    text, scanned = without_symbology(agreed(code).strip())
    match = LINK.match(text) or ELEMENTS.match(text) or DIGITS.match(text.replace(" ", "").replace("-", ""))
    if match is None and (piece := _of_elements(text, scanned=scanned)) is not None:
        return piece
    linked = LINK_SERIAL.search(text)
    written = ELEMENTS_SERIAL.search(text) or _marked_serial(text)
    serial = unquote(linked[1], errors="replace") if linked else written[1] if written else ""
    return _named(match[1] if match else None, serial)


def _of_elements(text: str, *, scanned: bool) -> Named | None:
    """Name what an element string without brackets states; None where it is none.

    Digits that nothing marks as one may be any number: there the check digit has to be right.
    """
    elements = elements_of(text)
    gtin = elements.get("01") if elements else None
    if elements is None or gtin is None:
        return None
    certain = scanned or not text.isdigit()
    return _named(gtin, elements.get("21", "")) if certain or not _fails(gtin) else None


def _named(digits: str | None, serial: str) -> Named:
    """Name an article and a piece by their numbers as stated; what stands for no number names neither."""
    gtin = digits.zfill(14) if digits and digits.strip("0") else None
    plain = BETWEEN.sub("", agreed(serial)).upper()
    nothing = not plain.strip("0") or says_nothing(serial)
    return Named(gtin, None if gtin is None else _fails(gtin), None if nothing else f"{gtin or '?'}|{plain}")


def _fails(gtin: str) -> bool:
    """Say whether the check digit of fourteen digits is wrong."""
    return sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(gtin)) % 10 != 0


def _marked_serial(text: str) -> re.Match[str] | None:
    """Match a serial number that is marked as one; words without any digit are none (`S/N: refer to packaging`)."""
    match = BARE_SERIAL.match(text)
    return match if match and any(sign.isdigit() for sign in match[1]) else None


def gtin_of(code: pl.Expr) -> pl.Expr:
    """Return the GTIN that a code states, as fourteen digits; null where it states none."""
    return _part_of(code, "gtin", pl.String())


def gtin_fails(code: pl.Expr) -> pl.Expr:
    """Return true where the GTIN that a code states fails its check digit; null where it states none."""
    return _part_of(code, "fails", pl.Boolean())


def serial_of(code: pl.Expr) -> pl.Expr:
    """Return the piece that a code names: its serial number, with the GTIN if there is one; null where none."""
    return _part_of(code, "serial", pl.String())


def _part_of(code: pl.Expr, part: Literal["gtin", "fails", "serial"], kind: pl.DataType) -> pl.Expr:
    def of_all(codes: pl.Series) -> pl.Series:
        return pl.Series(codes.name, [None if c is None else getattr(named(c), part) for c in codes], kind)

    return code.map_batches(of_all, kind)
