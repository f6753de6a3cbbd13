"""Evidence that two declared senders can share, and its match weight: how far it suggests a single party behind both.

An auditor reads LEVELS as a list. The match weight is in bits: the base-two logarithm of how much likelier a pair
shares the value if the same party is behind both than if they are strangers; weights add up over groups. Within a group
only the strongest counts, as a mailbox is often made from a name and a unit lies in a building.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from features.algebra import Text as Column
from features.algebra.text import together
from features.comparable import articles
from features.hashes import hash_of
from features.history.keys import ADDRESS, as_stated, if_stated
from features.identifiers.accounts import account
from features.identifiers.addresses import address_to_unit, building, street
from features.identifiers.mailboxes import mailbox_stem, mailboxes
from features.identifiers.names import is_rare, name_readings, near_names, sound_readings
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop, shops_near
from features.identifiers.telephones import telephones

REMEMBERED = 20_000  # senders as declared, and descriptions: who sends again states the same again
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


SENDER = (
    "consignor_id", "seller_account", "consignor_phone", "consignor_email", "seller_url", "consignor_name", *ADDRESS,
)  # fmt: skip
NAME_WITHIN = ("consignor_name", "consignor_country")
OF_SHOPS = ("wallet", "tag")  # stated by captured web shops and dossiers only

# fmt: off
LEVELS: tuple[Level, ...] = (
    Level("id", "id", 14, MANY, "the same registered number", ("consignor_id", "consignor_country"),
          if_stated(registered_number)),
    Level("account", "account", 14, MANY, "the same seller account", ("seller_account",), if_stated(account)),
    Level("phone", "phone", 12, MANY, "the same telephone", ("consignor_phone", "consignor_country"),
          if_stated(telephones)),
    Level("mailbox", "mailbox", 12, MANY, "the same mailbox, but for dots, tag or added digits", ("consignor_email",),
          if_stated(mailboxes)),
    Level("mailbox_stem", "name", 2, SOME, "mailboxes with the same stem", ("consignor_email",),
          if_stated(mailbox_stem)),
    Level("shop", "shop", 11, MANY, "the same web shop", ("seller_url",), if_stated(shop)),
    Level("shop_near", "shop", 6, SOME, "web shops of nearly the same name", ("seller_url",), if_stated(shops_near)),
    Level("name", "name", 6, SOME, "the same rare name, but for its disguise", NAME_WITHIN, _rare_name),
    Level("name_common", "name", 3, SOME, "the same short name, but for its disguise", NAME_WITHIN, _common_name),
    Level("name_near", "name", 6, SOME, "names that one slip tells apart", ("consignor_name",), _near_name),
    Level("address", "place", 6, SOME, "the same address to the unit", ADDRESS, address_to_unit),
    Level("building", "place", 5, SOME, "the same building", ADDRESS, building),
    Level("street", "place", 3, SOME, "the same street and number, not known to be in one town", ADDRESS, street),
    Level("wallet", "wallet", 14, SOME, "the same wallet", ("wallet",), as_stated),
    Level("tag", "tag", 12, FEW, "the same payment or analytics number, or rare pseudonym",
          ("tag",), as_stated),
    Level("article", "article", 4, SOME, "the same article code", ("description",), articles),
)
# fmt: on
NAMES = [level.name for level in LEVELS]
PLACES = {name: place for place, name in enumerate(NAMES)}
KINDS = 16  # the level of a value stands in its lowest four bits
LEVEL = KINDS - 1  # those bits, for loops over millions of values; elsewhere `level_of`
MOST_SHARERS = tuple(level.max_cards for level in LEVELS)  # records that may state a value of each level
BITS, GROUPS = tuple(level.bits for level in LEVELS), tuple(level.group for level in LEVELS)
PHONE, BUILDING, STREET = (NAMES.index(name) for name in ("phone", "building", "street"))
NAME = (NAMES.index("name"), NAMES.index("name_common"))
ARTICLES_AT_MOST = 2  # further article codes add no weight
ARTICLE_BITS = BITS[NAMES.index("article")]
HOUSE_BITS = 4  # the telephone of a building, such as a forwarder's, counts less than its address
SURE = frozenset(NAMES.index(name) for name in ("id", "account", "phone", "mailbox", "shop", "name"))  # match lists
NETWORK_BITS = 9  # the link threshold: an address and an article code reach it, two article codes do not


def level_of(value: int) -> int:
    """Return the place in LEVELS of the level that a value belongs to."""
    return value & LEVEL


SENDER_LEVELS = tuple(level for level in LEVELS if level.name not in (*OF_SHOPS, "article"))
REPORTED_LEVELS = tuple(level for level in LEVELS if level.name != "article")  # no manifest states wallets and tags


def evidence_of(sender: Sequence[Column], description: Column, row: Sequence[int]) -> list[list[int]]:
    """Return the distinct evidence that each consignment states of its sender, ascending.

    sender: the columns SENDER. description, row: of goods lines, and the place of the consignment of each. No text is
    kept: a value is a hash, with its level in the lowest four bits.
    """
    senders, rows = together(sender)
    of_senders = [sender_values(*stated) for stated in senders]
    values = [list(of_senders[place]) for place in rows.tolist()]
    of_words = [() if word is None else article_values(word) for word in description.words]
    if any(of_words):
        for place, word in zip(row, description.codes.tolist(), strict=True):
            if of_words[word]:
                values[place] = sorted({*values[place], *of_words[word]})
    return values


@lru_cache(maxsize=REMEMBERED)
def sender_values(*stated: Text) -> tuple[int, ...]:
    """Return the values that a sender states by the texts of SENDER, ascending."""
    return _values(dict(zip(SENDER, stated, strict=True)), SENDER_LEVELS)


@lru_cache(maxsize=REMEMBERED)
def article_values(description: str) -> tuple[int, ...]:
    """Return the values that a description of goods states, ascending."""
    return _values({"description": description}, LEVELS[-1:])


def reported_values(stated: Mapping[str, Text]) -> tuple[int, ...]:
    """Return the values that a third party's report states of a sender by texts of SENDER and OF_SHOPS, ascending."""
    return _values(stated, REPORTED_LEVELS)


def _values(stated: Mapping[str, Text], levels: Sequence[Level]) -> tuple[int, ...]:
    """Hash the texts of levels; a level is asked where one of its columns is stated."""
    values: set[int] = set()
    for level in levels:
        of_columns = [stated.get(name) for name in level.columns]
        if of_columns.count(None) == len(of_columns):
            continue
        values.update(_level_values(PLACES[level.name], *of_columns))
    return tuple(sorted(values))


@lru_cache(maxsize=4 * REMEMBERED)
def _level_values(place: int, *stated: Text) -> tuple[int, ...]:
    """Return the values of one level; place: its own in LEVELS. Senders that differ in the rest share them."""
    level = LEVELS[place]
    found = level.text(*stated)
    texts = () if found is None else (found,) if isinstance(found, str) else found
    return tuple([hash_of(f"{level.name}\x1f{text}") & -KINDS | place for text in texts])


def bits_of(shared: Iterable[int], own_phones: Collection[int]) -> int:
    """Return the match weight, in bits, of the values that two records share.

    own_phones: the telephones that belong to a party and not to a building.
    """
    strongest: dict[str, int] = {}
    articles = 0
    for value in shared:
        place = value & LEVEL
        group, bits = GROUPS[place], BITS[place]
        if group == "article":
            articles += 1
            continue
        if place == PHONE and value not in own_phones:
            group, bits = "place", HOUSE_BITS
        if strongest.get(group, 0) < bits:
            strongest[group] = bits
    return sum(strongest.values()) + min(articles, ARTICLES_AT_MOST) * ARTICLE_BITS


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
