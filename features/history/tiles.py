"""How history is kept small: every fact for two days, then one total an hour, a day, a month, then one for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from features.history.facts import FACTS, LODGED, NEVER, OUTCOME_FACTS, Integers
from features.history.running_totals import amounts_of, running_totals

Flags = npt.NDArray[np.bool_]
HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
MONTH = 30 * DAY
LONGEST = 365  # days of the longest window that a name may ask for
EXACT = 2  # days for which every fact is kept; a consignment that comes later than so is read at the tile before it
HOURLY = 7  # windows up to so many days start at an hour, longer ones at a day
COMPLIANT_YEARS, HIT_YEARS = 3, 10  # how long files of compliant controls and of findings are kept
RESULT_DAYS = COMPLIANT_YEARS * 365  # results count so long: after it only findings would be left, and all look guilty


def days_read(fact: str, days: int | None) -> int | None:
    """How far back a window of a fact reaches; without days ever since, but results no longer than files are kept."""
    return RESULT_DAYS if days is None and fact in OUTCOME_FACTS else days


def far_edge(lodged_at: Integers, days: int) -> Integers:
    """Where a span of `days` starts (microseconds): rounded down to its tile, or up where files end with the span."""
    start = lodged_at - days * DAY
    if days == RESULT_DAYS:
        return start + -start % MONTH
    return start - start % (HOUR if days <= HOURLY else DAY)


def thinned(running: pl.DataFrame, now: int) -> pl.DataFrame:
    """Those rows of sorted running totals that a reading can still need.

    They are the last row of each tile, which holds the total up to the tile's end; the last of each tile at which the
    entity was seen; and the first of each entity at which it was. Rows keep their exact moment, and one inside a tile
    tells of nothing but the sighting, so that thinning twice, or parts before the whole, comes to the same.
    """
    if running.is_empty():
        return running
    other_entity = _changes(running["entity"].to_numpy())
    ends = np.append((other_entity | _changes(_tile_of(running["known_at"].to_numpy(), now)))[1:], True)
    sightings = _sightings(running, other_entity, ends) & ~ends
    if not sightings.any():
        return running.filter(pl.Series(ends))
    tile_before = _end_before(other_entity, ends)

    def at_tile(name: str) -> pl.Series:
        sums = running[name].to_numpy()
        return pl.Series(name, np.where(sightings, np.where(tile_before < 0, 0, sums[tile_before]), sums))

    others = [name for name in _facts(running) if name != LODGED]
    return running.with_columns(at_tile(name) for name in others).filter(pl.Series(ends | sightings))


def _sightings(running: pl.DataFrame, other_entity: Flags, ends: Flags) -> Flags:
    """Where an entity was seen first, and last in its tile."""
    if LODGED not in running.columns:
        return np.zeros(len(ends), np.bool_)
    lodged = running[LODGED].to_numpy().astype(np.int64)
    before = np.where(other_entity, 0, np.append(0, lodged[:-1]))
    at_end = lodged[np.flatnonzero(ends)][np.cumsum(np.append(0, ends[:-1]))]
    seen: Flags = (lodged != before) & ((lodged == at_end) | (before == 0))
    return seen


def _end_before(other_entity: Flags, ends: Flags) -> Integers:
    """For each row the place where the tile before its own ends, -1 where its entity has none."""
    places = np.arange(len(ends))
    last_end = np.maximum.accumulate(np.append(-1, np.where(ends, places, -1)[:-1]))
    start = np.maximum.accumulate(np.where(other_entity, places, 0))
    return np.where(last_end >= start, last_end, -1)


def _changes(column: Integers) -> Flags:
    return np.append(True, column[1:] != column[:-1])


def _tile_of(known_at: Integers, now: int) -> Integers:
    today = now - now % DAY
    tiles = [known_at, *(known_at - known_at % tile for tile in (HOUR, DAY, MONTH))]
    reach = (EXACT, EXACT + HOURLY + 1, EXACT + LONGEST + 1, EXACT + RESULT_DAYS + 31)
    return np.select([known_at >= today - days * DAY for days in reach], tiles, NEVER).astype(np.int64)


def merged(parts: Sequence[pl.DataFrame], now: int) -> pl.DataFrame:
    """Sorted running totals of several parts as those of one, thinned; columns that a part lacks are nothing."""
    events = pl.concat([amounts_of(part).cast(dict.fromkeys(_facts(part), pl.Int64)) for part in parts], how="diagonal")
    return thinned(running_totals(events), now)


def remembered(running: pl.DataFrame, now: int) -> pl.DataFrame:
    """Running totals of everything ever known, less the entities whose time is over.

    An entity is forgotten three years after its last fact, or ten where anything was ever found with it.
    """
    hits = pl.col("hits").last() if "hits" in running.columns else pl.lit(0)
    years = pl.when(hits > 0).then(HIT_YEARS).otherwise(COMPLIANT_YEARS)
    over = pl.col("known_at").last() < now - years * (365 * DAY)
    return running.filter(~over.over("entity"))


def _facts(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name in FACTS]
