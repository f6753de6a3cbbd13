"""Days and shifts by the clock of an office: none is lost and none overlaps, also where it is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.moments import EPOCH, micros
from service.orientation import PolicyFault, load_policy
from service.orientation.capacity import Capacity, CapacityPlan
from service.orientation.periods import MICROSECOND, QUARTER, shift_at

PARIS = "Europe/Paris"
ZONES = (PARIS, "America/New_York", "Asia/Shanghai", "Pacific/Auckland", "UTC")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NONE = Capacity(0, 0, 0, 0, 0)
POLICY = 'id = "local"\ntime_zone = {}\n[capacity.default]\nphysical = 1\ndocuments = 1\naudit = 0\nexpected = 10\n'


def periods_of(hands: CapacityPlan, *moments: datetime) -> list[tuple[datetime, str, int]]:
    """Begin, name and length in hours of the period that each moment falls into."""
    quarters = [micros(moment) // QUARTER for moment in moments]
    found = [shift_at(hands.shifts, hands.zone, quarter) for quarter in quarters]
    return [(EPOCH + begins * MICROSECOND, shift, lasts) for begins, lasts, shift in found]


@given(
    st.sampled_from(ZONES),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    st.integers(24 * 60, 364 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
)
@settings(max_examples=150)
@example(PARIS, {2}, datetime(2026, 3, 29, 0, 59, tzinfo=UTC))  # the hour that spring leaves out
@example(PARIS, {2}, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
@example(PARIS, {2, 6}, datetime(2026, 10, 25, 1, 30, tzinfo=UTC))  # the hour that comes twice
def test_periods_follow_one_another_by_the_local_clock(zone: str, starts: set[int], at: datetime) -> None:
    hours = sorted(starts)
    hands = CapacityPlan(NONE, {}, {}, tuple((f"from {hour}", hour) for hour in hours), zone)
    [(begins, shift, lasts)] = periods_of(hands, at)
    end = begins + timedelta(hours=lasts)
    assert begins <= at < end
    [(again, same, _), (following, next_shift, _)] = periods_of(hands, begins, end)
    assert (again, same, following) == (begins, shift, end)
    place = hours.index(int(shift.removeprefix("from ")))
    assert next_shift == f"from {hours[(place + 1) % len(hours)]}"
    local = begins.astimezone(ZoneInfo(zone))
    left_out = local.replace(hour=hours[place]).astimezone(UTC).astimezone(ZoneInfo(zone)).hour != hours[place]
    assert (local.hour, local.minute) == (hours[place] + left_out, 0)


def test_a_day_in_paris_begins_at_its_midnight_and_is_an_hour_short_in_spring() -> None:
    hands = load_policy(POLICY.format(f'"{PARIS}"')).capacity
    midnight, half_hour, day = datetime(2026, 3, 28, 23, tzinfo=UTC), timedelta(minutes=30), timedelta(days=1)
    assert periods_of(hands, midnight + half_hour) == [(midnight, "day", 23)]
    assert periods_of(hands, midnight - half_hour) == [(midnight - day, "day", 24)]


@pytest.mark.parametrize("zone", ['"Europe/Lutetia"', '"Asia/Kolkata"', '""', "2"])
def test_a_time_zone_that_cannot_be_used_is_named(zone: str) -> None:
    with pytest.raises(PolicyFault, match="time_zone"):
        load_policy(POLICY.format(zone))
