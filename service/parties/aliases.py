"""Names used in test purchases: whoever is addressed by one is an officer, and no list and no network concerns him."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from features.parties.addressee import COLUMNS, addressee_values, is_conclusive, keys_shared
from service.store.bulk_rows import delete_rows, insert_many
from service.store.driver import Prepared, among, driver_rows
from service.store.purchase_tables import ALIAS_VALUES
from service.store.store_key import pseudonyms_in

ANY_ALIAS = f"SELECT 1 FROM {ALIAS_VALUES.name} LIMIT 1"
STATED = Prepared(sa.select(ALIAS_VALUES.c.value, ALIAS_VALUES.c.purchase_id).where(among(ALIAS_VALUES.c.value)))


def alias_texts(alias: Mapping[str, Any]) -> list[str | None]:
    """Return what an addressee of this name states, by COLUMNS."""
    return [alias.get(column.removeprefix("consignee_")) for column in COLUMNS]


def keep_alias(connection: sa.Connection, purchase_id: str, alias: Mapping[str, Any]) -> None:
    """Remember what a name states, so that it is known again on a parcel."""
    plain = addressee_values(*alias_texts(alias))
    keyed = pseudonyms_in(connection).keyed_list(list(plain))
    insert_many(connection, ALIAS_VALUES, [{"value": value, "purchase_id": purchase_id} for value in keyed])


def forget_alias(connection: sa.Connection, purchase_id: str) -> None:
    """Forget what the name used in a purchase states."""
    delete_rows(connection, ALIAS_VALUES, ALIAS_VALUES.c.purchase_id == purchase_id)


def aliases_among(connection: sa.Connection, addressees: Sequence[Sequence[int]]) -> set[int]:
    """Return the rows whose addressee is a name used in a test purchase: by a key of its own, or by name and house.

    addressees: the values that each states.
    """
    if not driver_rows(connection, ANY_ALIAS):
        return set()
    plain = sorted({value for values in addressees for value in values})
    of_keyed = dict(zip(pseudonyms_in(connection).keyed_list(plain), plain, strict=True))
    purchases: dict[int, list[str]] = defaultdict(list)
    for value, purchase_id in STATED.rows(connection, among=list(of_keyed)):
        purchases[of_keyed[value]].append(purchase_id)
    return {row for row, values in enumerate(addressees) if purchases and _is_alias(values, purchases)}


def _is_alias(values: Sequence[int], purchases: Mapping[int, Sequence[str]]) -> bool:
    shared: dict[str, list[int]] = defaultdict(list)
    for value in values:
        for purchase_id in purchases.get(value, ()):
            shared[purchase_id].append(value)
    return any(is_conclusive(keys_shared(of_one)) for of_one in shared.values())
