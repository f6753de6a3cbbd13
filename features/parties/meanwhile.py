"""What changes a graph beside declarations: lists and reports that come and go, officers' words, and what is forgotten.

A replay of the past lets each happen when it did, so that a model learns from the networks that were known then.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from features.parties.graph import Graph, step_of

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
Change = tuple[int, int, int, tuple[int, ...], bool | None]  # moment, kind, number, of what, whether so
ENDS, JUDGES, LISTS = range(3)  # at one moment, in this order


class Meanwhile:
    """Changes in the order of time, each told once; from when and until when in microseconds since 1970.

    A change counts from the moment after it.
    """

    def __init__(self, listed: pl.DataFrame | None = None, judged: pl.DataFrame | None = None) -> None:
        """listed: LISTED, subjects of lists and of reports; judged: JUDGED, officers' words on pairs of cards."""
        changes: list[Change] = [*_of_lists(listed), *_of_officers(judged)]
        self._waiting = sorted(changes, key=lambda change: change[:3], reverse=True)
        self._step: int | None = None

    def until(self, at: int, graph: Graph) -> None:
        """Let happen what happened before a moment."""
        while self._waiting and self._waiting[-1][0] < at:
            _happen(self._waiting.pop(), graph)
        if self._step != step_of(at):
            self._step = step_of(at)
            graph.expire(at)

    def rest(self, graph: Graph) -> None:
        """Let happen what has not happened yet."""
        while self._waiting:
            _happen(self._waiting.pop(), graph)


def _of_lists(listed: pl.DataFrame | None) -> Iterator[Change]:
    for entity, values, since, until, reported in () if listed is None else listed.rows():
        yield since, LISTS, entity, tuple(values), bool(reported)
        if until is not None:
            yield until, ENDS, entity, (), None


def _of_officers(judged: pl.DataFrame | None) -> Iterator[Change]:
    for one, other, same, since, until in () if judged is None else judged.rows():
        yield since, JUDGES, one, (other,), same
        if until is not None:
            yield until, ENDS, one, (other,), None


def _happen(change: Change, graph: Graph) -> None:
    moment, kind, entity, of, so = change
    if kind == LISTS:
        graph.add(entity, of, moment, listed=True, reported=bool(so))
    elif of:
        graph.judge(entity, of[0], so)
    else:
        graph.remove(entity)
