"""What decisions take from their offices: the checks given, of which period, and how many it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.moments import EPOCH
from service.orientation.columns import Bools, Ints
from service.orientation.given_lanes import Lanes
from service.orientation.lanes import Check
from service.orientation.periods import CHECKS, MICROSECOND, Period

HOUR = 3_600_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Taken:
    """What the decisions of a message take, by row.

    periods: of offices, each once; able: the checks of each, by kind. of: of each row the place of its period. at: the
    moment whose capacity makes the check, microseconds since 1970. band: of the score; UNKNOWN if unscored. check:
    by number. network, held: see Campaigns.
    """

    periods: Sequence[Period]
    able: Sequence[Mapping[str, int]]
    of: Ints
    at: Ints
    band: Ints
    check: Ints
    network: Sequence[str | None]
    held: Bools

    @classmethod
    def of_lanes(cls, lanes: Lanes) -> Taken:
        """Collect what lanes take."""
        asked, periods = lanes.asked, lanes.periods
        network, held = asked.network.rows(), lanes.labels.held
        return cls(periods.each, periods.capacity, periods.of, periods.at, asked.band, lanes.given.check, network, held)

    def __len__(self) -> int:
        return len(self.of)

    def where(self, rows: Sequence[int]) -> Taken:
        """Return what these rows take."""
        if len(rows) == len(self):
            return self
        places = np.array(rows, np.int64)
        network = [self.network[row] for row in rows]
        of, at, band, check = self.of[places], self.at[places], self.band[places], self.check[places]
        return Taken(self.periods, self.able, of, at, band, check, network, self.held[places])

    def checks(self) -> list[str]:
        """Return the check of each row by name."""
        return [NAMES[check] for check in self.check.tolist()]

    def offices(self) -> list[str]:
        """Return the office of each row."""
        return [self.periods[place].office for place in self.of.tolist()]

    def hours(self) -> list[int]:
        """Return for each row the hour since 1970 that its check is given in."""
        hours: list[int] = (self.at // HOUR).tolist()
        return hours

    def by_period(self) -> list[tuple[Period, Mapping[str, int], dict[str, int]]]:
        """Return each period that checks are taken from, the checks that it has, and those taken, by kind."""
        taken: dict[int, dict[str, int]] = {}
        for place, check in zip(self.of.tolist(), self.checks(), strict=True):
            if check != Check.none.name:
                counts = taken.setdefault(place, dict.fromkeys(CHECKS, 0))
                counts[check] += 1
        return [(self.periods[place], self.able[place], counts) for place, counts in taken.items()]

    def on_record(self) -> list[dict[str, Any]]:
        """Return for each row what is kept with its decision: `at`, `band`, `network` and `held`."""
        moments = [EPOCH + at * MICROSECOND for at in self.at.tolist()]
        columns = zip(moments, self.band.tolist(), self.network, self.held.tolist(), strict=True)
        return [dict(zip(("at", "band", "network", "held"), row, strict=True)) for row in columns]


NAMES = tuple(check.name for check in Check)
