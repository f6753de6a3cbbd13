"""What every consignment of a message is given, and why, in columns: what decisions are assembled from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import polars as pl

from service.orientation.allocation import Given
from service.orientation.asked import Asked
from service.orientation.columns import UNKNOWN, Floats, Ints
from service.orientation.labels import SELECTIONS, Labels
from service.orientation.lanes import Check, Lane, PostClearance, PreArrival, Track
from service.orientation.periods import Periods
from service.orientation.track_assignment import Followed


def _names(kind: type[IntEnum]) -> tuple[str, ...]:
    return tuple(item.name for item in kind)


PRE_ARRIVALS, LANES, CHECKS, POST_CLEARANCES, TRACKS = map(_names, (PreArrival, Lane, Check, PostClearance, Track))

BY_KIND = pl.List(pl.Struct({"kind": pl.String, "chance": pl.Float64}))


@dataclass(frozen=True, slots=True)
class Lanes:
    """The steps of a policy, each with one value for each consignment of a message."""

    periods: Periods
    asked: Asked
    given: Given
    labels: Labels
    followed: Followed

    def __len__(self) -> int:
        return len(self.given.lane)

    def oriented(self) -> dict[str, tuple[Ints, tuple[str, ...]]]:
        """Return what is named in a decision: of each column its numbers, and the names of these."""
        return {
            "pre_arrival": (self.labels.pre_arrival, PRE_ARRIVALS),
            "clearance": (self.given.lane, LANES),
            "check": (self.given.check, CHECKS),
            "post_clearance": (self.labels.post_clearance, POST_CLEARANCES),
            "track": (self.followed.track, TRACKS),
            "selection": (self.labels.selection, SELECTIONS),
        }

    def rows(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return at most `count` rows from a place on: what a decision states, and what its reasons rest on."""
        part = slice(start, start + count)
        asked, given, labels = self.asked, self.given, self.labels
        columns: dict[str, list[Any]] = {
            "risk": _known_floats(asked.risk[part]),
            "risk_by_kind": self._by_kind(part),
            "rank": _known_ints(asked.rank[part]),
            "of": _known_ints(asked.of[part]),
            "selection_probability": _known_floats(labels.selection_probability[part]),
            "rule_track": asked.rule_track[part].tolist(),
            "withdrawn": asked.withdrawn[part].tolist(),
            "held": labels.held[part].tolist(),
            "dropped": given.dropped[part].tolist(),
            "kept": given.kept[part].tolist(),
            "wanted": given.wanted[part].tolist(),
            "grave": _known_floats(self.followed.grave[part]),
        }
        for name, (numbers, names) in self.oriented().items():
            columns[name] = [names[number] for number in numbers[part].tolist()]
        places = range(start, start + len(columns["risk"]))
        columns["rule_codes"] = [list(asked.rule_codes.get(place, ())) for place in places]
        columns["indicators"] = [list(asked.indicators.get(place, ())) for place in places]
        columns["unsure"] = [list(self.followed.unsure.get(place, ())) for place in places]
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _by_kind(self, part: slice) -> list[dict[str, float] | None]:
        """Return of each row the chance of each kind of finding; None where none is stated."""
        stated = {kind: chances[part].tolist() for kind, chances in self.asked.by_kind.items()}
        if not stated:
            return [None] * len(self.asked.risk[part])
        return [dict(zip(stated, of_row, strict=True)) for of_row in zip(*stated.values(), strict=True)]

    def _listed_by_kind(self) -> pl.Series:
        """Return the same for all rows, as Parquet keeps it."""
        stated = self.asked.by_kind
        if not stated:
            return pl.Series("risk_by_kind", [None] * len(self), BY_KIND)
        columns = [pl.struct(pl.lit(kind).alias("kind"), pl.col(kind).alias("chance")) for kind in stated]
        lists = pl.DataFrame(dict(stated)).select(pl.concat_list(columns).alias("risk_by_kind"))
        return lists["risk_by_kind"].cast(BY_KIND)

    def frame(self) -> pl.DataFrame:
        """Return the columns that a decision states, as Parquet keeps them."""
        named = [
            pl.Series(name, numbers).replace_strict(dict(enumerate(names)), return_dtype=pl.String)
            for name, (numbers, names) in self.oriented().items()
        ]
        known = [
            pl.Series("risk", self.asked.risk).fill_nan(None),
            self._listed_by_kind(),
            pl.Series("selection_probability", self.labels.selection_probability).fill_nan(None),
            *(pl.Series(name, _known_ints(getattr(self.asked, name)), pl.Int64) for name in ("rank", "of")),
        ]
        return pl.DataFrame([*known, *named])


def _known_floats(numbers: Floats) -> list[float | None]:
    return [None if unknown else number for number, unknown in zip(numbers.tolist(), np.isnan(numbers), strict=True)]


def _known_ints(numbers: Ints) -> list[int | None]:
    return [None if number == UNKNOWN else number for number in numbers.tolist()]
