"""What an addressee states, in the forms by which subjects of lists are compared with it.

A subject of a list may be a sender or an addressee: its evidence is the same, hashed alike, whichever side states it.
A name is shared by many strangers, so that it counts with a place: the house, or at least the postcode.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import numpy as np

from features.algebra import Text as Column
from features.algebra.tables import Lists, Wholes
from features.algebra.text import together
from features.consignment import Consignments
from features.hashes import hash_of
from features.history.keys import ADDRESS, consignee_text, house_text, or_mark
from features.identifiers.addresses import address_to_unit
from features.identifiers.letters import folded
from features.identifiers.names import name_readings
from features.parties.card import Card
from features.parties.evidence import KINDS, NAMES, level_of, reported_values
from features.parties.linking import HASHES, STATED
from features.parties.ownership import MOSTLY_UNLIKE, UNLIKE_AT_MOST, unlike_groups

REMEMBERED = 20_000  # addressees as declared
ADDRESSEE = {  # what an addressee states, by the column in which a sender states the same
    "consignor_id": "consignee_id",
    "consignor_phone": "consignee_phone",
    "consignor_email": "consignee_email",
    "consignor_name": "consignee_name",
    "consignor_address": "consignee_address",
    "consignor_city": "consignee_city",
    "consignor_postcode": "consignee_postcode",
    "consignor_country": "consignee_country",
}
COLUMNS = tuple(ADDRESSEE.values())
NUMBER, TELEPHONE, MAILBOX, ACCOUNT = "number", "telephone", "mailbox", "account"
NAME, HOUSE, POSTCODE = "name", "house", "postcode"
NAME_IN_POSTCODE = NAMES.index("mailbox_stem")  # the place of a level that no addressee states
KEY_OF_LEVEL = {  # what is compared of an addressee; a mailbox's stem, a near name and a street are not
    NAMES.index("id"): NUMBER,
    NAMES.index("phone"): TELEPHONE,
    NAMES.index("mailbox"): MAILBOX,
    NAMES.index("account"): ACCOUNT,
    NAMES.index("name"): NAME,
    NAMES.index("name_common"): NAME,
    NAMES.index("address"): HOUSE,
    NAMES.index("building"): HOUSE,
}
COMMON_NAME = NAMES.index("name_common")
STRONG = (NUMBER, TELEPHONE, MAILBOX, ACCOUNT)  # each tells a party by itself, unless strangers share it
POSTCODE_WITHIN = re.compile(r"(?<!\d)\d{4,6}(?!\d)")
Text = str | None


def addressees_of(declared: Sequence[Column]) -> list[tuple[int, ...]]:
    """Return the values that the addressee of each consignment states; declared: COLUMNS."""
    distinct, rows = together(declared)
    of_each = [addressee_values(*stated) for stated in distinct]
    return [of_each[place] for place in rows.tolist()]


@lru_cache(maxsize=REMEMBERED)
def addressee_values(*stated: Text) -> tuple[int, ...]:
    """Return the values that an addressee states by the texts of COLUMNS, ascending; no text is kept."""
    texts = dict(zip(ADDRESSEE, stated, strict=True))
    number, name, postcode = texts["consignor_id"], texts["consignor_name"], texts["consignor_postcode"]
    as_account = number if number is not None and any(map(str.isalpha, number)) else None
    stated_alike = reported_values({**texts, "seller_account": as_account})
    values = {value for value in stated_alike if level_of(value) in KEY_OF_LEVEL}
    if name is not None and postcode is not None:
        values.update(_names_within([name], [_compact(postcode)]))
    return tuple(sorted(values))


@lru_cache(maxsize=REMEMBERED)
def addressee_card(*stated: Text) -> int | None:
    """Return the card of an addressee by the texts of COLUMNS: number, or name in its postcode, at an address."""
    texts = dict(zip(ADDRESSEE, stated, strict=True))
    number, name, country = (texts[f"consignor_{part}"] for part in ("id", "name", "country"))
    who = consignee_text(number, country, name, texts["consignor_postcode"])
    if who is None:
        return None
    address = [texts[column] for column in ADDRESS]
    home = address_to_unit(*address) or house_text(*address)  # in a tower there are namesakes
    return hash_of(f"addressee\x1f{who}|{or_mark(home)}")


def as_linked(consignments: Consignments, unknown: Collection[int] = ()) -> Consignments:
    """Return consignments with card and evidence of the addressee in the place of the sender's, as linking reads them.

    Evidence is what is compared with lists. A name counts within its postcode and is common, however long: with the
    house it links nobody, with the address to the unit it does.
    """
    declared = [consignments.declared.text_or_unknown(name) for name in COLUMNS]
    distinct, rows = together(declared)
    cards = [addressee_card(*stated) for stated in distinct]
    values = [evidence_in_graph(addressee_values(*stated)) for stated in distinct]
    of_rows = rows.tolist()
    known = np.array([cards[place] is not None and row not in unknown for row, place in enumerate(of_rows)], np.bool_)
    entities = np.array([cards[place] or 0 for place in of_rows], np.int64)
    stated = Lists([values[place] or None for place in of_rows], HASHES)
    return consignments.holding({"card_entity": Wholes(entities, known), STATED: stated})


def evidence_in_graph(values: Iterable[int]) -> list[int]:
    """Return values as the graph weighs them: the name within the postcode in the place of the name."""
    kept = (value for value in values if KEY_OF_LEVEL.get(level_of(value)) != NAME)
    return sorted(v & -KINDS | COMMON_NAME if level_of(v) == NAME_IN_POSTCODE else v for v in kept)


def names_in_postcodes(names: Iterable[str], addresses: Iterable[str]) -> list[int]:
    """Return the values by which a subject of a list is found that has these names, at addresses with a postcode."""
    return sorted(set(_names_within(names, [code for address in addresses for code in _postcodes(address)])))


def _names_within(names: Iterable[str], postcodes: Collection[str]) -> Iterable[int]:
    for name in names:
        for reading in name_readings(name):
            for postcode in postcodes:
                yield hash_of(f"name within postcode\x1f{reading}|{postcode}") & -KINDS | NAME_IN_POSTCODE


def _postcodes(address: str) -> list[str]:
    """Return what may be the postcode of an address in one text: its last number of four to six digits."""
    return POSTCODE_WITHIN.findall(folded(address))[-1:]


def _compact(postcode: str) -> str:
    return "".join(filter(str.isalnum, folded(postcode)))


def keys_shared(values: Iterable[int]) -> frozenset[str]:
    """Return the kinds of keys that values shared with a subject are of."""
    return frozenset(POSTCODE if level_of(v) == NAME_IN_POSTCODE else KEY_OF_LEVEL[level_of(v)] for v in values)


def is_conclusive(keys: Collection[str]) -> bool:
    """Return true if who shares such keys with a subject is that subject: a key of one's own, or the name at the house.

    A house alone is its neighbours', a name in a postcode a namesake's.
    """
    return any(key in keys for key in STRONG) or (NAME in keys and HOUSE in keys)


def is_possible(keys: Collection[str]) -> bool:
    """Return true if who shares such keys may be the subject: the name in the postcode, and no more."""
    return POSTCODE in keys


def is_of_strangers(value: int, cards: Sequence[Card]) -> bool:
    """Return true if a value that these addressees state is that of a place, such as a pick-up point's telephone.

    Seven or more state it who share no other key of their own, and most of all are strangers to one another.
    """
    groups = unlike_groups(value, cards)
    return groups > UNLIKE_AT_MOST and groups >= MOSTLY_UNLIKE * len(cards)
