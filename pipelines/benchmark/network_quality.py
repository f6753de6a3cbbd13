"""Pairwise quality of entity resolution against the planted truth."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from features.consignment import Consignments
from features.history.facts import with_entities


def pairwise(consignments: Consignments, network_of: Mapping[int, int], truth: pl.DataFrame) -> dict[str, float]:
    """Compute precision and recall over all pairs of cards, the share of the largest network, and more.

    truth: `consignment_id` and `actor_id`. A card used by several actors counts for the most frequent one.
    """
    known = with_entities(consignments).frame.join(truth.select("consignment_id", "actor_id"), on="consignment_id")
    cards = (
        known.drop_nulls("card_entity")
        .group_by("card_entity", "actor_id")
        .len()
        .sort("len", "actor_id", descending=[True, False])
        .unique("card_entity", keep="first", maintain_order=True)
    )
    cards = cards.with_columns(pl.Series("network", [network_of[card] for card in cards["card_entity"]]))
    illicit = cards.filter(pl.col("actor_id").str.starts_with("X"))
    both = _pairs(cards, "actor_id", "network")
    return {
        "cards": float(cards.height),
        "precision": both / max(_pairs(cards, "network"), 1),
        "recall": both / max(_pairs(cards, "actor_id"), 1),
        "largest network": _largest(cards) / max(cards.height, 1),
        "recall of illicit actors": _pairs(illicit, "actor_id", "network") / max(_pairs(illicit, "actor_id"), 1),
    }


def _largest(cards: pl.DataFrame) -> int:
    return max(cards.group_by("network").len()["len"].to_list(), default=0)


def _pairs(cards: pl.DataFrame, *by: str) -> int:
    sizes = cards.group_by(by).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())
