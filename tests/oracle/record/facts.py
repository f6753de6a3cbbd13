"""What happened, to whom, when it became known: the integer amounts that history is summed from.

A fact is (key, entity, fact, known_at, amount). Facts travel wide: one row for each key, entity and moment, one
integer column for each fact of the list (`fact_list.py`). Entities are hashes (`keys.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import TIME, VERSION_KEY, Consignments
from features.history.entities import with_entities
from features.history.keys import ENTITIES, KEYS, Key
from tests.oracle.record.fact_list import (
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
    "Integers",
    "Key",
    "attributed",
    "fact_delta",
    "facts_of",
    "facts_of_outcomes",
    "facts_registered",
    "facts_sighted",
    "facts_stated",
    "never_seen",
    "stated",
    "with_entities",
]
Integers = npt.NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).min)
EVER = int(np.iinfo(np.int64).max)
REGISTRY = pl.Schema({"entity": pl.Int64(), "known_at": TIME})  # what right holders have registered, and when


def stated(consignments: Consignments) -> pl.DataFrame:
    """Return one row a consignment version: its key, `lodged_at`, its entities, and DECLARATION_FACTS as integers.

    A cancellation states nothing: it only takes back.
    """
    withdrawn = pl.col("purpose").eq("cancellation").fill_null(False)
    return with_entities(consignments).frame.select(
        *VERSION_KEY,
        "lodged_at",
        *ENTITIES,
        *(
            pl.when(withdrawn).then(0).otherwise(fact.amount.cast(pl.Int64)).alias(fact.name)
            for fact in facts_from("declaration")
        ),
    )


FirstSeen = Callable[[Integers], Integers]
"""Finds the moment (microseconds) at which each entity was first seen, NEVER where it never was."""


def never_seen(entities: Integers) -> Integers:
    """Answer for a past that holds nothing."""
    return np.full(len(entities), NEVER, np.int64)


def facts_of(consignments: Consignments, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """Return the facts that these consignments are themselves, known when they were lodged (FACT_SCHEMA)."""
    versions = stated(consignments)
    return pl.concat([facts_stated(versions), facts_sighted(versions, first_seen)])


def facts_stated(versions: pl.DataFrame) -> pl.DataFrame:
    """Return what declarations state; an amendment takes back, when it is lodged, what the version before it stated.

    versions: rows of `stated`, all that are known of each consignment. A version that comes after a higher one states
    nothing, for it is out of date; it was lodged all the same.
    """
    lodged = versions.with_columns(pl.col("lodged_at").alias("known_at"), pl.lit(1).alias(LODGED))
    if (versions["version"] == 1).all():
        return _for_each_key(lodged, (LODGED, *DECLARATION_FACTS))
    highest = pl.col("version") == pl.col("version").cum_max().over("consignment_id")
    in_force = lodged.sort("consignment_id", "lodged_at", "version", "message_id").filter(highest)
    after = in_force.with_columns(
        pl.col("lodged_at").shift(-1).over("consignment_id").alias("known_at"),
        (pl.col("version").shift(-1).over("consignment_id") > pl.col("version")).alias("amended"),
    )
    taken_back = after.filter("amended").with_columns(-pl.col(DECLARATION_FACTS)).drop("amended")
    stated_facts = _for_each_key(pl.concat([in_force, taken_back]), DECLARATION_FACTS)
    return pl.concat([_for_each_key(lodged, (LODGED,)), stated_facts])


def facts_sighted(versions: pl.DataFrame, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """Return what a sender has of new: one fact at the moment when the two were first seen together.

    Where the past has seen them later than these versions do, its fact moves to the earlier moment.
    """
    sights = _sights(versions)
    seen = pl.Series("seen", first_seen(sights["both"].to_numpy().astype(np.int64)), pl.Int64)
    before = sights.with_columns(seen.replace(NEVER, None).cast(TIME))
    earlier = before.filter(pl.col("seen").is_null() | (pl.col("known_at") < pl.col("seen")))
    moved = earlier.filter(pl.col("seen").is_not_null()).with_columns(known_at=pl.col("seen"))
    appeared, gone = pl.lit(1).alias("amount"), pl.lit(-1).alias("amount")
    signed = pl.concat([earlier.with_columns(appeared), moved.with_columns(gone)])
    amounts = (pl.when(pl.col("sight") == fact).then("amount").otherwise(0).alias(fact) for fact in NOVELTY_FACTS)
    return _wide(signed.with_columns(amounts), "consignor_entity", tuple(NOVELTY_FACTS))


def _sights(versions: pl.DataFrame) -> pl.DataFrame:
    """Find when the sender and the other were first named together in these versions: sight, both, sender, known_at."""
    named = (pl.col(f"{key}_entity").alias(fact) for fact, key in NOVELTY_FACTS.items())
    each = versions.select("consignor_entity", pl.col("lodged_at").alias("known_at"), *named)
    return (
        each.unpivot(
            on=list(NOVELTY_FACTS), index=["consignor_entity", "known_at"], variable_name="sight", value_name="both"
        )
        .drop_nulls("both")
        .group_by("sight", "both")
        .agg(pl.col("consignor_entity").first(), pl.col("known_at").min())
    )


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
    amounts = (fact.amount.cast(pl.Int64).fill_null(0).alias(fact.name) for fact in facts_from("outcome"))
    return _for_each_key(conclusive.with_columns(*amounts), OUTCOME_FACTS)


def facts_registered(registry: pl.DataFrame) -> pl.DataFrame:
    """Return the facts (FACT_SCHEMA) that entries of right holders are (REGISTRY): of serials and their articles."""
    amounts = (fact.amount.alias(fact.name) for fact in facts_from("registry"))
    return _wide(registry.with_columns(*amounts), "entity", REGISTRY_FACTS)


def fact_delta(facts: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return what is to be added to the others so that they come to the facts (FACT_SCHEMA)."""
    both = pl.concat([facts, others.with_columns(-pl.col(FACTS))]).group_by("entity", "known_at").sum()
    return both.filter(pl.any_horizontal(pl.col(FACTS) != 0))


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
