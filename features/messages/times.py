"""Times as messages write them, turned into ISO 8601 with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

Noted = tuple[str, str]
TIME = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,6})\d*)?)?)?\s*(.*)$")
ZONE = re.compile(r"^(?:Z|z|([+-])(\d{2}):?(\d{2})?)$")


def lodged(written: str | None) -> tuple[str | None, list[Noted]]:
    """A moment as the contract has it, and what is odd about how it was written; None where there is none to read.

    What has no zone is taken for UTC and says so; what is no time is left out, and the time of arrival stands for it.
    """
    if not written:
        return None, [("lodged_at", "not stated; the time of arrival stands")]
    found = TIME.match(written.strip())
    zone = found.group(8) if found else ""
    if found is None or (zone and not ZONE.match(zone)):
        return None, [("lodged_at", "not a time; the time of arrival stands")]
    year, month, day, hour, minute, second, fraction = (int(part or 0) for part in found.groups()[:7])
    micros = fraction * 10 ** (6 - len(found.group(7) or ""))
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), micros, UTC)
    except ValueError:
        return None, [("lodged_at", "not a time; the time of arrival stands")]
    notes = [] if zone else [("lodged_at", "without a zone; taken for UTC")]
    offset = "+00:00" if not zone or zone in "Zz" else _offset(zone)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + offset, notes


def _offset(zone: str) -> str:
    sign, hours, minutes = ZONE.match(zone).groups()  # type: ignore[union-attr]
    return f"{sign}{hours}:{minutes or '00'}"
