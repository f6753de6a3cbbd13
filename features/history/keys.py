"""The kinds of entities that history is kept for, and the hashes that stand for them.

An entity is a stable 64-bit hash of its key and text: equal on every machine, and no name stands in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from features.choices import LANGUAGES
from features.comparable import article
from features.hashes import hash_of
from features.hs_codes import hs_plain_text
from features.identifiers.accounts import account
from features.identifiers.addresses import address_to_unit, building, street
from features.identifiers.letters import comparable
from features.identifiers.mailboxes import mailbox
from features.identifiers.names import words_of_name
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop
from features.identifiers.telephones import telephone
from features.product_codes import named

T = TypeVar("T")
TextOf = Callable[..., str | None]


@dataclass(frozen=True)
class Key:
    """A kind of entity that history is kept for.

    columns: the declared columns, and texts of SHARED_TEXTS and OF_MAIN_LINE, that name the entity.
    text: what names it; a function of the texts of these columns, None for those that are unknown. It returns None
        where the entity is unknown, and is asked only where one of the texts is stated.
    words: what an analyst reads, in each of LANGUAGES.
    """

    name: str
    columns: tuple[str, ...]
    text: TextOf
    words: tuple[str, ...] = ()

    @cached_property
    def column(self) -> str:
        return f"{self.name}_entity"


def as_stated(text: str | None) -> str | None:
    """Return a text as it is."""
    return text


def if_stated(text_of: Callable[..., T | None]) -> Callable[..., T | None]:
    """Return a function that is asked only where its first text is stated."""

    def text(first: str | None, *beside: str | None) -> T | None:
        return None if first is None else text_of(first, *beside)

    return text


def together_as(*texts: str | None) -> str | None:
    """Join all texts; unknown where one of them is."""
    return None if None in texts else "|".join(texts)  # type: ignore[arg-type]  # none of them is None


def or_mark(text: str | None) -> str:
    """Return a text, or what stands for an unknown one beside others."""
    return "?" if text is None else text


def with_or_mark(first: str | None, second: str | None) -> str | None:
    """Join two texts, of which the second need not be known."""
    return together_as(first, or_mark(second))


def _name_in_country(name: str, country: str | None) -> str | None:
    return with_or_mark(words_of_name(name), country)


def consignor_text(number: str | None, country: str | None, name: str | None) -> str | None:
    """Return what names a sender: its registered number, or else its name in its country."""
    registered = None if number is None else registered_number(number, country)
    return registered if registered is not None or name is None else with_or_mark(comparable(name), country)


def consignee_text(number: str | None, country: str | None, name: str | None, postcode: str | None) -> str | None:
    """Return what names an addressee: its registered number, or else its name at its postcode."""
    registered = None if number is None else registered_number(number, country)
    if registered is not None or name is None:
        return registered
    return with_or_mark(comparable(name), None if postcode is None else comparable(postcode))


def route_text(dispatch: str | None, transit: str | None, destination: str | None, operator: str | None) -> str | None:
    """Return what names a route: where it begins, through where it leads and ends, and who carries."""
    return together_as(dispatch, transit or "", or_mark(destination), or_mark(operator))


def house_text(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the building of an address, or else its street and number."""
    known = building(address, city, postcode, country)
    return street(address, city, postcode, country) if known is None else known


def home_text(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the home of an addressee: in a tower its room, for there are strangers; else the building."""
    in_unit = address_to_unit(address, city, postcode, country)
    return house_text(address, city, postcode, country) if in_unit is None else in_unit


ADDRESS = ("consignor_address", "consignor_city", "consignor_postcode", "consignor_country")
HOME = ("consignee_address", "consignee_city", "consignee_postcode", "consignee_country")
SHARED_TEXTS: dict[str, tuple[tuple[str, ...], TextOf]] = {  # what several keys are made of, once
    "consignor": (("consignor_id", "consignor_country", "consignor_name"), consignor_text),
    "consignee": (("consignee_id", "consignee_country", "consignee_name", "consignee_postcode"), consignee_text),
    "route": (("dispatch_country", "transit_countries", "destination_country", "operator"), route_text),
    "building": (ADDRESS, building),
    "house": (ADDRESS, house_text),
    "home": (HOME, home_text),
    "called": (("consignee_phone", "consignee_country"), if_stated(telephone)),
}
OF_MAIN_LINE: dict[str, str] = {  # of the goods line of the highest value
    "main_hs_code": "hs_code",
    "main_origin": "goods_origin_country",
    "main_description": "description",
    "main_product_code": "product_code",
}


def _wording(sender: str | None, description: str | None) -> str | None:
    return together_as(sender, None if description is None else comparable(description))


def _goods(hs_code: str, origin: str | None) -> str | None:
    return with_or_mark(hs_plain_text(hs_code)[:6] or None, origin)


# fmt: off
KEYS: tuple[Key, ...] = (
    Key("consignor", ("consignor",), as_stated, words=("the sender", "l'expéditeur", "寄件人")),
    Key("name", ("consignor_name", "consignor_country"), if_stated(_name_in_country),
        words=("the sender's name", "le nom de l'expéditeur", "寄件人名称")),
    Key("consignee", ("consignee",), as_stated, words=("the addressee", "le destinataire", "收件人")),
    Key("pair", ("consignor", "consignee"), together_as,
        words=("this sender to this addressee", "cet expéditeur vers ce destinataire", "该寄件人至该收件人")),
    Key("phone", ("consignor_phone", "consignor_country"), if_stated(telephone),
        words=("the sender's telephone", "le téléphone de l'expéditeur", "寄件人电话")),
    Key("mailbox", ("consignor_email",), mailbox,
        words=("the sender's mailbox", "la boîte aux lettres électronique de l'expéditeur", "寄件人邮箱")),
    Key("account", ("seller_account",), account, words=("the seller account", "le compte vendeur", "卖家账号")),
    Key("shop", ("seller_url",), shop, words=("the web shop", "la boutique en ligne", "网店")),
    Key("address", ("building",), as_stated,
        words=("the sender's address", "l'adresse de l'expéditeur", "寄件地址")),
    Key("article", ("main_description",), article, words=("the article code", "le code article", "货号")),
    Key("gtin", ("main_product_code",), lambda code: named(code).gtin,
        words=("the same article number", "le même numéro d'article", "同一商品条码")),
    Key("serial", ("main_product_code",), lambda code: named(code).serial,
        words=("the same serial number", "le même numéro de série", "同一序列号")),
    Key("wording", ("consignor", "main_description"), _wording,
        words=("this sender's wording", "cette désignation de l'expéditeur", "该寄件人的品名")),
    Key("route", ("route",), as_stated, words=("the route", "l'itinéraire", "运输路线")),
    Key("way", ("consignor", "route"), together_as,
        words=("this sender on this route", "cet expéditeur sur cet itinéraire", "该寄件人于该路线")),
    Key("goods", ("main_hs_code", "main_origin"), if_stated(_goods),
        words=("the same goods and origin", "les mêmes marchandises et origine", "同类货物及原产地")),
    Key("operator", ("operator",), comparable, words=("the operator", "l'opérateur", "承运人")),
    Key("office", ("office",), comparable, words=("the office", "le bureau", "海关")),
    Key("card", ("consignor", "house"), with_or_mark,
        words=("the sender at this address", "l'expéditeur à cette adresse", "该地址的寄件人")),
    # the receiving side: how much comes to a home or telephone, of how many, under how many names
    Key("home", ("home",), as_stated,
        words=("the addressee's home", "le domicile du destinataire", "收件住址")),
    Key("recipient_phone", ("called",), as_stated,
        words=("the addressee's telephone", "le téléphone du destinataire", "收件人电话")),
    Key("delivery", ("consignor", "home"), together_as,
        words=("this sender to this home", "cet expéditeur vers ce domicile", "该寄件人至该住址")),
    Key("resident", ("consignee", "home"), together_as,
        words=("this addressee at this home", "ce destinataire à ce domicile", "该住址的该收件人")),
    Key("caller", ("consignee", "called"), together_as,
        words=("this addressee with this telephone", "ce destinataire avec ce téléphone", "使用该电话的该收件人")),
)
# fmt: on
ENTITIES = tuple(key.column for key in KEYS)


def check_keys(keys: tuple[Key, ...]) -> None:
    """Raise TypeError, which names the key and what to add, where one is not worded in every language."""
    for key in keys:
        if len(key.words) != len(LANGUAGES) or not all(key.words):
            raise TypeError(
                f"key {key.name} needs words in {', '.join(LANGUAGES)}: add words=(…, …, …) to its line in "
                "features/history/keys.py"
            )


check_keys(KEYS)


def entity_named(key: str, text: str) -> int:
    """Return the entity of a key that a text names."""
    return hash_of(f"{key}\x1f{text}")
