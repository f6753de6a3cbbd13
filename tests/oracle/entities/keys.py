"""The kinds of entities that history is kept for, and the hashes that stand for them.

An entity is a stable 64-bit hash of its key and text: equal on every machine, and no name stands in the history.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import polars_hash as plh

from features.choices import LANGUAGES
from features.consignment import Consignments
from features.hs_codes import hs_plain
from features.identifiers.accounts import account
from features.identifiers.mailboxes import mailbox
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop
from features.identifiers.telephones import telephone
from features.product_codes import gtin_of, serial_of
from tests.oracle.entities.comparable import article, building, comparable, street, words_of_name
from tests.oracle.entities.mapping import mapped, stated_in


@dataclass(frozen=True, slots=True)
class Key:
    """A kind of entity that history is kept for.

    text: names the entity, null where it is unknown.
    words: what an analyst reads, in each of LANGUAGES.
    """

    name: str
    text: pl.Expr
    words: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        return f"{self.name}_entity"


def _either(*texts: pl.Expr) -> pl.Expr:
    return pl.coalesce(texts)


def _joined(*texts: pl.Expr) -> pl.Expr:
    """Join all texts; unknown where one of them is."""
    return pl.concat_str(texts, separator="|")


COUNTRY = pl.col("consignor_country").fill_null("?")
ADDRESS = ("consignor_address", "consignor_city", "consignor_postcode", "consignor_country")
SHARED_TEXTS = {  # what several keys are made of; computed once, as it costs more than the rest
    "consignor_text": _either(
        stated_in("consignor_id", "consignor_country", registered_number),
        _joined(comparable("consignor_name"), COUNTRY),
    ),
    "consignee_text": _either(
        stated_in("consignee_id", "consignee_country", registered_number),
        _joined(comparable("consignee_name"), comparable("consignee_postcode").fill_null("?")),
    ),
    "route_text": _joined(
        pl.col("dispatch_country"),
        pl.col("transit_countries").fill_null(""),
        pl.col("destination_country").fill_null("?"),
        pl.col("operator").fill_null("?"),
    ),
    "building_text": building(*ADDRESS),
    "house_text": _either(building(*ADDRESS), street(*ADDRESS)),
}
CONSIGNOR, CONSIGNEE, ROUTE, BUILDING, HOUSE = (pl.col(name) for name in SHARED_TEXTS)

# fmt: off
KEYS: tuple[Key, ...] = (
    Key("consignor", CONSIGNOR, words=("the sender", "l'expéditeur", "寄件人")),
    Key("name", _joined(words_of_name("consignor_name"), COUNTRY),
        words=("the sender's name", "le nom de l'expéditeur", "寄件人名称")),
    Key("consignee", CONSIGNEE, words=("the addressee", "le destinataire", "收件人")),
    Key("pair", _joined(CONSIGNOR, CONSIGNEE),
        words=("this sender to this addressee", "cet expéditeur vers ce destinataire", "该寄件人至该收件人")),
    Key("phone", stated_in("consignor_phone", "consignor_country", telephone),
        words=("the sender's telephone", "le téléphone de l'expéditeur", "寄件人电话")),
    Key("mailbox", mapped(pl.col("consignor_email"), mailbox),
        words=("the sender's mailbox", "la boîte aux lettres électronique de l'expéditeur", "寄件人邮箱")),
    Key("account", mapped(pl.col("seller_account"), account),
        words=("the seller account", "le compte vendeur", "卖家账号")),
    Key("shop", mapped(pl.col("seller_url"), shop), words=("the web shop", "la boutique en ligne", "网店")),
    Key("address", BUILDING,
        words=("the sender's address", "l'adresse de l'expéditeur", "寄件地址")),
    Key("article", pl.col("main_article"), words=("the article code", "le code article", "货号")),
    Key("gtin", pl.col("main_gtin"), words=("the same article number", "le même numéro d'article", "同一商品条码")),
    Key("serial", pl.col("main_serial"), words=("the same serial number", "le même numéro de série", "同一序列号")),
    Key("wording", _joined(CONSIGNOR, comparable("main_description")),
        words=("this sender's wording", "cette désignation de l'expéditeur", "该寄件人的品名")),
    Key("route", ROUTE, words=("the route", "l'itinéraire", "运输路线")),
    Key("way", _joined(CONSIGNOR, ROUTE),
        words=("this sender on this route", "cet expéditeur sur cet itinéraire", "该寄件人于该路线")),
    Key("goods", _joined(pl.col("main_hs6"), pl.col("main_origin").fill_null("?")),
        words=("the same goods and origin", "les mêmes marchandises et origine", "同类货物及原产地")),
    Key("operator", comparable("operator"), words=("the operator", "l'opérateur", "承运人")),
    Key("office", comparable("office"), words=("the office", "le bureau", "海关")),
    Key("card", _joined(CONSIGNOR, HOUSE.fill_null("?")),
        words=("the sender at this address", "l'expéditeur à cette adresse", "该地址的寄件人")),
)
# fmt: on
ENTITIES = tuple(key.column for key in KEYS)
SHARED_KEYS = "shared_keys"  # names of the keys that many unlike senders share, a column of linking
ROWS_PER_HASHING = 50_000  # consignments: the texts of their keys stand one below the other meanwhile


def check_keys(keys: tuple[Key, ...]) -> None:
    """Raise TypeError, which names the key and what to add, where one is not worded in every language."""
    for key in keys:
        if len(key.words) != len(LANGUAGES) or not all(key.words):
            raise TypeError(
                f"key {key.name} needs words in {', '.join(LANGUAGES)}: add words=(…, …, …) to its line in "
                "features/history/keys.py"
            )


check_keys(KEYS)


def with_entities(consignments: Consignments) -> Consignments:
    """Add one `<key>_entity` column (Int64, null = unknown) for each of KEYS that the consignments lack."""
    absent = [key for key in KEYS if key.column not in consignments.frame.columns]
    if not absent:
        return consignments
    main = (
        consignments.goods.sort("line_value_eur", descending=True, nulls_last=True, maintain_order=True)
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            hs_plain(pl.col("hs_code")).str.slice(0, 6).replace("", None).alias("main_hs6"),
            pl.col("goods_origin_country").alias("main_origin"),
            pl.col("description").alias("main_description"),
            article("description").alias("main_article"),
            gtin_of(pl.col("product_code")).alias("main_gtin"),
            serial_of(pl.col("product_code")).alias("main_serial"),
        )
    )
    with_main = consignments.frame.join(main, on="row", how="left", maintain_order="left")
    with_main = with_main.with_columns(text.alias(name) for name, text in SHARED_TEXTS.items())
    texts = with_main.select(key.text.alias(key.name) for key in absent)
    hashed = [_hashed(part) for part in texts.iter_slices(ROWS_PER_HASHING)] or [_hashed(texts)]
    return Consignments(consignments.frame.hstack(pl.concat(hashed)), consignments.goods)


def as_read(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose entities are those that history is read of: unknown where many unlike senders share one.

    What they did goes on being counted, for a value may turn out to be one party's.
    """
    if SHARED_KEYS not in frame.columns or not frame[SHARED_KEYS].list.len().sum():
        return frame
    shared = frame[SHARED_KEYS].explode(empty_as_null=False, keep_nulls=False).unique().to_list()
    is_shared = {f"{key}_entity": pl.col(SHARED_KEYS).list.contains(key).fill_null(False) for key in shared}
    return frame.with_columns(pl.when(~flag).then(column).alias(column) for column, flag in is_shared.items())


def _hashed(texts: pl.DataFrame) -> pl.DataFrame:
    """Hash a column of texts for each key: all in one pass, for each pass has its price."""
    one_below = texts.unpivot(variable_name="key", value_name="text")
    entities = one_below.select(entities_named(pl.col("key"), pl.col("text"))).to_series()
    rows = texts.height
    return pl.DataFrame([entities.slice(i * rows, rows).alias(f"{key}_entity") for i, key in enumerate(texts.columns)])


def entities_named(key: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Hash keys and the texts that name an entity of them; null where the text is unknown."""
    return plh.concat_str(key, pl.lit("\x1f"), text).nchash.xxhash64().reinterpret(signed=True)
