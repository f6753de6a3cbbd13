"""How the times of a foreign column are written, told from its cells: what a mapping needs to read them.

It is proposed to a person and never read by: 02/03/2026 is a day in March or in February, and no cell says which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from features.iso_times import written
from features.messages.conversion import SerialDates

DATE = re.compile(
    r"([0-9]{1,4})([/. -])([0-9]{1,2}|[A-Za-z]{3})\2([0-9]{1,4})"
    r"(?:(T| +)[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AaPp][Mm])?)?"
)
CHINESE = re.compile(r"[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日(?:( ?)[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?")
SERIAL = re.compile(r"[3-6][0-9]{4}(?:[.,][0-9]{1,15})?")  # the days of 1982 to 2091 as spreadsheets count them
MONTHS = 12
LONGEST = 60


@dataclass(frozen=True, slots=True)
class WrittenTimes:
    """How times are written.

    format: as a mapping states it; empty for ISO 8601 without a zone. otherwise: the other format that the cells fit,
    where nobody can say whether day or month stands first. serial: the serial numbers of a spreadsheet.
    """

    format: str = ""
    otherwise: str = ""
    serial: SerialDates | None = None

    def rule(self, zone: str) -> str:
        """The keys of a mapping's conversion."""
        how = f'serial = "{self.serial}", ' if self.serial else f'format = "{self.format}", ' if self.format else ""
        return f'{how}zone = "{zone}"'


def times_written(cells: Sequence[str]) -> WrittenTimes | None:
    """How these cells are written, all alike; None where they are no times, or times of no form that is known."""
    stripped = [cell.strip() for cell in cells]
    if not stripped or any(len(cell) > LONGEST for cell in stripped):
        return None
    if all(SERIAL.fullmatch(cell) for cell in stripped):
        return WrittenTimes(serial="1900")
    if matches := _all(CHINESE, stripped):
        return WrittenTimes(f"%Y年%m月%d日{_clock(matches[0][1], matches[0][2], None)}")
    if matches := _all(DATE, stripped):
        return _of_dates(matches)
    return WrittenTimes() if all(map(_is_local, stripped)) else None


def _is_local(cell: str) -> bool:
    moment = written(cell)
    return moment is not None and moment.offset is None and "T" in cell.upper()


def _all(pattern: re.Pattern[str], cells: Sequence[str]) -> list[re.Match[str]]:
    found = [match for cell in cells if (match := pattern.fullmatch(cell))]
    return found if len(found) == len(cells) else []


def _of_dates(found: Sequence[re.Match[str]]) -> WrittenTimes | None:
    """The format of dates alike: a part beyond twelve is no month, and where none is either may be the day."""
    first, sign = found[0], found[0][2]
    clock = _clock(first[5], first[6], first[7])
    year = "%Y" if len(first[4]) == 4 else "%y"
    if len(first[1]) > 2:
        month = "%b" if first[3].isalpha() else "%m"
        return WrittenTimes(f"%Y{sign}{month}{sign}%d{clock}")
    day_first, month_first = (f"{one}{sign}{two}{sign}{year}{clock}" for one, two in (("%d", "%m"), ("%m", "%d")))
    if first[3].isalpha():
        return WrittenTimes(day_first.replace("%m", "%b", 1))
    if any(int(match[3]) > MONTHS for match in found):
        return WrittenTimes(month_first)
    return WrittenTimes(day_first, "" if any(int(match[1]) > MONTHS for match in found) else month_first)


def _clock(before: str | None, seconds: str | None, half: str | None) -> str:
    if before is None:
        return ""
    hour = "%I" if half else "%H"
    return f"{before}{hour}:%M{':%S' if seconds else ''}{'' if half is None else half[:-2] + '%p'}"
