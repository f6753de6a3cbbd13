"""A sender as declared (a card), and the moments at which it is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from features.history.tiles import RESULT_DAYS
from features.parties.evidence import BUILDING, LEVEL, NAME, STREET

DAY = 86_400_000_000  # microseconds
SEEN_STEP = 28 * DAY  # resolution of `last_at`, so that a call seldom has to write it
EXPIRES_AFTER = RESULT_DAYS * DAY  # without a declaration a card and its links are deleted, as its results are


def step_of(at: int) -> int:
    """Return the beginning of the step in which a moment lies; both microseconds since 1970."""
    return at - at % SEEN_STEP


def expires_at(last_at: int) -> int:
    """Return the moment at which a card last declared in a step is deleted; microseconds since 1970."""
    return last_at + SEEN_STEP + EXPIRES_AFTER


class Card:
    """A sender as declared; `first_at` and `last_at`, the step of its last declaration, in microseconds since 1970.

    Of several names and buildings the smallest hash counts, so that the order of arrival does not matter.
    """

    def __init__(
        self, entity: int, first_at: int, values: Iterable[int] = (), *, listed: bool = False, reported: bool = False
    ) -> None:
        """Create a card.

        listed: the card is a subject of a watch list or dossier and sends nothing itself. reported: the source is a
        consumer or a platform.
        """
        self.entity, self.first_at, self.last_at = entity, first_at, step_of(first_at)
        self.listed, self.reported = listed, reported
        self.name: int | None = None
        self.building: int | None = None
        self.values: set[int] = set()
        self.state(values)

    def state(self, values: Iterable[int]) -> None:
        """Add values that the card states."""
        values = list(values)
        self.values.update(values)
        self.name = _least(self.name, NAME, values)
        self.building = _least(self.building, (BUILDING, STREET), values)


def _least(known: int | None, levels: Sequence[int], values: Iterable[int]) -> int | None:
    """Return the least value of the first of these levels that has any; known: what it was before these values."""
    of_levels = [value for value in values if value & LEVEL in levels]
    if not of_levels:
        return known
    if known is not None:
        of_levels.append(known)
    return min(of_levels, key=lambda value: (levels.index(value & LEVEL), value)) if of_levels[1:] else of_levels[0]
