"""What two declared senders can have in common, and how much each thing they share says that one mind is behind both.

An auditor reads LEVELS as a list. Bits are logarithms to the base of two of how much likelier a pair shares the thing
when one party stands behind both than when two strangers do; they add up over groups. Within a group the strongest
counts, for a mailbox is written from a name and a unit stands in a building.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import polars as pl
import polars_hash as plh

from features.comparable import (
    ARTICLE,
    DIGITS,
    DOMAIN,
    SIGNS,
    STEM,
    building,
    comparable,
    folded,
    mailbox,
    run_together,
    sound_of_name,
    storefront,
    telephone,
    words_of_name,
)
from features.consignment import Consignments

RARE = 12  # letters of a name that few share
MANY, SOME, FEW = 400, 64, 24  # cards that may share a value before it is a hub, which links nobody


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of evidence.

    text: the value that is compared, or a list of them; none where unknown. most: more cards than that make a hub.
    """

    name: str
    group: str
    bits: int
    most: int
    words: str
    text: pl.Expr


WORDS, SOUND = pl.col("words_of_name"), pl.col("sound_of_name")  # made once: several levels rest on them


def digits_at_end(text: pl.Expr) -> pl.Expr:
    """How many digits a text ends with."""
    return text.str.len_chars().cast(pl.Int64) - text.str.strip_chars_end(DIGITS).str.len_chars()


def _mailbox_local() -> pl.Expr:
    return folded(pl.col("consignor_email")).str.strip_chars().str.extract(STEM, 1).str.replace_all(SIGNS, "")


def _mailbox_written() -> pl.Expr:
    """The mailbox without dots and tag; and what it would be without two digits added at its end."""
    domain = folded(pl.col("consignor_email")).str.strip_chars().str.extract(DOMAIN, 1)
    local = _mailbox_local()
    cut = pl.when(digits_at_end(local) >= 5).then(local.str.head(-2))
    return pl.concat_list(pl.concat_str(local, domain, separator="@"), pl.concat_str(cut, domain, separator="@"))


def _shop_near() -> pl.Expr:
    """The name of a web shop without the last of several digits: mirrors are numbered."""
    name = storefront("seller_url")
    return pl.when(digits_at_end(name) >= 2).then(name.str.head(-1))


def _name_near() -> pl.Expr:
    """The words of a name with one letter of the longest left out: equal for two names that one slip tells apart.

    Short names are too much alike to be compared so.
    """
    return WORDS.map_batches(_nears_of, pl.List(pl.String))


def _nears_of(names: pl.Series) -> pl.Series:
    return pl.Series(names.name, [None if name is None else _nears(name) for name in names], pl.List(pl.String))


@lru_cache(maxsize=100_000)
def _nears(name: str) -> list[str] | None:
    words = name.split(" ")
    longest = max(words, key=len)
    if len(longest) < 6 or len("".join(words)) < RARE:
        return None
    words.remove(longest)
    rest = " ".join(sorted(words))
    return [f"{longest[:at]}{longest[at + 1 :]} {rest}" for at in range(len(longest))]


def _name(*, rare: bool) -> pl.Expr:
    """The words of a name and its sound; short ones are those of many strangers."""
    wanted = (WORDS.str.replace_all(" ", "").str.len_chars() >= RARE) == rare
    written = pl.concat_list(_in_country(WORDS), _in_country(pl.concat_str(pl.lit("="), SOUND)))
    return pl.when(wanted).then(written)


SENDER = [
    "consignor_id", "seller_account", "consignor_phone", "consignor_email", "seller_url", "consignor_name",
    "consignor_address", "consignor_country",
]  # fmt: skip
OF_SHOPS = ("wallet", "tag")  # what captured web shops and dossiers tell
COUNTRY = pl.col("consignor_country").fill_null("?")


def _in_country(text: pl.Expr) -> pl.Expr:
    return pl.concat_str(text, COUNTRY, separator="|")


LEVELS: tuple[Level, ...] = (
    Level("id", "id", 14, MANY, "the same registered number", comparable("consignor_id")),
    Level("account", "account", 14, MANY, "the same seller account", comparable("seller_account")),
    Level("phone", "phone", 12, MANY, "the same telephone", telephone("consignor_phone")),
    Level("mailbox", "mailbox", 12, MANY, "the same mailbox, but for dots, tag or added digits", _mailbox_written()),
    Level("mailbox_stem", "name", 2, SOME, "mailboxes with the same stem", mailbox("consignor_email")),
    Level("shop", "shop", 11, MANY, "the same web shop", storefront("seller_url")),
    Level("shop_near", "shop", 6, SOME, "web shops of nearly the same name", _shop_near()),
    Level("name", "name", 6, SOME, "the same rare name, but for its disguise", _name(rare=True)),
    Level("name_common", "name", 3, SOME, "the same short name, but for its disguise", _name(rare=False)),
    Level("name_near", "name", 6, SOME, "names that one slip tells apart", _name_near()),
    Level("address", "place", 6, SOME, "the same address to the unit", _in_country(comparable("consignor_address"))),
    Level("building", "place", 5, SOME, "the same building", _in_country(building("consignor_address"))),
    Level("wallet", "wallet", 14, SOME, "the same wallet", pl.col("wallet")),
    Level("tag", "tag", 12, FEW, "the same payment or analytics number", pl.col("tag")),
    Level("article", "article", 4, SOME, "the same article code", pl.col("articles")),
)
NAMES = [level.name for level in LEVELS]
KINDS = 16  # the level of a value stands in its lowest four bits
MOST = tuple(level.most for level in LEVELS)  # so many cards may state a value of each level before it links nobody
BITS = tuple(level.bits for level in LEVELS)
PHONE, BUILDING = NAMES.index("phone"), NAMES.index("building")
NAME = (NAMES.index("name"), NAMES.index("name_common"))
ARTICLES_AT_MOST = 2  # article codes beyond so many say no more
HOUSE_BITS = 4  # a telephone of a house, a forwarder's, is no more than its address
SURE = frozenset(NAMES.index(name) for name in ("id", "account", "phone", "mailbox", "shop", "name"))  # of a list
NETWORK_BITS = 9  # from here on two cards are linked: an address and an article code are enough, two such codes are not


def level_of(value: int) -> int:
    """Which of LEVELS a value belongs to."""
    return value & (KINDS - 1)


def evidence_of(consignments: Consignments) -> pl.DataFrame:
    """What each consignment states of its sender: `row` and `value` (Int64), once each, in the order of the rows.

    No text is kept: a value is a hash, with its level in the lowest four bits.
    """
    written = consignments.goods.select("row", folded(pl.col("description")).str.to_uppercase())
    articles = written.select(
        "row", pl.col("description").str.extract_all(ARTICLE).list.eval(run_together(pl.element()))
    )
    listed = articles.explode("description").drop_nulls().group_by("row", maintain_order=True).agg("description")
    stated = consignments.frame.select("row", *SENDER)
    apart = stated.select(SENDER).unique(maintain_order=True).with_row_index("sender")
    numbered = stated.join(apart, on=SENDER, how="left", nulls_equal=True, maintain_order="left")
    of_sender = sender_values(apart.rename({"sender": "row"}))
    by_row = numbered.select("row", "sender").join(of_sender, left_on="sender", right_on="row", how="inner")
    of_goods = _values(listed.rename({"description": "articles"}), LEVELS[-1:])
    return pl.concat([by_row.select("row", "value"), of_goods]).unique().sort("row", "value")


def sender_values(frame: pl.DataFrame) -> pl.DataFrame:
    """The values of what each row (`row` and SENDER) states of a sender: `row` and `value`."""
    return _values(frame, [level for level in LEVELS if level.name not in (*OF_SHOPS, "article")])


def told_values(frame: pl.DataFrame) -> pl.DataFrame:
    """The same of what others tell of somebody (`row`, SENDER and OF_SHOPS): wallets and tags stand on no manifest."""
    return _values(frame, [level for level in LEVELS if level.name != "article"])


def _values(frame: pl.DataFrame, levels: Sequence[Level]) -> pl.DataFrame:
    """Every text of the levels as a hash with its level; all levels in one pass, for one row and for a million."""
    if "consignor_name" in frame.columns:
        frame = frame.with_columns(
            words_of_name("consignor_name").alias("words_of_name"),
            sound_of_name("consignor_name").alias("sound_of_name"),
        )
    texts = frame.select("row", *(pl.concat_list(level.text).alias(level.name) for level in levels))
    each = texts.unpivot(index="row", variable_name="level", value_name="text").explode("text").drop_nulls()
    named = each.select("row", "level", pl.concat_str("level", "text", separator="\x1f").alias("text"))
    number = pl.col("level").cast(pl.Enum(NAMES)).to_physical().cast(pl.UInt64)
    hashed = plh.col("text").nchash.xxhash64() & pl.lit(2**64 - KINDS, pl.UInt64)
    return named.select("row", (hashed | number).reinterpret(signed=True).alias("value"))


def bits_of(shared: Iterable[int], own_phones: Collection[int]) -> int:
    """How much the values that two cards share say that one party stands behind both.

    own_phones: those of the telephones that belong to a party and not to a house.
    """
    of_group: dict[str, list[int]] = {}
    for value in shared:
        level = LEVELS[level_of(value)]
        house = level.name == "phone" and value not in own_phones
        group, bits = ("place", HOUSE_BITS) if house else (level.group, level.bits)
        of_group.setdefault(group, []).append(bits)
    return sum(_of_group(group, bits) for group, bits in of_group.items())


def _of_group(group: str, bits: Sequence[int]) -> int:
    return sum(bits[:ARTICLES_AT_MOST]) if group == "article" else max(bits)


def sentence(shared: Iterable[int], own_phones: Collection[int]) -> str:
    """What two cards have in common, for an analyst, the strongest first."""
    ranked = sorted(shared, key=lambda value: (-LEVELS[level_of(value)].bits, level_of(value)))
    said = []
    for level, values in groupby(ranked, key=level_of):
        count = len(list(values))
        house = level == PHONE and not any(value in own_phones for value in ranked if level_of(value) == PHONE)
        words = "the same telephone of a house" if house else LEVELS[level].words
        said.append(f"{count} of the same article codes" if level == NAMES.index("article") and count > 1 else words)
    return "; ".join(said)
