"""Changes of a graph other than declarations: lists and reports that come and go, judgements, and expiry.

A replay of the past applies each at its moment, so that a model learns from the networks that were known then.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from features.parties.card import step_of
from features.parties.graph import Graph

LISTED = pl.Schema(
    {
        "entity": pl.Int64(),
        "values": pl.List(pl.Int64()),
        "since": pl.Int64(),
        "until": pl.Int64(),
        "reported": pl.Boolean(),
    }
)
JUDGED = pl.Schema(
    {"one": pl.Int64(), "other": pl.Int64(), "same": pl.Boolean(), "since": pl.Int64(), "until": pl.Int64()}
)
Change = tuple[int, int, int, tuple[int, ...], bool | None]  # moment, kind, card, values or other card, flag
ENDS, JUDGES, LISTS = range(3)  # at one moment, in this order


class GraphTimeline:
    """Changes in the order of time, each applied once; moments in microseconds since 1970.

    A change counts from the moment after it.
    """

    def __init__(self, listed: pl.DataFrame | None = None, judged: pl.DataFrame | None = None) -> None:
        """Collect changes.

        listed: LISTED, subjects of lists and of reports; judged: JUDGED, officers' judgements on pairs of cards.
        """
        changes: list[Change] = [*_of_lists(listed), *_of_officers(judged)]
        self._waiting = sorted(changes, key=lambda change: change[:3], reverse=True)
        self._step: int | None = None

    def until(self, at: int, graph: Graph) -> None:
        """Apply the changes before a moment, and delete expired cards."""
        while self._waiting and self._waiting[-1][0] < at:
            _apply(self._waiting.pop(), graph)
        if self._step != step_of(at):
            self._step = step_of(at)
            graph.expire(at)

    def apply_remaining(self, graph: Graph) -> None:
        """Apply the changes that are still waiting."""
        while self._waiting:
            _apply(self._waiting.pop(), graph)


def _of_lists(listed: pl.DataFrame | None) -> Iterator[Change]:
    for entity, values, since, until, reported in () if listed is None else listed.rows():
        yield since, LISTS, entity, tuple(values), bool(reported)
        if until is not None:
            yield until, ENDS, entity, (), None


def _of_officers(judged: pl.DataFrame | None) -> Iterator[Change]:
    for first, second, same, since, until in () if judged is None else judged.rows():
        yield since, JUDGES, first, (second,), same
        if until is not None:
            yield until, ENDS, first, (second,), None


def _apply(change: Change, graph: Graph) -> None:
    moment, kind, entity, values, flag = change
    if kind == LISTS:
        graph.add(entity, values, moment, listed=True, reported=bool(flag))
    elif values:
        graph.judge(entity, values[0], flag)
    else:
        graph.remove(entity)
