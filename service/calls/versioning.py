"""Completing a carrier's message from the record: the version of a consignment, and the receptacle of an item.

A flat manifest states both. A waybill or an item message does not number its versions, and some do not state when they
were sent: sent again, they must become the same version of the same moment, or calls would not be idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.messages import Message
from features.messages.raw import NOTED, Raw
from features.moments import EPOCH, iso, micros
from service.record.ownership import INSTALLATION, Sender
from service.store.bulk_rows import upsert_many
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS, RECEPTACLES

Known = Mapping[str, list[tuple[str, int, int]]]
"""Of each consignment on record: message_id, version and lodged_at (microseconds) of its versions."""


def message_of(
    raw: Raw, store: Store, name: str, now: datetime, *, sender: Sender = INSTALLATION, **how: Any
) -> Message:
    """Build the message of a reader's rows as its sender's; `how` goes to Message.

    Carriers' messages are read leniently, and each of their consignments gets the next version on record.
    """
    if raw.format == "flat":
        return Message(raw.rows, name, now, **how)
    if raw.rows.is_empty():
        return Message(raw.rows, name, now, sparing=True, noted=raw.noted, **how)
    rows, unknown = _numbered(raw.rows, store, now)
    return Message(_stowed(rows, store, sender), name, now, sparing=True, noted=pl.concat([raw.noted, unknown]), **how)


def receptacle_assignments(
    raw: Raw, store: Store, now: datetime, sender: Sender = INSTALLATION, *, dry_run: bool = False
) -> int:
    """Record the receptacles of items from a dispatch list, for what its sender lodges; returns the number of items."""
    rows = [
        {"consignment_id": item, "sender": sender.name or "", "receptacle": receptacle, "known_at": micros(now)}
        for item, receptacle in raw.stowed.unique("consignment_id", keep="last", maintain_order=True).iter_rows()
    ]
    if rows and not dry_run:
        store.write(lambda connection: upsert_many(connection, RECEPTACLES, rows))
    return len(rows)


def _numbered(rows: pl.DataFrame, store: Store, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add `version` and `lodged_at` to the rows, and return data problems: amendments of unknown consignments."""
    each = rows.group_by("message_id", "consignment_id", maintain_order=True).agg(
        pl.col("line").first(), pl.col("purpose").first(), pl.col("lodged_at").first()
    )
    known = _on_record(store, each["consignment_id"].unique().to_list())
    numbers: list[tuple[str, str, str, str]] = []
    problems: list[tuple[int, str, str]] = []
    for message_id, consignment_id, line, purpose, lodged_at in each.iter_rows():
        versions = known.get(consignment_id, [])
        same_message = [(version, at) for message, version, at in versions if message == message_id]
        version, at = max(same_message) if same_message else (_next(purpose, versions), micros(now))
        numbers.append((message_id, consignment_id, str(version), lodged_at or iso(EPOCH + timedelta(microseconds=at))))
        if purpose in ("amendment", "cancellation") and not versions:
            problems.append(
                (line, "purpose", f"a{'n' if purpose[0] == 'a' else ''} {purpose} of what is not on record")
            )
    schema = dict.fromkeys(("message_id", "consignment_id", "version", "lodged_at"), pl.String)
    versions_of_rows = pl.DataFrame(numbers, schema=schema, orient="row")
    numbered = rows.drop("version", "lodged_at").join(
        versions_of_rows, on=["message_id", "consignment_id"], how="left", maintain_order="left"
    )
    return numbered, pl.DataFrame(problems, schema=NOTED, orient="row")


def _next(purpose: str | None, versions: Iterable[tuple[str, int, int]]) -> int:
    """Return the version after those on record: a late original takes the first one if that is free."""
    taken = {version for _, version, _ in versions}
    if purpose == "original" and 1 not in taken:
        return 1
    return max(taken, default=1 if purpose in ("amendment", "cancellation") else 0) + 1


def _stowed(rows: pl.DataFrame, store: Store, sender: Sender) -> pl.DataFrame:
    """Add the receptacle of items that do not name theirs, as their sender or the installation said last."""
    open_ones = rows.filter(pl.col("stream") == "postal", pl.col("transport_id").is_null())["consignment_id"]
    if open_ones.is_empty():
        return rows
    columns = [RECEPTACLES.c.consignment_id, RECEPTACLES.c.receptacle]
    which = [] if sender.name is None else [RECEPTACLES.c.sender.in_(["", sender.name])]
    assignments: dict[str, str] = {}
    with store.reading() as connection:
        for batch in in_lists(open_ones.unique().to_list()):
            query = sa.select(*columns).where(RECEPTACLES.c.consignment_id.in_(batch), *which)
            listed = connection.execute(query.order_by(RECEPTACLES.c.known_at, RECEPTACLES.c.sender))
            assignments |= {row[0]: row[1] for row in listed}
    schema = {"consignment_id": pl.String, "lies_in": pl.String}
    receptacles = pl.DataFrame(list(assignments.items()), schema=schema, orient="row")
    joined = rows.join(receptacles, on="consignment_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("transport_id", "lies_in").alias("transport_id")).drop("lies_in")


def _on_record(store: Store, consignment_ids: list[str]) -> Known:
    names = ("consignment_id", "message_id", "version", "lodged_at")
    columns = [DECLARATIONS.c[name] for name in names]
    versions: dict[str, list[tuple[str, int, int]]] = {}
    with store.reading() as connection:
        for batch in in_lists(consignment_ids):
            for row in connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(batch))):
                versions.setdefault(row[0], []).append((row[1], row[2], row[3]))
        for settled in declared_of(connection, names, consignment_ids):
            versions.setdefault(settled["consignment_id"], []).append(tuple(settled[name] for name in names[1:]))
    return versions
