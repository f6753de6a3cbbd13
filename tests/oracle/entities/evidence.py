"""Evidence that two declared senders can share, and its match weight: how far it suggests a single party behind both.

An auditor reads LEVELS as a list. The match weight is in bits: the base-two logarithm of how much likelier a pair
shares the value if the same party is behind both than if they are strangers; weights add up over groups. Within a group
only the strongest counts, as a mailbox is often made from a name and a unit lies in a building.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl
import polars_hash as plh

from features.consignment import Consignments
from features.identifiers.accounts import account
from features.identifiers.addresses import address_to_unit, building, street
from features.identifiers.mailboxes import mailbox_stem, mailboxes
from features.identifiers.names import is_rare, name_readings, near_names, sound_readings
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop, shops_near
from features.identifiers.telephones import telephones
from tests.oracle.entities.comparable import ARTICLE, folded, run_together

MANY, SOME, FEW = 400, 64, 24  # records (cards) that may share a value; more make it a hub, which links none
Text = str | None
Texts = Text | Sequence[str]


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of evidence.

    bits: match weight. text: the text that is compared, or several of them, or None where it is unknown; a function of
    what the columns state. max_cards: more records (cards) than that make a hub.
    """

    name: str
    group: str
    bits: int
    max_cards: int
    words: str
    columns: tuple[str, ...]
    text: Callable[..., Texts]


def in_country(country: Text, texts: Iterable[str]) -> list[str]:
    """Return texts that are compared within a country only."""
    return [f"{text}|{country or '?'}" for text in texts]


def _name(name: str, country: Text) -> list[str]:
    """Return the words of a name and its sound, in each way of writing it in Latin letters."""
    return in_country(country, [*name_readings(name), *(f"={sound}" for sound in sound_readings(name))])


def _rare_name(name: Text, country: Text) -> Texts:
    return _name(name, country) if name is not None and is_rare(name) else None


def _common_name(name: Text, country: Text) -> Texts:
    """Return the same of a name that is shared by many strangers, or whose letters leave open how it is spoken."""
    return None if name is None or is_rare(name) else _name(name, country)


def _near_name(name: Text) -> Texts:
    if name is None or not is_rare(name):
        return None
    return list(dict.fromkeys(near for reading in name_readings(name) for near in near_names(reading)))


def as_stated(text: Text) -> Text:
    """Return a text as it is."""
    return text


def _if_stated(texts_of: Callable[..., Texts]) -> Callable[..., Texts]:
    """Return a function that is asked only where its first text is stated."""

    def texts(text: Text, *beside: Text) -> Texts:
        return None if text is None else texts_of(text, *beside)

    return texts


ADDRESS = ("consignor_address", "consignor_city", "consignor_postcode", "consignor_country")
SENDER = [
    "consignor_id", "seller_account", "consignor_phone", "consignor_email", "seller_url", "consignor_name", *ADDRESS,
]  # fmt: skip
NAME_WITHIN = ("consignor_name", "consignor_country")
OF_SHOPS = ("wallet", "tag")  # stated by captured web shops and dossiers only

# fmt: off
LEVELS: tuple[Level, ...] = (
    Level("id", "id", 14, MANY, "the same registered number", ("consignor_id", "consignor_country"),
          _if_stated(registered_number)),
    Level("account", "account", 14, MANY, "the same seller account", ("seller_account",), _if_stated(account)),
    Level("phone", "phone", 12, MANY, "the same telephone", ("consignor_phone", "consignor_country"),
          _if_stated(telephones)),
    Level("mailbox", "mailbox", 12, MANY, "the same mailbox, but for dots, tag or added digits", ("consignor_email",),
          _if_stated(mailboxes)),
    Level("mailbox_stem", "name", 2, SOME, "mailboxes with the same stem", ("consignor_email",),
          _if_stated(mailbox_stem)),
    Level("shop", "shop", 11, MANY, "the same web shop", ("seller_url",), _if_stated(shop)),
    Level("shop_near", "shop", 6, SOME, "web shops of nearly the same name", ("seller_url",), _if_stated(shops_near)),
    Level("name", "name", 6, SOME, "the same rare name, but for its disguise", NAME_WITHIN, _rare_name),
    Level("name_common", "name", 3, SOME, "the same short name, but for its disguise", NAME_WITHIN, _common_name),
    Level("name_near", "name", 6, SOME, "names that one slip tells apart", ("consignor_name",), _near_name),
    Level("address", "place", 6, SOME, "the same address to the unit", ADDRESS, address_to_unit),
    Level("building", "place", 5, SOME, "the same building", ADDRESS, building),
    Level("street", "place", 3, SOME, "the same street and number, not known to be in one town", ADDRESS, street),
    Level("wallet", "wallet", 14, SOME, "the same wallet", ("wallet",), as_stated),
    Level("tag", "tag", 12, FEW, "the same payment or analytics number, or rare pseudonym", ("tag",), as_stated),
    Level("article", "article", 4, SOME, "the same article code", ("article",), as_stated),
)
# fmt: on
NAMES = [level.name for level in LEVELS]
KINDS = 16  # the level of a value stands in its lowest four bits
MOST_SHARERS = tuple(level.max_cards for level in LEVELS)  # records that may state a value of each level
BITS = tuple(level.bits for level in LEVELS)
PHONE, BUILDING, STREET = (NAMES.index(name) for name in ("phone", "building", "street"))
NAME = (NAMES.index("name"), NAMES.index("name_common"))
ARTICLES_AT_MOST = 2  # further article codes add no weight
HOUSE_BITS = 4  # the telephone of a building, such as a forwarder's, counts less than its address
SURE = frozenset(NAMES.index(name) for name in ("id", "account", "phone", "mailbox", "shop", "name"))  # match lists
NETWORK_BITS = 9  # the link threshold: an address and an article code reach it, two article codes do not


def level_of(value: int) -> int:
    """Return the place in LEVELS of the level that a value belongs to."""
    return value & (KINDS - 1)


def evidence_of(consignments: Consignments) -> pl.DataFrame:
    """Return the distinct evidence that each consignment states of its sender: `row` and `value` (Int64), in row order.

    No text is kept: a value is a hash, with its level in the lowest four bits.
    """
    written = consignments.goods.select("row", folded(pl.col("description")).str.to_uppercase())
    articles = written.select(
        "row", pl.col("description").str.extract_all(ARTICLE).list.eval(run_together(pl.element()))
    )
    listed = articles.explode("description").drop_nulls().group_by("row", maintain_order=True).agg("description")
    stated = consignments.frame.select("row", *SENDER)
    distinct = stated.select(SENDER).unique(maintain_order=True).with_row_index("sender")
    numbered = stated.join(distinct, on=SENDER, how="left", nulls_equal=True, maintain_order="left")
    of_sender = sender_values(distinct.rename({"sender": "row"}))
    by_row = numbered.select("row", "sender").join(of_sender, left_on="sender", right_on="row", how="inner")
    of_goods = _values(listed.rename({"description": "article"}).explode("article"), LEVELS[-1:])
    return pl.concat([by_row.select("row", "value"), of_goods]).unique().sort("row", "value")


def sender_values(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the values that each row (`row` and SENDER) states of a sender: `row` and `value`."""
    return _values(frame, [level for level in LEVELS if level.name not in (*OF_SHOPS, "article")])


def reported_values(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same for third-party reports (`row`, SENDER and OF_SHOPS): no manifest states wallets and tags."""
    return _values(frame, [level for level in LEVELS if level.name != "article"])


def _values(frame: pl.DataFrame, levels: Sequence[Level]) -> pl.DataFrame:
    """Hash every text of the levels with its level; all levels in one pass, for one row or a million."""
    rows, texts = (
        frame["row"].to_list(),
        {name: frame[name].to_list() for name in {c for v in levels for c in v.columns}},
    )
    places: list[int] = []
    written: list[str] = []
    numbers: list[int] = []
    for level in levels:
        number, text_of = NAMES.index(level.name), _once_each(level.text)
        for row, *stated in zip(rows, *(texts[name] for name in level.columns), strict=True):
            for text in text_of(*stated):
                places.append(row)
                written.append(f"{level.name}\x1f{text}")
                numbers.append(number)
    each = pl.DataFrame(
        {"row": places, "text": written, "number": numbers},
        schema={"row": frame.schema["row"], "text": pl.String(), "number": pl.UInt64()},
    )
    hashed = plh.col("text").nchash.xxhash64() & pl.lit(2**64 - KINDS, pl.UInt64)
    return each.select("row", (hashed | pl.col("number")).reinterpret(signed=True).alias("value"))


def _once_each(text: Callable[..., Texts]) -> Callable[..., Sequence[str]]:
    """Return a function that gives the texts of a level, and asks once for the same statements."""
    known: dict[tuple[Text, ...], Sequence[str]] = {}

    def texts_of(*stated: Text) -> Sequence[str]:
        if stated not in known:
            texts = text(*stated) if any(part is not None for part in stated) else None
            known[stated] = () if texts is None else (texts,) if isinstance(texts, str) else tuple(texts)
        return known[stated]

    return texts_of


def bits_of(shared: Iterable[int], own_phones: Collection[int]) -> int:
    """Return the match weight, in bits, of the values that two records share.

    own_phones: the telephones that belong to a party and not to a building.
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
    """Describe for an analyst what two records have in common, the strongest first."""
    ranked = sorted(shared, key=lambda value: (-LEVELS[level_of(value)].bits, level_of(value)))
    phrases = []
    for level, values in groupby(ranked, key=level_of):
        count = len(list(values))
        house = level == PHONE and not any(value in own_phones for value in ranked if level_of(value) == PHONE)
        words = "the same telephone of a house" if house else LEVELS[level].words
        phrases.append(f"{count} of the same article codes" if level == NAMES.index("article") and count > 1 else words)
    return "; ".join(phrases)
