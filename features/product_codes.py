"""What a declared product code names: an article by its GTIN, and one single piece by its serial number.

A code is a GTIN in plain digits, a GS1 Digital Link (`https://…/01/<GTIN>/21/<serial>`), a GS1 element string
(`(01)<GTIN>(21)<serial>`) or a serial number that says that it is one (`S/N 83911-A`): other codes may be those of a
model, which many pieces share. A maker gives a serial number to one piece and never again: where another consignment
has declared the same one, at most one of the two is what it says.
"""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import polars as pl

from features.definition import of_consignment

LINK = r"(?i)^(?:https?://[^/]+(?:/[^/]+)*?)?/(?:01|gtin)/(\d{12,14}|\d{8})(?:[/?#]|$)"
ELEMENTS = r"^\(01\)\s?(\d{14})"
DIGITS = r"^(\d{8}|\d{12,14})$"
LINK_SERIAL = r"(?i)/(?:21|ser)/([^/?#]+)"
ELEMENTS_SERIAL = r"\(21\)\s?([^()]+)"
BARE_SERIAL = r"(?i)^(?:s/?n|serial(?: (?:no|number))?)[.:# -]+([a-z0-9][a-z0-9 ./-]{3,29})$"
NOTHING = r"^0*$"  # stands in a field that asks for a serial number where there is none
WEIGHTS = np.array([3, 1] * 7)  # of the fourteen digits, the check digit last


def gtin_of(code: pl.Expr) -> pl.Expr:
    """The GTIN that a code states, as fourteen digits; null where it states none."""
    text = code.str.strip_chars()
    plain = text.str.replace_all(r"[ -]", "").str.extract(DIGITS, 1)
    return pl.coalesce(text.str.extract(LINK, 1), text.str.extract(ELEMENTS, 1), plain).str.zfill(14)


def gtin_fails(code: pl.Expr) -> pl.Expr:
    """Whether the GTIN that a code states fails its check digit; null where it states none."""
    number = gtin_of(code).cast(pl.Int64)
    return pl.when(number.is_not_null()).then(number.map_batches(_fails, return_dtype=pl.Boolean))


def _fails(numbers: pl.Series) -> pl.Series:
    places = np.stack([numbers.fill_null(0).to_numpy() // 10**power % 10 for power in range(13, -1, -1)])
    return pl.Series((places * WEIGHTS[:, None]).sum(axis=0) % 10 != 0)


def serial_of(code: pl.Expr) -> pl.Expr:
    """The single piece that a code names, by its serial number with the GTIN where there is one; null where none."""
    text = code.str.strip_chars()
    linked = text.str.extract(LINK_SERIAL, 1).map_batches(_unquoted, return_dtype=pl.String)
    named = pl.coalesce(linked, text.str.extract(ELEMENTS_SERIAL, 1)).str.strip_chars()
    written = pl.coalesce(named, text.str.extract(BARE_SERIAL, 1)).str.to_uppercase().str.replace_all(r"[ ./-]", "")
    told = pl.when(~written.str.contains(NOTHING)).then(written)
    return pl.concat_str(gtin_of(code).fill_null("?"), told, separator="|")


def _unquoted(serials: pl.Series) -> pl.Series:
    return pl.Series(serials.name, [None if s is None else unquote(s, errors="replace") for s in serials], pl.String)


@of_consignment
def serial_unregistered(gtin_registered_ever: pl.Expr, serial_registered_ever: pl.Expr) -> pl.Expr:
    """Whether the right holder registers each piece of the declared article and does not know this serial number."""
    return pl.when(gtin_registered_ever > 0).then((serial_registered_ever == 0).cast(pl.Float64))


@of_consignment
def serial_elsewhere(serial_consignments_ever: pl.Expr, version: pl.Expr) -> pl.Expr:
    """Earlier consignments that declared the same serial number, an earlier version of this one apart."""
    return (serial_consignments_ever - (version > 1).cast(pl.Float64)).clip(0.0)
