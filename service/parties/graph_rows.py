"""Rows of the tables of the graph: plain hashes in memory, keyed ones in the store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.parties.card import Card
from features.parties.networks import Link
from service.store.driver import driver_rows
from service.store.pseudonyms import Pseudonyms
from service.store.store_key import pseudonyms_in
from service.store.tables import JUDGEMENTS

ANY_JUDGED = "SELECT 1 FROM judgements WHERE until IS NULL LIMIT 1"
HASHES = ("entity", "value", "name", "building", "network", "one", "other")  # columns of the tables of the graph


def plain_rows(rows: Sequence[Any], columns: Sequence[int], pseudonyms: Pseudonyms) -> list[list[Any]]:
    """Return rows with these columns of keyed hashes as the hashes."""
    if rows and len(columns) == len(rows[0]):  # as values of cards, of which there are many, all of them known
        width = len(columns)
        whole = pseudonyms.plain(np.fromiter(chain.from_iterable(rows), np.int64, width * len(rows)))
        each: list[list[Any]] = whole.reshape(-1, width).tolist()
        return each
    hashes = iter(pseudonyms.plain_list(row[column] for row in rows for column in columns))
    plain = [list(row) for row in rows]
    for row in plain:
        for column in columns:
            row[column] = next(hashes)
    return plain


def judgements_made(connection: sa.Connection, *, counting: bool) -> list[dict[str, Any]]:
    """Read officers' judgements, of plain cards, in the order in which they were made; all, or those that count."""
    if counting and not driver_rows(connection, ANY_JUDGED):
        return []
    query = sa.select(JUDGEMENTS).order_by(JUDGEMENTS.c.judgement_id)
    found = connection.execute(query.where(JUDGEMENTS.c.until.is_(None)) if counting else query).mappings().all()
    plain = pseudonyms_in(connection).plain_list
    pairs = zip(plain(row["one"] for row in found), plain(row["other"] for row in found), strict=True)
    return [{**row, "one": one, "other": other} for row, (one, other) in zip(found, pairs, strict=True)]


def keyed_rows(rows: list[dict[str, Any]], pseudonyms: Pseudonyms) -> list[dict[str, Any]]:
    """Return rows for tables of the graph (as `row_of_card` and `row_of` make them) with all hashes keyed."""
    if not rows:
        return []
    named = [name for name in HASHES if name in rows[0]]
    columns = {name: pseudonyms.keyed_list(row[name] for row in rows) for name in named}
    keyed: list[dict[str, Any]] = [
        {**row, **dict(zip(columns, of_row, strict=True))}
        for row, of_row in zip(rows, zip(*columns.values(), strict=True), strict=True)
    ]
    if "shared" in rows[0]:
        shared = iter(pseudonyms.keyed_list(value for row in rows for value in row["shared"]))
        keyed = [{**row, "shared": list(islice(shared, len(row["shared"])))} for row in keyed]
    return keyed


def links_of_rows(rows: Sequence[Any], pseudonyms: Pseudonyms) -> list[Link]:
    """Return links from their rows, of plain cards and values."""
    ends = pseudonyms.plain_list(end for row in rows for end in (row.one, row.other))
    shared = iter(pseudonyms.plain_list(value for row in rows for value in row.shared))
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return [
        Link(pair, row.bits, tuple(islice(shared, len(row.shared))), row.known_at)
        for row, pair in zip(rows, pairs, strict=True)
    ]


def row_of_card(card: Card, network: int) -> dict[str, Any]:
    """Return a card as a row, before it is keyed."""
    moments = {"entity": card.entity, "first_at": card.first_at, "last_at": card.last_at}
    flags = {"network": network, "listed": card.listed, "reported": card.reported}
    return moments | {"name": card.name, "building": card.building} | flags


def row_of(link: Link) -> dict[str, Any]:
    """Return a link as a row, before it is keyed; what is shared are hashes, no texts."""
    first, second = link.pair
    return {"one": first, "other": second, "bits": link.bits, "shared": list(link.shared), "known_at": link.known_at}
