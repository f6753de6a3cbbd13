"""What happened, to whom, when it became known: the integer amounts that history is summed from.

A fact is (key, entity, fact, known_at, amount). Facts travel wide: one row for each key, entity and moment, one
integer column for each fact. An entity is a stable 64-bit hash of its key and text: equal on every machine, and
no name stands in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh

from features.comparable import article, building, comparable, mailbox, storefront, telephone, words_of_name
from features.consignment import TIME, VERSION_KEY, Consignments
from features.outcome import FINDINGS, LABELLED
from features.product_codes import gtin_of, serial_of

Integers = npt.NDArray[np.int64]
NEVER = int(np.iinfo(np.int64).min)
EVER = int(np.iinfo(np.int64).max)

LODGED = "lodged"  # versions that named the entity, whatever became of them: by it an entity is first and last seen
STATED = ("consignments", "lines", "value", "mass", "pieces")  # what a declaration says; an amendment takes it back
SIGHTED = {"new_consignee": "pair", "new_wording": "wording", "new_route": "way"}  # what a sender has of new
FOUND = ("inspected", "hits", *(f"hits_{finding}" for finding in FINDINGS), "hits_grave", "not_presented")
REGISTERED = "registered"  # by a right holder: a piece by its serial, or an article all of whose pieces are
FACTS = (LODGED, *STATED, *SIGHTED, *FOUND, REGISTERED)
FACT_SCHEMA = pl.Schema([("entity", pl.Int64()), ("known_at", TIME), *((fact, pl.Int64()) for fact in FACTS)])
REGISTRY = pl.Schema({"entity": pl.Int64(), "known_at": TIME})  # what right holders have registered, and when


@dataclass(frozen=True, slots=True)
class Key:
    """A kind of entity that history is kept for; `text` names the entity, null where it is unknown."""

    name: str
    text: pl.Expr

    @property
    def column(self) -> str:
        return f"{self.name}_entity"


def _either(*texts: pl.Expr) -> pl.Expr:
    return pl.coalesce(texts)


def _joined(*texts: pl.Expr) -> pl.Expr:
    """All texts together; unknown where one of them is."""
    return pl.concat_str(texts, separator="|")


COUNTRY = pl.col("consignor_country").fill_null("?")
SAID = {  # what several keys are made of; told once, as it costs more than the rest
    "said_consignor": _either(comparable("consignor_id"), _joined(comparable("consignor_name"), COUNTRY)),
    "said_consignee": _either(
        comparable("consignee_id"),
        _joined(comparable("consignee_name"), comparable("consignee_postcode").fill_null("?")),
    ),
    "said_route": _joined(
        pl.col("dispatch_country"),
        pl.col("transit_countries").fill_null(""),
        pl.col("destination_country").fill_null("?"),
        pl.col("operator").fill_null("?"),
    ),
    "said_building": building("consignor_address"),
}
CONSIGNOR, CONSIGNEE, ROUTE, BUILDING = (pl.col(name) for name in SAID)

KEYS: tuple[Key, ...] = (
    Key("consignor", CONSIGNOR),
    Key("name", _joined(words_of_name("consignor_name"), COUNTRY)),
    Key("consignee", CONSIGNEE),
    Key("pair", _joined(CONSIGNOR, CONSIGNEE)),
    Key("phone", telephone("consignor_phone")),
    Key("mailbox", mailbox("consignor_email")),
    Key("account", comparable("seller_account")),
    Key("shop", storefront("seller_url")),
    Key("address", _joined(BUILDING, COUNTRY)),
    Key("article", pl.col("main_article")),
    Key("gtin", pl.col("main_gtin")),
    Key("serial", pl.col("main_serial")),
    Key("wording", _joined(CONSIGNOR, comparable("main_description"))),
    Key("route", ROUTE),
    Key("way", _joined(CONSIGNOR, ROUTE)),
    Key("goods", _joined(pl.col("main_hs6"), pl.col("main_origin").fill_null("?"))),
    Key("operator", comparable("operator")),
    Key("office", comparable("office")),
    Key("card", _joined(CONSIGNOR, BUILDING.fill_null("?"))),
)
ENTITIES = tuple(key.column for key in KEYS)
HASHED_AT_ONCE = 50_000  # consignments: their texts stand one below the other meanwhile


def with_entities(consignments: Consignments) -> Consignments:
    """The consignments with one `<key>_entity` column (Int64, null = unknown) for each of KEYS."""
    lacking = [key for key in KEYS if key.column not in consignments.frame.columns]
    if not lacking:
        return consignments
    main = (
        consignments.goods.sort("line_value_eur", descending=True, nulls_last=True, maintain_order=True)
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            pl.col("hs_code").str.replace_all(r"\D+", "").str.slice(0, 6).replace("", None).alias("main_hs6"),
            pl.col("goods_origin_country").alias("main_origin"),
            pl.col("description").alias("main_description"),
            article("description").alias("main_article"),
            gtin_of(pl.col("product_code")).alias("main_gtin"),
            serial_of(pl.col("product_code")).alias("main_serial"),
        )
    )
    beside = consignments.frame.join(main, on="row", how="left", maintain_order="left")
    beside = beside.with_columns(text.alias(name) for name, text in SAID.items())
    texts = beside.select(key.text.alias(key.name) for key in lacking)
    hashed = [_hashed(part) for part in texts.iter_slices(HASHED_AT_ONCE)] or [_hashed(texts)]
    return Consignments(consignments.frame.hstack(pl.concat(hashed)), consignments.goods)


def _hashed(texts: pl.DataFrame) -> pl.DataFrame:
    """The entities that a column of texts for each key names: all in one pass, for each has its price."""
    one_below = texts.unpivot(variable_name="key", value_name="text")
    entities = one_below.select(entities_named(pl.col("key"), pl.col("text"))).to_series()
    rows = texts.height
    return pl.DataFrame([entities.slice(i * rows, rows).alias(f"{key}_entity") for i, key in enumerate(texts.columns)])


def entities_named(key: pl.Expr, text: pl.Expr) -> pl.Expr:
    """The entities of keys that texts name; null where the text is unknown."""
    return plh.concat_str(key, pl.lit("\x1f"), text).nchash.xxhash64().reinterpret(signed=True)


def stated(consignments: Consignments) -> pl.DataFrame:
    """One row a consignment version: its key, `lodged_at`, its entities, and STATED as integers.

    Money in euro cents, mass in grams, pieces as declared. A cancellation states nothing: it only takes back.
    """
    amounts = {
        "consignments": pl.lit(1, pl.Int64),
        "lines": pl.col("lines").cast(pl.Int64),
        "value": _integer(pl.col("value_eur") * 100),
        "mass": _integer(pl.col("gross_mass_kg") * 1000),
        "pieces": _integer(pl.col("pieces")),
    }
    withdrawn = pl.col("purpose").eq("cancellation").fill_null(False)
    return with_entities(consignments).frame.select(
        *VERSION_KEY,
        "lodged_at",
        *ENTITIES,
        *(pl.when(withdrawn).then(0).otherwise(amounts[name]).alias(name) for name in STATED),
    )


FirstSeen = Callable[[Integers], Integers]
"""The moment (microseconds) that each of some entities was first seen, NEVER where it never was."""


def never_seen(entities: Integers) -> Integers:
    """Of a past that holds nothing."""
    return np.full(len(entities), NEVER, np.int64)


def facts_of(consignments: Consignments, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """The facts that these consignments are themselves, known when they were lodged (FACT_SCHEMA)."""
    versions = stated(consignments)
    return pl.concat([facts_stated(versions), facts_sighted(versions, first_seen)])


def facts_stated(versions: pl.DataFrame) -> pl.DataFrame:
    """What declarations say. An amendment takes back, when it is lodged, what the version before it said.

    versions: rows of `stated`, all that are known of each consignment. A version that comes after a higher one says
    nothing, for it is out of date; it was lodged all the same.
    """
    lodged = versions.with_columns(pl.col("lodged_at").alias("known_at"), pl.lit(1).alias(LODGED))
    if (versions["version"] == 1).all():
        return _for_each_key(lodged, (LODGED, *STATED))
    highest = pl.col("version") == pl.col("version").cum_max().over("consignment_id")
    said = lodged.sort("consignment_id", "lodged_at", "version", "message_id").filter(highest)
    after = said.with_columns(
        pl.col("lodged_at").shift(-1).over("consignment_id").alias("known_at"),
        (pl.col("version").shift(-1).over("consignment_id") > pl.col("version")).alias("amended"),
    )
    taken_back = after.filter("amended").with_columns(-pl.col(STATED)).drop("amended")
    stated_facts = _for_each_key(pl.concat([said, taken_back]), STATED)
    return pl.concat([_for_each_key(lodged, (LODGED,)), stated_facts])


def facts_sighted(versions: pl.DataFrame, first_seen: FirstSeen = never_seen) -> pl.DataFrame:
    """What a sender has of new: one fact at the moment when the two were first seen together.

    Where the past has seen them later than these versions do, its fact moves to the earlier moment.
    """
    sights = _sights(versions)
    seen = pl.Series("seen", first_seen(sights["both"].to_numpy().astype(np.int64)), pl.Int64)
    before = sights.with_columns(seen.replace(NEVER, None).cast(TIME))
    earlier = before.filter(pl.col("seen").is_null() | (pl.col("known_at") < pl.col("seen")))
    moved = earlier.filter(pl.col("seen").is_not_null()).with_columns(known_at=pl.col("seen"))
    appeared, gone = pl.lit(1).alias("amount"), pl.lit(-1).alias("amount")
    signed = pl.concat([earlier.with_columns(appeared), moved.with_columns(gone)])
    amounts = (pl.when(pl.col("sight") == fact).then("amount").otherwise(0).alias(fact) for fact in SIGHTED)
    return _wide(signed.with_columns(amounts), "consignor_entity", tuple(SIGHTED))


def _sights(versions: pl.DataFrame) -> pl.DataFrame:
    """When the sender and the other were first named together in these versions: sight, both, sender, known_at."""
    named = (pl.col(f"{key}_entity").alias(fact) for fact, key in SIGHTED.items())
    each = versions.select("consignor_entity", pl.col("lodged_at").alias("known_at"), *named)
    return (
        each.unpivot(on=list(SIGHTED), index=["consignor_entity", "known_at"], variable_name="sight", value_name="both")
        .drop_nulls("both")
        .group_by("sight", "both")
        .agg(pl.col("consignor_entity").first(), pl.col("known_at").min())
    )


def attributed(outcomes: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """Outcomes with the row of the consignment version inspected: the last one lodged when the result was known.

    outcomes: `consignment_id`, `known_at`; versions: `consignment_id`, `version`, `lodged_at` and what is wanted of
    them. Results of consignments that nobody declared fall out.
    """
    each = versions.sort("lodged_at", "version").unique(["consignment_id", "lodged_at"], keep="last")
    latest = each.sort("lodged_at").drop("version")
    at = outcomes.with_row_index("place").sort("known_at")
    inspected = _beside(at, latest, "backward")
    early = inspected["lodged_at"].is_null()
    before = _beside(at.filter(early), latest, "forward")  # a result known before it was lodged
    told = pl.concat([inspected.filter(~early), before.filter(pl.col("lodged_at").is_not_null())])
    return told.sort("place").drop("place")


def _beside(outcomes: pl.DataFrame, versions: pl.DataFrame, side: Literal["backward", "forward"]) -> pl.DataFrame:
    """The version of the consignment lodged nearest to when the result was known, on that side of it."""
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
    """The facts that inspection results are (FACT_SCHEMA): known when the result was, never when it arrived.

    outcomes: `known_at`, `result`, `findings`, `criminal_link` and the entities of the consignment version inspected.
    """
    hit = pl.col("result") == "non_compliant"
    named = pl.col("findings").fill_null("").str.split(";").list.eval(pl.element().str.strip_chars())
    amounts = {
        "inspected": pl.col("result").is_in(LABELLED),
        "hits": hit,
        **{f"hits_{finding}": hit & named.list.contains(finding) for finding in FINDINGS},
        "hits_grave": hit & (named.list.contains("dangerous") | pl.col("criminal_link").eq("true").fill_null(False)),
        "not_presented": pl.col("result") == "not_presented",
    }
    conclusive = outcomes.filter(pl.col("result") != "inconclusive")
    return _for_each_key(
        conclusive.with_columns(amount.cast(pl.Int64).alias(fact) for fact, amount in amounts.items()), FOUND
    )


def facts_registered(registry: pl.DataFrame) -> pl.DataFrame:
    """The facts (FACT_SCHEMA) that entries of right holders are (REGISTRY): of serials and their articles."""
    return _wide(registry.with_columns(pl.lit(1).alias(REGISTERED)), "entity", (REGISTERED,))


def less(facts: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """What is to be added to the others so that they come to the facts (FACT_SCHEMA)."""
    both = pl.concat([facts, others.with_columns(-pl.col(FACTS))]).group_by("entity", "known_at").sum()
    return both.filter(pl.any_horizontal(pl.col(FACTS) != 0))


def _integer(amount: pl.Expr) -> pl.Expr:
    return amount.fill_null(0).round().cast(pl.Int64)


def _for_each_key(events: pl.DataFrame, facts: Sequence[str]) -> pl.DataFrame:
    amounts = (pl.col(fact).cast(pl.Int64) for fact in facts)
    told = events.select("known_at", *amounts, *ENTITIES)
    each = told.unpivot(on=ENTITIES, index=["known_at", *facts], value_name="entity")
    return _wide(each, "entity", facts)


def _wide(events: pl.DataFrame, entity: str, facts: Sequence[str]) -> pl.DataFrame:
    """Amounts of `facts` as FACT_SCHEMA; the other facts are nothing, and whoever is unknown posts none."""
    known = events.filter(pl.col(entity).is_not_null())
    return known.select(pl.col(entity).alias("entity"), "known_at", *(WIDE[fact in facts][fact] for fact in FACTS))


WIDE = {
    True: {fact: pl.col(fact).cast(pl.Int64) for fact in FACTS},
    False: {fact: pl.lit(0, pl.Int64).alias(fact) for fact in FACTS},
}
