"""What a consignment is found by: its keys in the forms that linking and screening compare, and keys as typed.

A key is a kind and a text, such as `telephone` and `+33639981234`. KEY_KINDS lists them: what a declaration states, and
what a typed text may mean. Nothing here is a form of its own: each comes from `features.identifiers`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pycountry
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from features.comparable import articles
from features.history.keys import ADDRESS
from features.identifiers.accounts import account
from features.identifiers.addresses import ONE_TOWN, house_of, place_of
from features.identifiers.letters import comparable
from features.identifiers.mailboxes import mailboxes
from features.identifiers.names import name_readings, sound_readings
from features.identifiers.number_plans import national_number
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop
from features.identifiers.telephones import telephones
from features.product_codes import named

SIDES = ("consignor", "consignee")
SOUND = "="  # before a name as it is spoken, beside its words
TOWN = "|"  # between a house and its town
REMEMBERED = 50_000  # texts, of each function
LONGEST = 200  # characters of a typed key
MOST_WORDS = 200  # of the goods of one consignment
SHORTEST_WORD = 2  # letters or digits
LONGEST_TOWN = 3  # words behind a typed address that may be its town
FEWEST_DIGITS, MOST_LETTERS = 7, 6  # of what may be a telephone
EVERYTHING: dict[str, Any] = {  # a declaration that states a key of each kind, its parties writing in two scripts
    "consignor_name": "Li Wei Trading Вывеска",
    "consignor_address": "8 Xuefu Road, Building 2, Room 501",
    "consignor_city": "Shenzhen",
    "consignor_postcode": "518000",
    "consignor_country": "CN",
    "consignor_phone": "+86 139 0000 1234",
    "consignor_email": "li.wei8891@ningbo-parts.cn",
    "consignor_id": "91440300MA5DABCD1X",
    "seller_url": "https://nobody.nowhere.example/item/1",
    "seller_account": "nobody-at-all",
    "consignee_name": "Nobody d'Exemple",
    "consignee_address": "8 bis rue de Nulle Part",
    "consignee_city": "Lyon",
    "consignee_postcode": "69001",
    "consignee_country": "FR",
    "consignee_phone": "06 39 98 00 00",
    "consignee_email": "nobody@nowhere.example",
    "consignee_id": "FR12345678901234",
    "goods": [
        {"description": "montre watch AB-1234", "product_code": "4006381333931"},
        {"description": "phone", "product_code": "https://id.gs1.org/01/09506000134352/21/83911-A"},
    ],
}
HAN = re.compile(r"[\u4e00-\u9fff]+|[^\u4e00-\u9fff\s]+")
Text = str | None
Body = Mapping[str, Any]
Meaning = tuple[frozenset[str], ...]
"""What a typed text means under a kind: one of each set of forms, all of them stated by the same consignment."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key by which consignments are found.

    stated: the forms that a declaration states. meant: the meanings of a typed text, each of which is looked for.
    guessed: whether a typed text looks like one, where nobody has said of which kind it is.
    """

    name: str
    stated: Callable[[Body], Iterable[str]]
    meant: Callable[[str], Iterable[Meaning]]
    guessed: Callable[[str], bool]


def stated_keys(body: Body) -> list[str]:
    """Return the distinct keys of a declaration, each as its kind, a separator and a form."""
    return list(dict.fromkeys(key_of(kind.name, form) for kind in KEY_KINDS for form in kind.stated(body)))


def read_tables() -> None:
    """Read what keys are made by: number plans, endings of domains and the like, some tenths of a second of work.

    Otherwise the first consignments would wait for it. Dictionaries of Chinese are left out, as they take 50 MB.
    """
    stated_keys(EVERYTHING)


def key_of(kind: str, form: str) -> str:
    """Return a key as it is hashed."""
    return f"{kind}\x1f{form}"


def _each_side(form: Callable[..., Iterable[str]], *columns: str) -> Callable[[Body], Iterator[str]]:
    """Return what both parties of a declaration state by columns, of which the first must be stated."""

    def stated(body: Body) -> Iterator[str]:
        for side in SIDES:
            first, *rest = (body.get(f"{side}_{column}") for column in columns)
            if first:
                yield from form(first, *rest)

    return stated


def _of_column(form: Callable[[str], Text], column: str) -> Callable[[Body], Iterator[str]]:
    def stated(body: Body) -> Iterator[str]:
        if body.get(column) and (text := form(str(body[column]))) is not None:
            yield text

    return stated


def _of_goods(forms: Callable[[str], Iterable[str]], column: str) -> Callable[[Body], Iterator[str]]:
    def stated(body: Body) -> Iterator[str]:
        for text in dict.fromkeys(line.get(column) for line in body.get("goods") or ()):
            if text:
                yield from forms(str(text))

    return stated


def _any(forms: Iterable[str]) -> list[Meaning]:
    """Return the meaning that one of these forms is stated; none where there is none."""
    found = frozenset(forms)
    return [(found,)] if found else []


def _all(forms: Iterable[str]) -> list[Meaning]:
    """Return the meaning that all of these forms are stated; none where there is none."""
    found = tuple(frozenset([form]) for form in dict.fromkeys(forms))
    return [found] if found else []


# names


@lru_cache(maxsize=REMEMBERED)
def _names(name: str) -> tuple[str, ...]:
    words = (word for reading in name_readings(name) for word in reading.split())
    return tuple(dict.fromkeys([*words, *(SOUND + sound for sound in sound_readings(name))]))


def _meant_names(text: str) -> list[Meaning]:
    by_words = [meaning for reading in name_readings(text) for meaning in _all(reading.split())]
    return [*by_words, *_any(SOUND + sound for sound in sound_readings(text))]


# telephones, registered numbers: digits alone may be of any country


def _telephones(phone: str, country: Text) -> Iterable[str]:
    return telephones(phone, country)


def _meant_telephones(text: str) -> list[Meaning]:
    """Return a number with its country code as it is; without one, in every number plan that knows it."""
    if text.strip().lstrip("(").startswith(("+", "00")):
        return _any(telephones(text))
    digits = "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())
    if not telephones(text) and len(digits) < FEWEST_DIGITS:
        return []
    plans = ((code, national_number(digits, str(code))) for code in COUNTRY_CODE_TO_REGION_CODE)
    return _any([*telephones(text), *(f"+{code}{national}" for code, national in plans if national is not None)])


def _looks_dialled(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= FEWEST_DIGITS and sum(map(str.isalpha, text)) <= MOST_LETTERS


def _numbers(number: str, country: Text) -> Iterable[str]:
    known = registered_number(number, country)
    return () if known is None else (known,)


def _meant_numbers(text: str) -> list[Meaning]:
    countries = (None, *(country.alpha_2 for country in pycountry.countries))
    return _any(form for country in countries for form in _numbers(text, country))


# addresses


@lru_cache(maxsize=REMEMBERED)
def _houses(address: str, city: Text = None, postcode: Text = None, country: Text = None) -> tuple[str, ...]:
    """Return the house of an address, and the house in its town."""
    house = house_of(address, city, postcode, country)
    if house is None:
        return ()
    place = place_of(address, city, postcode, country)
    return (house,) if place is None else (house, f"{house}{TOWN}{place}")


def _meant_houses(text: str) -> list[Meaning]:
    """Return the houses that a typed address may name, in their towns where it states one."""
    found = {house for country in (None, "CN", *ONE_TOWN) for house in _houses(text, None, None, country)[-1:]}
    for address, town in _with_town(text):
        for country in (None, "CN"):
            found.update(_houses(address, town, None, country)[1:])
    return _any(found)


def _with_town(text: str) -> Iterator[tuple[str, str]]:
    """Yield a typed address and its last words, which may be the town."""
    words = text.replace(",", " ").split()
    for count in range(1, min(LONGEST_TOWN, len(words) - 2) + 1):
        yield " ".join(words[:-count]), " ".join(words[-count:])


def _looks_like_an_address(text: str) -> bool:
    return len(text.split()) > 1 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))


# goods


@lru_cache(maxsize=REMEMBERED)
def _words(description: str) -> tuple[str, ...]:
    """Return the words of a description and its article codes; Chinese words as pairs of characters."""
    parts = (part for word in (comparable(description) or "").split() for part in HAN.findall(word))
    words = [pair for part in parts for pair in (_pairs(part) if HAN.match(part) and part > "\u4e00" else (part,))]
    codes = [code.lower() for code in articles(description)]
    return tuple(dict.fromkeys(word for word in (*codes, *words) if len(word) >= SHORTEST_WORD))[:MOST_WORDS]


def _pairs(characters: str) -> Iterator[str]:
    return (first + second for first, second in pairwise(characters))


def _meant_words(text: str) -> list[Meaning]:
    codes = [code.lower() for code in articles(text)]
    plain = [word for word in _words(text) if word not in codes]
    return [*_all(plain), *_all(codes)] if codes else _all(plain)


def _serials(code: str) -> Iterator[str]:
    serial = named(code).serial
    if serial is not None:
        yield serial.partition(TOWN)[2]


def _meant_serials(text: str) -> list[Meaning]:
    return _any(form for written in (text, f"S/N {text}", f"(21) {text}") for form in _serials(written))


def _articles(code: str) -> Iterator[str]:
    gtin = named(code).gtin
    if gtin is not None:
        yield gtin


def _always(_: str) -> bool:
    return True


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _looks_like_a_shop(text: str) -> bool:
    return "." in text and "@" not in text and " " not in text.strip()


def _meant_text(form: Callable[[str], Text]) -> Callable[[str], list[Meaning]]:
    return lambda text: _any(found for found in (form(text),) if found is not None)


def _meant_forms(forms: Callable[[str], Iterable[str]]) -> Callable[[str], list[Meaning]]:
    return lambda text: _any(forms(text))


# fmt: off
KEY_KINDS: tuple[KeyKind, ...] = (
    KeyKind("name", _each_side(_names, "name"), _meant_names, _has_letter),
    KeyKind("telephone", _each_side(_telephones, "phone", "country"), _meant_telephones, _looks_dialled),
    KeyKind("mailbox", _each_side(mailboxes, "email"), _meant_forms(mailboxes), lambda text: "@" in text),
    KeyKind("address", _each_side(_houses, *(name.removeprefix("consignor_") for name in ADDRESS)), _meant_houses,
            _looks_like_an_address),
    KeyKind("number", _each_side(_numbers, "id", "country"), _meant_numbers, _has_digit),
    KeyKind("account", _of_column(account, "seller_account"), _meant_text(account), _always),
    KeyKind("shop", _of_column(shop, "seller_url"), _meant_text(shop), _looks_like_a_shop),
    KeyKind("serial", _of_goods(_serials, "product_code"), _meant_serials, _has_digit),
    KeyKind("article", _of_goods(_articles, "product_code"), _meant_forms(_articles), _has_digit),
    KeyKind("product", _of_goods(_words, "description"), _meant_words, _always),
)
# fmt: on
BY_NAME = {kind.name: kind for kind in KEY_KINDS}
KIND_OF_COLUMN = {"name": "name", "phone": "telephone", "email": "mailbox", "address": "address", "id": "number",
                  "seller_account": "account", "seller_url": "shop"}  # fmt: skip


def searched_fields(body: Body) -> dict[str, tuple[str, list[str]]]:
    """Return the fields of a declaration that search finds others by: what to type, and the kinds that it is of."""
    found: dict[str, tuple[str, list[str]]] = {}
    for name, kind in KIND_OF_COLUMN.items():
        for column in (name, *(f"{side}_{name}" for side in SIDES)):
            if body.get(column) and any(meanings(text := _typed(body, column), [kind])):
                found[column] = text[:LONGEST], [kind]
    return found


def _typed(body: Body, column: str) -> str:
    """Return a field as one would type it: an address with its town."""
    town = body.get(column.replace("_address", "_city")) if column.endswith("_address") else None
    return f"{body[column]}, {town}" if town else str(body[column])


def meanings(text: str, kinds: Sequence[str] = ()) -> Iterator[tuple[str, Meaning]]:
    """Yield kind and meaning of a typed text, under each of these kinds; without any, under those it looks like."""
    for kind in KEY_KINDS:
        if kind.name in kinds or (not kinds and kind.guessed(text)):
            yield from ((kind.name, meaning) for meaning in kind.meant(text))
