"""Entries of lists that a typed key names: by the evidence that screening compares, and lists by their name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pycountry
import sqlalchemy as sa

from features.parties.evidence import NAMES, level_of, reported_values
from features.parties.linking import code_of
from service.parties.watch_lists import subjects_named
from service.record.search_keys import meanings
from service.store.driver import Prepared, among
from service.store.store_key import pseudonyms_in
from service.store.tables import CARDS, EVIDENCE, LISTS

LIST = "list"
BEGINS = "*"
MOST_ENTRIES = 50
COLUMN_OF = {  # kinds of key, and the column in which a sender states the same
    "name": "consignor_name",
    "telephone": "consignor_phone",
    "mailbox": "consignor_email",
    "address": "consignor_address",
    "number": "consignor_id",
    "account": "seller_account",
    "shop": "seller_url",
}
WITHIN_A_COUNTRY = ("name", "address", "number")
STATED = frozenset(  # what an entry is found by; what is merely near is not
    NAMES.index(level)
    for level in ("id", "account", "phone", "mailbox", "shop", "name", "name_common", "address", "building", "street")
)
LISTED_BY = Prepared(
    sa.select(CARDS.c.entity)
    .select_from(EVIDENCE.join(CARDS, CARDS.c.entity == EVIDENCE.c.entity))
    .where(among(EVIDENCE.c.value), CARDS.c.listed)
    .distinct()
)


def entries_found(connection: sa.Connection, key: str, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return the entries of active lists that state a key, then active lists whose name it is, or begins with it."""
    pseudonyms = pseudonyms_in(connection)
    values = sorted({value for value in _values(key, kinds) if level_of(value) in STATED})
    cards = [card for (card,) in LISTED_BY.rows(connection, among=pseudonyms.keyed_list(values))] if values else []
    named = subjects_named(connection, pseudonyms.plain_list(cards))
    code = dict(zip(named, pseudonyms.keyed_list(named), strict=True))
    entries = [{**entry, "party_id": code_of("P", code[card])} for card, entry in named.items()]
    return sorted(entries, key=lambda one: (one["list"], one["label"]))[:MOST_ENTRIES] + _lists(connection, key, kinds)


def _values(key: str, kinds: Sequence[str]) -> Iterator[int]:
    """Yield the evidence that an entry of a list has which states a key, whichever country it names."""
    for kind in COLUMN_OF:
        forms = [forms for of, (forms, *_) in meanings(key, [kind])] if _asked(key, kind, kinds) else []
        if not forms:
            continue
        texts = sorted(forms[0]) if kind == "telephone" else [key]
        countries = (country.alpha_2 for country in pycountry.countries) if kind in WITHIN_A_COUNTRY else ()
        for country in (None, *countries):
            for text in texts:
                yield from reported_values({COLUMN_OF[kind]: text, "consignor_country": country})


def _asked(key: str, kind: str, kinds: Sequence[str]) -> bool:
    """Say whether a key is to be read as one of a kind: as somebody has said, or as it looks."""
    every = not kinds or (LIST in kinds and not set(kinds) & set(COLUMN_OF))
    return any(of == kind for of, _ in meanings(key)) if every else kind in kinds


def _lists(connection: sa.Connection, key: str, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return active lists by their name."""
    if kinds and LIST not in kinds:
        return []
    named: Callable[[str], bool] = key.casefold().__eq__
    if key.endswith(BEGINS):
        begins = key[:-1].casefold()
        named = lambda text: text.startswith(begins)  # noqa: E731 - one of two ways of comparing
    query = sa.select(LISTS.c.list_id, LISTS.c.source, LISTS.c.kind).where(LISTS.c.status == "active")
    return [
        {"list": row.list_id, "source": row.source, "kind": row.kind, "label": None, "party_id": None}
        for row in connection.execute(query.order_by(LISTS.c.list_id))
        if named(row.list_id.casefold())
    ]
