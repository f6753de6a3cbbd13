"""Product codes: an article by its GTIN, and a single piece by its serial number.

A code is a GTIN in plain digits, a GS1 Digital Link (`https://…/01/<GTIN>/21/<serial>`), a GS1 element string
(`(01)<GTIN>(21)<serial>`) or a serial number marked as such (`S/N 83911-A`): other codes may be those of a model, which
many pieces share. A maker gives a serial number to a single piece: if another consignment has declared the same number,
at most one of the two is genuine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import polars as pl

from tests.oracle.frames.definition import of_consignment

LINK = re.compile(r"(?:https?://[^/]+(?:/[^/]+)*?)?/(?:01|gtin)/(\d{12,14}|\d{8})(?=[/?#]|$)", re.IGNORECASE | re.ASCII)
ELEMENTS = re.compile(r"\(01\)\s?(\d{14})", re.ASCII)
DIGITS = re.compile(r"(\d{8}|\d{12,14})$", re.ASCII)
LINK_SERIAL = re.compile(r"/(?:21|ser)/([^/?#]+)", re.IGNORECASE)
ELEMENTS_SERIAL = re.compile(r"\(21\)\s?([^()]+)")
BARE_SERIAL = re.compile(
    r"(?:s/?n|serial(?: (?:no|number))?)[.:# -]+([a-z0-9][a-z0-9 ./-]{3,29})$", re.IGNORECASE | re.ASCII
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
    text = code.strip()
    match = LINK.match(text) or ELEMENTS.match(text) or DIGITS.match(text.replace(" ", "").replace("-", ""))
    gtin = match[1].zfill(14) if match else None
    fails = None if gtin is None else sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(gtin)) % 10 != 0
    linked = LINK_SERIAL.search(text)
    written = ELEMENTS_SERIAL.search(text) or BARE_SERIAL.match(text)
    serial_text = unquote(linked[1], errors="replace") if linked else written[1] if written else ""
    serial = BETWEEN.sub("", serial_text).upper()
    return Named(gtin, fails, f"{gtin or '?'}|{serial}" if serial.strip("0") else None)


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


@of_consignment
def serial_unregistered(gtin_registered_ever: pl.Expr, serial_registered_ever: pl.Expr) -> pl.Expr:
    """Whether the right holder registers each piece of the declared article and does not know this serial number."""
    return pl.when(gtin_registered_ever > 0).then((serial_registered_ever == 0).cast(pl.Float64))


@of_consignment
def serial_elsewhere(serial_consignments_ever: pl.Expr, version: pl.Expr) -> pl.Expr:
    """Earlier consignments that declared the same serial number, not counting an earlier version of this one."""
    return (serial_consignments_ever - (version > 1).cast(pl.Float64)).clip(0.0)
