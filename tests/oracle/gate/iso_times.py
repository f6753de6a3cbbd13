"""Moments in the forms of ISO 8601, RFC 3339 and RFC 9557: the one parser of all readers, for a text and for a column.

Calendar, week and ordinal dates, with and without hyphens; hours, minutes and seconds, with and without colons, the
last of them with a fraction behind a point or a comma; 24:00 for the end of a day; `Z`, `UTC`, `GMT`, an offset of
hours or of hours and minutes, or the name of a zone in brackets, as Java writes it (of two equal hours the earlier
one). Nothing else is read, and no zone is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

MOMENT = pl.Datetime("us", "UTC")
LONGEST = 100  # characters; nothing longer is looked at
DATE = (
    r"(?P<year>[0-9]{4})"
    r"(?:-?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2})|-?[Ww](?P<week>[0-9]{2})-?(?P<weekday>[1-7])|-?(?P<ordinal>[0-9]{3}))"
)
CLOCK = r"(?P<hour>[0-9]{2})(?::?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2}))?)?(?:[.,](?P<fraction>[0-9]{1,20}))?"
ZONE = r"(?P<zone>[Zz]|[Uu][Tt][Cc]|[Gg][Mm][Tt]|[+\-\u2212][0-9]{2}(?::?[0-9]{2})?)"
NAMED_ZONE = r"\[(?P<name>[A-Za-z0-9_+\-/]{1,64})\]"
WRITTEN = re.compile(rf"{DATE}(?:[Tt ]?\s*{CLOCK})?\s*(?:{ZONE})?(?:{NAMED_ZONE})?", re.ASCII)
NOON = datetime(2000, 1, 1, 12)  # noqa: DTZ001 - local in every zone, and skipped in none
MICROS = {"second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6}  # in the order in which a fraction is theirs
FREQUENT = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%:z")  # read without Python
FREQUENT_LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
WHOLE_HOURS = r":[0-9.]+[+-][0-9]{2}$"  # an offset of hours alone, as databases write it


@dataclass(frozen=True, slots=True)
class Written:
    """A moment as it was written.

    clock: date and time of day without a zone. offset: of its zone from UTC, None where none is stated.
    zone: name of a zone in brackets that stands in the place of an offset.
    """

    clock: datetime
    offset: timedelta | None
    zone: str = ""

    @property
    def utc(self) -> datetime | None:
        """The moment; None without a zone, in an unknown one, and in an hour that its clocks skip."""
        if self.offset is not None:
            return (self.clock - self.offset).replace(tzinfo=UTC)
        return _in_zone(self.clock, self.zone) if self.zone else None


def written(text: str) -> Written | None:
    """Read a text; None where it is no date, or no date and time of day, of the standard."""
    text = text.strip()
    found = WRITTEN.fullmatch(text) if len(text) <= LONGEST else None
    if found is None or (found["hour"] is None and (found["zone"] or found["name"])):
        return None
    try:
        clock = datetime.combine(_day(found), datetime.min.time()) + _time_of_day(found)
        moment = Written(clock, _offset(found["zone"]), "" if found["zone"] else found["name"] or "")
        return moment if moment.offset is None or moment.utc else None  # beyond the year 9999 there is none
    except (ValueError, OverflowError):
        return None


def moments(value: pl.Expr) -> pl.Expr:
    """Read a column of texts as moments in UTC; null where a text is no moment, or states no zone."""
    read = frequent_moments(value)
    others = pl.when(read.is_null()).then(value).map_batches(rare_moments, return_dtype=MOMENT)
    return pl.coalesce(read, others)


def frequent_moments(value: pl.Expr) -> pl.Expr:
    """Read a column of texts in the forms that nearly all are written in; null for those that `rare_moments` reads."""
    text = value.str.replace(" ", "T", literal=True)
    at_zero = text.str.ends_with("Z") | text.str.ends_with("z")
    text = pl.when(at_zero).then(text.str.head(-1) + "+00:00").otherwise(text)
    text = pl.when(text.str.contains(WHOLE_HOURS)).then(text + ":00").otherwise(text)
    return pl.coalesce(text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in FREQUENT)


def rare_moments(texts: pl.Series) -> pl.Series:
    """Read texts in every form, each distinct one once; null as in `moments`."""
    return _of_distinct(texts, _moment, MOMENT)


def in_utc(local: pl.Expr, zone: str) -> pl.Expr:
    """Local date-times of a zone as texts in UTC, of two equal hours the earlier one.

    One in an hour that the clocks skip keeps its local form with the zone's name, by which `skipped` knows it.
    """
    moment = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    named = local.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f") + f"[{zone}]"
    return pl.coalesce(moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00"), named)


def local_in_utc(text: pl.Expr, zone: str) -> pl.Expr:
    """Texts of moments without a zone as moments of this one (`in_utc`); all other texts as they are."""
    with_t = text.str.replace(" ", "T", literal=True)
    local = pl.coalesce(with_t.str.to_datetime(form, time_unit="us", strict=False) for form in FREQUENT_LOCAL)
    rare = local.is_null() & text.str.contains(r"[Tt ]") & states_no_zone(pl.when(local.is_null()).then(text))
    return pl.coalesce(in_utc(local, zone), pl.when(rare).then(text + f"[{zone}]"), text)


def states_no_zone(value: pl.Expr) -> pl.Expr:
    """Whether texts are days, or moments without a zone; null where a text is null."""
    return value.map_batches(without_zone, return_dtype=pl.Boolean)


def skipped(value: pl.Expr) -> pl.Expr:
    """Whether texts that are no moments are local times in an hour that the clocks of their zone skip."""
    return value.map_batches(in_no_hour, return_dtype=pl.Boolean)


def _moment(text: str) -> datetime | None:
    moment = written(text)
    return None if moment is None else moment.utc


def _in_zone(clock: datetime, zone: str) -> datetime | None:
    """A local time in UTC, the earlier of two; None in an unknown zone, and in an hour that its clocks skip."""
    try:
        moment = clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return None
    return moment if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == clock else None


def without_zone(texts: pl.Series) -> pl.Series:
    """Whether texts are days, or moments without a zone; null where a text is null."""
    return _of_distinct(texts, _is_without_zone, pl.Boolean())


def _is_without_zone(text: str) -> bool:
    moment = written(text)
    return moment is not None and moment.utc is None


def in_no_hour(texts: pl.Series) -> pl.Series:
    """Whether texts that are no moments are local times in an hour that the clocks of their zone skip."""
    return _of_distinct(texts, _is_skipped, pl.Boolean())


def _is_skipped(text: str) -> bool:
    moment = written(text)
    if moment is None or not moment.zone or moment.offset is not None:
        return False
    return _in_zone(NOON, moment.zone) is not None and moment.utc is None


def _of_distinct(texts: pl.Series, read: Callable[[str], object], dtype: pl.DataType) -> pl.Series:
    """What is read of each text, each distinct one once: the times of a day repeat."""
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.Series(texts.name, [None] * len(texts), dtype=dtype)
    values = pl.Series([read(text) for text in distinct], dtype=dtype)
    return texts.replace_strict(distinct, values, default=None, return_dtype=dtype)


def _day(found: re.Match[str]) -> date:
    year = int(found["year"])
    if found["week"]:
        return date.fromisocalendar(year, int(found["week"]), int(found["weekday"]))
    if found["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(found["ordinal"]) - 1)
        if day.year != year:
            raise ValueError("no such day of the year")
        return day
    return date(year, int(found["month"]), int(found["day"]))


def _time_of_day(found: re.Match[str]) -> timedelta:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if minute > 59 or second > 60:
        raise ValueError("no such time of day")
    smallest = next((part for part in MICROS if found[part]), "hour")
    fraction = found["fraction"] or "0"
    micros = int(fraction) * MICROS[smallest] // 10 ** len(fraction)
    time = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)
    if hour > 23 and time != timedelta(days=1):
        raise ValueError("no such hour")
    return time


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone[0] not in "+-\u2212":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError("no such offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if zone[0] == "+" else -offset
