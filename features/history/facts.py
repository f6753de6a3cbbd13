"""What happened, to whom, when it became known: the integer amounts that history is summed from.

A fact is (key, entity, fact, known_at, amount). Facts travel wide: one row for each key, entity and moment, one
integer column for each fact of the list (`fact_list.py`). Entities are hashes (`keys.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from features.consignment import TIME, Consignments
from features.history import fact_columns
from features.history.entities import with_entities
from features.history.fact_columns import NEVER, Facts, FirstSeen, Integers, Versions, never_seen
from features.history.fact_list import (
    DECLARATION_FACTS,
    FACT_SCHEMA,
    FACTS,
    LODGED,
    NOVELTY_FACTS,
    OUTCOME_FACTS,
    REGISTRY_FACTS,
    RESULT_COLUMNS,
    facts_from,
)
from features.history.keys import ENTITIES, KEYS, Key

__all__ = [
    "DECLARATION_FACTS",
    "ENTITIES",
    "EVER",
    "FACTS",
    "FACT_SCHEMA",
    "KEYS",
    "LODGED",
    "NEVER",
    "NOVELTY_FACTS",
    "OUTCOME_FACTS",
    "REGISTRY",
    "FirstSeen",
    "Integers",
    "Key",
    "attributed",
    "fact_delta",
    "facts_of",
    "facts_of_outcomes",
    "facts_registered",
    "facts_sighted",
    "facts_stated",
    "facts_that_are",
    "never_seen",
    "stated",
    "with_entities",
]
EVER = int(np.iinfo(np.int64).max)
REGISTRY = pl.Schema({"entity": pl.Int64(), "known_at": TIME})  # what right holders have registered, and when


def stated(consignments: Consignments) -> pl.DataFrame:
    """Return one row a consignment version: its key, `lodged_at`, its entities, and DECLARATION_FACTS as integers.

    A cancellation states nothing: it only takes back.
    """
    return Versions.of(consignments).frame()


def facts_of(consignments: Consignments, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """Return the facts that these consignments are themselves, as `facts_that_are`, as a frame (FACT_SCHEMA)."""
    return facts_that_are(consignments, first_seen).frame()


def facts_that_are(consignments: Consignments, first_seen: FirstSeen = never_seen) -> Facts:
    """Return the facts that these consignments are themselves, known when they were lodged."""
    versions = Versions.of(consignments)
    declared, sighted = fact_columns.facts_stated(versions), fact_columns.facts_sighted(versions, first_seen)
    return Facts.end_to_end([declared, sighted])


def facts_stated(versions: pl.DataFrame) -> pl.DataFrame:
    """Return what declarations state, as `fact_columns.facts_stated`; versions: rows of `stated`."""
    return fact_columns.facts_stated(Versions.of_frame(versions)).frame()


def facts_sighted(versions: pl.DataFrame, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """Return what a sender has of new, as `fact_columns.facts_sighted`; versions: rows of `stated`."""
    return fact_columns.facts_sighted(Versions.of_frame(versions), first_seen).frame()


def attributed(outcomes: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """Join outcomes with the consignment version inspected: the last one lodged when the result was known.

    outcomes: `consignment_id`, `known_at`; versions: `consignment_id`, `version`, `lodged_at` and what is wanted of
    them. Results of consignments that nobody declared fall out.
    """
    each = versions.sort("lodged_at", "version").unique(["consignment_id", "lodged_at"], keep="last")
    latest = each.sort("lodged_at").drop("version")
    at = outcomes.with_row_index("place").sort("known_at")
    inspected = _nearest(at, latest, "backward")
    early = inspected["lodged_at"].is_null()
    before = _nearest(at.filter(early), latest, "forward")  # a result known before it was lodged
    of_versions = pl.concat([inspected.filter(~early), before.filter(pl.col("lodged_at").is_not_null())])
    return of_versions.sort("place").drop("place")


def _nearest(outcomes: pl.DataFrame, versions: pl.DataFrame, side: Literal["backward", "forward"]) -> pl.DataFrame:
    """Join the version of the consignment lodged nearest to when the result was known, on that side of it."""
    return outcomes.join_asof(
        versions,
        left_on="known_at",
        right_on="lodged_at",
        by="consignment_id",
        strategy=side,
        coalesce=False,
        check_sortedness=False,
    )


def facts_of_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the facts that control results are (FACT_SCHEMA): known when the result was, never when it arrived.

    outcomes: `known_at`, the columns of RESULT_COLUMNS (one that a result need not have may be absent) and the
    entities of the consignment version inspected.
    """
    absent = (
        pl.lit(None, column.dtype).alias(column.name)
        for column in RESULT_COLUMNS
        if not column.required and column.name not in outcomes.columns
    )
    conclusive = outcomes.filter(pl.col("result") != "inconclusive").with_columns(*absent)
    amounts = (fact.expression.cast(pl.Int64).fill_null(0).alias(fact.name) for fact in facts_from("outcome"))
    return _for_each_key(conclusive.with_columns(*amounts), OUTCOME_FACTS)


def facts_registered(registry: pl.DataFrame) -> pl.DataFrame:
    """Return the facts (FACT_SCHEMA) that entries of right holders are (REGISTRY): of serials and their articles."""
    amounts = (fact.expression.alias(fact.name) for fact in facts_from("registry"))
    return _wide(registry.with_columns(*amounts), "entity", REGISTRY_FACTS)


def fact_delta(facts: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return what is to be added to the others so that they come to the facts (FACT_SCHEMA)."""
    return fact_columns.fact_delta(Facts.of_frame(facts), Facts.of_frame(others)).frame()


def _for_each_key(events: pl.DataFrame, facts: Sequence[str]) -> pl.DataFrame:
    amounts = (pl.col(fact).cast(pl.Int64) for fact in facts)
    wide = events.select("known_at", *amounts, *ENTITIES)
    each = wide.unpivot(on=ENTITIES, index=["known_at", *facts], value_name="entity")
    return _wide(each, "entity", facts)


def _wide(events: pl.DataFrame, entity: str, facts: Sequence[str]) -> pl.DataFrame:
    """Give amounts of `facts` as FACT_SCHEMA; the other facts are nothing, and an unknown entity posts none."""
    known = events.filter(pl.col(entity).is_not_null())
    return known.select(pl.col(entity).alias("entity"), "known_at", *(WIDE[fact in facts][fact] for fact in FACTS))


WIDE = {
    True: {fact: pl.col(fact).cast(pl.Int64) for fact in FACTS},
    False: {fact: pl.lit(0, pl.Int64).alias(fact) for fact in FACTS},
}
