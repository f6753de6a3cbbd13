"""What every consignment of a message is given, and why, in columns: what decisions are assembled from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import polars as pl

from service.orientation.allocation import Given
from service.orientation.asked import Asked
from service.orientation.columns import UNKNOWN, Bools, Floats, Ints
from service.orientation.labels import NOTHING, SELECTIONS, Labels
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
            "risk_low": _known_floats(asked.low[part]),
            "risk_high": _known_floats(asked.high[part]),
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
        columns["reserved"] = [asked.reserved.get(place) for place in places]
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

    def _listed_by_kind(self, part: slice) -> pl.Series:
        """Return the same as Parquet keeps it."""
        stated = {kind: chances[part] for kind, chances in self.asked.by_kind.items()}
        if not stated:
            return pl.Series("risk_by_kind", [None] * len(self.asked.risk[part]), BY_KIND)
        columns = [pl.struct(pl.lit(kind).alias("kind"), pl.col(kind).alias("chance")) for kind in stated]
        lists = pl.DataFrame(stated).select(pl.concat_list(columns).alias("risk_by_kind"))
        return lists["risk_by_kind"].cast(BY_KIND)

    def texts_by_kind(self, start: int, end: int) -> pl.Series:
        """Return the same as JSON, from one place to before another."""
        stated = {kind: chances[start:end] for kind, chances in self.asked.by_kind.items()}
        if not stated:
            return pl.Series("risk_by_kind", ["null"] * len(self.asked.risk[start:end]))
        return (
            pl.DataFrame(stated).select(pl.struct(list(stated)).struct.json_encode().alias("risk_by_kind")).to_series()
        )

    def frame(self, start: int = 0, end: int | None = None) -> pl.DataFrame:
        """Return the columns that a decision states, as Parquet keeps them, from one place to before another."""
        part = slice(start, end)
        named = [
            pl.Series(name, numbers[part]).replace_strict(dict(enumerate(names)), return_dtype=pl.String)
            for name, (numbers, names) in self.oriented().items()
        ]
        known = [
            pl.Series("risk", self.asked.risk[part]).fill_nan(None),
            pl.Series("risk_low", self.asked.low[part]).fill_nan(None),
            pl.Series("risk_high", self.asked.high[part]).fill_nan(None),
            self._listed_by_kind(part),
            pl.Series("selection_probability", self.labels.selection_probability[part]).fill_nan(None),
            *(pl.Series(name, _known_ints(getattr(self.asked, name)[part]), pl.Int64) for name in ("rank", "of")),
        ]
        return pl.DataFrame([*known, *named])

    def explained(self) -> Bools:
        """Select what may be given reasons of its selection: all that is not plainly let pass by its score."""
        asked, given, labels = self.asked, self.given, self.labels
        spoken_of = np.zeros(len(self), np.bool_)
        spoken_of[[*asked.rule_codes, *asked.indicators, *self.followed.unsure]] = True
        spoken_of |= (given.lane != Lane.green) | (labels.selection != NOTHING) | (self.followed.track != Track.none)
        spoken_of |= asked.withdrawn | np.isnan(asked.risk) | labels.held | given.dropped
        return spoken_of


def _known_floats(numbers: Floats) -> list[float | None]:
    return [None if unknown else number for number, unknown in zip(numbers.tolist(), np.isnan(numbers), strict=True)]


def _known_ints(numbers: Ints) -> list[int | None]:
    return [None if number == UNKNOWN else number for number in numbers.tolist()]
