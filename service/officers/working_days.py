"""Working days of a member state: what statutory periods are counted in (Regulation (EEC, Euratom) No 1182/71)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from features.fault import Fault

if TYPE_CHECKING:
    import holidays

SATURDAY = 5


class NoSuchCountry(Fault):
    """A country whose public holidays are not known; the message names it."""


@lru_cache(maxsize=64)
def _holidays(country: str) -> holidays.HolidayBase:
    import holidays  # loads the calendars of all countries, which only what has a case asks for

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        raise NoSuchCountry(f"no public holidays are known of {country!r}; name an ISO 3166-1 country") from None


def is_working_day(day: date, country: str) -> bool:
    """Whether a day is neither a Saturday, a Sunday nor a public holiday (Article 2(2))."""
    return day.weekday() < SATURDAY and day not in _holidays(country)


def after_working_days(day: date, count: int, country: str) -> date:
    """The last day of a period of so many working days; the day of the event itself is not counted (Article 3(1))."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day, country)
    return day


def working_days_between(start: date, end: date, country: str) -> int:
    """Working days after `start` up to and including `end`; 0 where it is not later."""
    return sum(is_working_day(start + timedelta(days=n), country) for n in range(1, (end - start).days + 1))
