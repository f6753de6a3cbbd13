"""What happened, to whom, when it became known: the integer amounts that history is summed from.

A fact is (key, entity, fact, known_at, amount). Facts travel wide: one row for each key, entity and moment, one
integer column for each fact. An entity is a stable 64-bit hash of its key and text: equal on every machine, and
no name stands in the history.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import polars_hash as plh

from features.comparable import article, building, comparable, mailbox, storefront, telephone, words_of_name
from features.consignment import TIME, Consignments
from features.outcome import LABELLED

FACTS = ("consignments", "value", "mass", "pieces", "inspected", "hits", "not_presented")
FACT_SCHEMA = pl.Schema([("entity", pl.Int64()), ("known_at", TIME), *((fact, pl.Int64()) for fact in FACTS)])


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
CONSIGNOR = _either(comparable("consignor_id"), _joined(comparable("consignor_name"), COUNTRY))
CONSIGNEE = _either(
    comparable("consignee_id"), _joined(comparable("consignee_name"), comparable("consignee_postcode").fill_null("?"))
)
ROUTE = _joined(
    pl.col("dispatch_country"),
    pl.col("transit_countries").fill_null(""),
    pl.col("destination_country").fill_null("?"),
    pl.col("operator").fill_null("?"),
)

KEYS: tuple[Key, ...] = (
    Key("consignor", CONSIGNOR),
    Key("name", _joined(words_of_name("consignor_name"), COUNTRY)),
    Key("consignee", CONSIGNEE),
    Key("pair", _joined(CONSIGNOR, CONSIGNEE)),
    Key("phone", telephone("consignor_phone")),
    Key("mailbox", mailbox("consignor_email")),
    Key("account", comparable("seller_account")),
    Key("shop", storefront("seller_url")),
    Key("address", _joined(building("consignor_address"), COUNTRY)),
    Key("article", pl.col("main_article")),
    Key("route", ROUTE),
    Key("goods", _joined(pl.col("main_hs6"), pl.col("main_origin").fill_null("?"))),
    Key("network", pl.col("network_id")),
)


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
            article("description").alias("main_article"),
        )
    )
    beside = consignments.frame.join(main, on="row", how="left", maintain_order="left")
    if "network_id" not in beside.columns:  # nobody has been linked: networks are unknown
        beside = beside.with_columns(pl.lit(None, pl.String).alias("network_id"))
    texts = beside.select(pl.concat_str(pl.lit(f"{key.name}\x1f"), key.text).alias(key.column) for key in lacking)
    hashed = texts.select(plh.col(key.column).nchash.xxhash64().reinterpret(signed=True) for key in lacking)
    return Consignments(consignments.frame.hstack(hashed), consignments.goods)


def facts_of(consignments: Consignments) -> pl.DataFrame:
    """The facts that these consignments are themselves, known when they were lodged (FACT_SCHEMA).

    Money in euro cents, mass in grams, pieces as declared. An amendment restates a consignment that has already
    been counted, so only the first version posts facts.
    """
    first = with_entities(consignments).frame.filter(pl.col("version") == 1)
    amounts = {
        "consignments": pl.lit(1, pl.Int64),
        "value": _integer(pl.col("value_eur") * 100),
        "mass": _integer(pl.col("gross_mass_kg") * 1000),
        "pieces": _integer(pl.col("pieces")),
    }
    return _for_each_key(first.with_columns(pl.col("lodged_at").alias("known_at")), amounts)


def facts_of_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """The facts that inspection results are (FACT_SCHEMA): known when the result was, never when it arrived.

    outcomes: `known_at`, `result` and the `<key>_entity` columns of the consignment inspected.
    """
    amounts = {
        "inspected": pl.col("result").is_in(LABELLED).cast(pl.Int64),
        "hits": (pl.col("result") == "non_compliant").cast(pl.Int64),
        "not_presented": (pl.col("result") == "not_presented").cast(pl.Int64),
    }
    return _for_each_key(outcomes.filter(pl.col("result") != "inconclusive"), amounts)


def _integer(amount: pl.Expr) -> pl.Expr:
    return amount.fill_null(0).round().cast(pl.Int64)


def _for_each_key(events: pl.DataFrame, amounts: dict[str, pl.Expr]) -> pl.DataFrame:
    nothing = pl.lit(0, pl.Int64)
    columns = [amounts.get(fact, nothing).alias(fact) for fact in FACTS]
    posted = [
        events.filter(pl.col(key.column).is_not_null()).select(
            pl.col(key.column).alias("entity"), pl.col("known_at"), *columns
        )
        for key in KEYS
    ]
    return pl.concat(posted).match_to_schema(FACT_SCHEMA) if events.height else FACT_SCHEMA.to_frame()
