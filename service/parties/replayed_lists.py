"""Lists in a replay of the past: each counts while it was active, for senders and for addressees.

What strangers share tells nobody there either; the replay says who states what, as far as it has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from features.algebra.tables import Lists
from features.consignment import Consignments
from features.hashes import hash_of
from features.history.keys import consignee_text
from features.parties import GraphTimeline, Linked, link_with
from features.parties.addressee import COLUMNS, addressees_of, is_of_strangers
from features.parties.card import Card
from features.parties.graph import Graph
from features.parties.list_match import MATCHED
from service.parties.list_screening import COMPARED, MATCHES, matches_of_addressee

ADDRESSED = pl.Schema(
    {
        "list_id": pl.String(),
        "entity": pl.Int64(),
        "values": pl.List(pl.Int64()),
        "since": pl.Int64(),
        "until": pl.Int64(),
    }
)
Stated = tuple[int, str, int, int | None]  # subject, list, and the period in which it counts


@dataclass(frozen=True)
class ReplayedLists:
    """What lists and officers ever said. listed: LISTED; judged: JUDGED; addressed: ADDRESSED."""

    listed: pl.DataFrame
    judged: pl.DataFrame
    addressed: pl.DataFrame

    def timeline(self) -> GraphTimeline:
        """Return the changes of the graph of senders, to be applied once."""
        return GraphTimeline(self.listed, self.judged)

    @cached_property
    def stating(self) -> dict[int, list[Stated]]:
        """By value, the subjects that state it."""
        stating: dict[int, list[Stated]] = defaultdict(list)
        for list_id, entity, values, since, until in self.addressed.rows():
            for value in values:
                stating[value].append((entity, list_id, since, until))
        return dict(stating)


class ScreenedInReplay(Linked):
    """Linking of a replay that knows lists: each consignment sees those of the moment that it was lodged at."""

    def __init__(self, graph: Graph, lists: ReplayedLists) -> None:
        """lists: of the past that is replayed."""
        super().__init__(graph)
        self._timeline, self._stating = lists.timeline(), lists.stating
        self._addressees: dict[int, dict[int, Card]] = defaultdict(dict)  # value of a list → who states it

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """Attribute consignments to networks and screen both parties; the graph grows by them."""
        linked = link_with(consignments, self.graph, self._timeline, lists_at=lists_at)[0]
        declared = linked.declared
        columns = [declared.text_or_unknown(name) for name in COLUMNS]
        texts, moments = [column.rows() for column in columns], declared.moments("lodged_at").tolist()
        written: list[list[str] | None] = []
        for row, values in enumerate(addressees_of(columns)):
            stated = [value for value in values if value in self._stating]
            body = {name: of[row] for name, of in zip(COLUMNS, texts, strict=True)} if stated else {}
            self._note(stated, values, body)
            shared: dict[tuple[int, str], list[int]] = defaultdict(list)
            for value in stated:
                for entity, list_id, since, until in self._stating[value]:
                    if since < moments[row] and (until is None or moments[row] <= until):
                        shared[entity, list_id].append(value)
            found = matches_of_addressee(shared, body, self) if shared else []
            written.append([match.written() for match in sorted(set(found))] or None)
        return linked.holding({MATCHED: Lists(written, MATCHES)})

    def share(self, value: int, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 - who states it is known here
        """Return true for what strangers have stated as addressees so far."""
        cards = list(self._addressees.get(value, {}).values())[-COMPARED:]
        return is_of_strangers(value, cards)

    def _note(self, stated: list[int], values: tuple[int, ...], body: Mapping[str, Any]) -> None:
        for value in stated:
            number, name, postcode, country = (
                body[f"consignee_{part}"] for part in ("id", "name", "postcode", "country")
            )
            entity = hash_of(consignee_text(number, country, name, postcode) or "")
            self._addressees[value].setdefault(entity, Card(entity, 0)).state(values)
