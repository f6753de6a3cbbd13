"""The rates of duty and VAT of an administration, by beginning of the HS code and by origin."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from features.fault import Fault

KEYS = {"hs", "origin", "duty", "vat"}


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates as shares of the value; VAT is on value and duty together. neutral: nobody has stated them."""

    duty: float
    vat: float
    of_goods: Mapping[tuple[str, str], tuple[float, float]]
    neutral: bool = False

    def share(self, hs_code: str | None, origin: str | None) -> float:
        """Return duty and VAT as a share of the customs value of goods."""
        code = hs_code or ""
        for length in range(len(code), 1, -1):
            for country in (origin or "", ""):
                found = self.of_goods.get((code[:length], country))
                if found is not None:
                    return _together(*found)
        return _together(self.duty, self.vat)


def load_rates(file: Path | None = None) -> Rates:
    """Read rates from a file, or the neutral ones; raises Fault naming what is wrong."""
    neutral = files("service.oversight").joinpath("rates.toml")
    try:
        written = tomllib.loads((file or neutral).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise Fault("rates: the file cannot be read as TOML; see the guide of operators for its form") from fault
    default, several = written.get("default"), written.get("rates", [])
    if not isinstance(default, Mapping) or not isinstance(several, list):
        raise Fault("rates: needs [default] with duty and vat, and [[rates]] for goods that differ")
    duty, vat = (_rate(default, name, "[default]") for name in ("duty", "vat"))
    of_goods = {}
    for nth, row in enumerate(several, start=1):
        where = f"[[rates]] {nth}"
        if not isinstance(row, Mapping) or set(row) - KEYS:
            raise Fault(f"rates: {where} takes {', '.join(sorted(KEYS))} and nothing else")
        code, origin = str(row.get("hs", "")), str(row.get("origin", ""))
        if not (code.isascii() and code.isdecimal() and 2 <= len(code) <= 10):
            raise Fault(f"rates: {where}.hs needs 2 to 10 digits")
        of_goods[code, origin] = _rate(row, "duty", where), _rate(row, "vat", where)
    return Rates(duty, vat, of_goods, file is None)


def _rate(row: Mapping[str, Any], name: str, where: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        raise Fault(f"rates: {where}.{name} needs a share of the value, such as 0.2")
    return float(value)


def _together(duty: float, vat: float) -> float:
    return duty + vat * (1.0 + duty)
