"""What a carrier's message leaves open, filled in from the record: which version it is, and where an item lies.

A flat manifest says all of it itself. A waybill or an item message does not count its versions, and some do not say
when they were sent: sent again, they must become the same version of the same moment, or nobody could repeat a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.messages import Message
from features.messages.raw import NOTED, Raw
from service.bulk import upsert_many
from service.orientation.decisions import iso
from service.posting import in_lists
from service.records import EPOCH, micros
from service.store import Store
from service.tables import DECLARATIONS, RECEPTACLES

Known = Mapping[str, list[tuple[str, int, int]]]
"""Of each consignment on record: message_id, version and lodged_at (microseconds) of its versions."""


def message_of(raw: Raw, store: Store, name: str, now: datetime, **how: Any) -> Message:
    """The message that a reader's rows are; `how` goes to Message.

    Carriers' messages are read sparingly, and each of their consignments bears the version that follows the record.
    """
    if raw.format == "flat":
        return Message(raw.rows, name, now, **how)
    if raw.rows.is_empty():
        return Message(raw.rows, name, now, sparing=True, noted=raw.noted, **how)
    rows, unknown = _numbered(raw.rows, store, now)
    return Message(_stowed(rows, store), name, now, sparing=True, noted=pl.concat([raw.noted, unknown]), **how)


def stow(raw: Raw, store: Store, now: datetime) -> int:
    """Remember in which receptacle items lie, as a dispatch list says; how many it named."""
    rows = [
        {"consignment_id": item, "receptacle": receptacle, "known_at": micros(now)}
        for item, receptacle in raw.stowed.unique("consignment_id", keep="last", maintain_order=True).iter_rows()
    ]
    if rows:
        store.write(lambda connection: upsert_many(connection, RECEPTACLES, rows))
    return len(rows)


def _numbered(rows: pl.DataFrame, store: Store, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with `version` and `lodged_at`; and what is odd: amendments of what is not on record."""
    each = rows.group_by("message_id", "consignment_id", maintain_order=True).agg(
        pl.col("line").first(), pl.col("purpose").first(), pl.col("lodged_at").first()
    )
    known = _on_record(store, each["consignment_id"].unique().to_list())
    told: list[tuple[str, str, str, str]] = []
    odd: list[tuple[int, str, str]] = []
    for message_id, consignment_id, line, purpose, lodged_at in each.iter_rows():
        versions = known.get(consignment_id, [])
        own = [(version, at) for message, version, at in versions if message == message_id]
        version, at = max(own) if own else (_next(purpose, versions), micros(now))
        told.append((message_id, consignment_id, str(version), lodged_at or iso(EPOCH + timedelta(microseconds=at))))
        if purpose in ("amendment", "cancellation") and not versions:
            odd.append((line, "purpose", f"a{'n' if purpose[0] == 'a' else ''} {purpose} of what is not on record"))
    schema = dict.fromkeys(("message_id", "consignment_id", "version", "lodged_at"), pl.String)
    beside = pl.DataFrame(told, schema=schema, orient="row")
    numbered = rows.drop("version", "lodged_at").join(
        beside, on=["message_id", "consignment_id"], how="left", maintain_order="left"
    )
    return numbered, pl.DataFrame(odd, schema=NOTED, orient="row")


def _next(purpose: str | None, versions: Iterable[tuple[str, int, int]]) -> int:
    """The version that follows the record: a first declaration that comes late takes the place that is left for it."""
    there = {version for _, version, _ in versions}
    if purpose == "original" and 1 not in there:
        return 1
    return max(there, default=1 if purpose in ("amendment", "cancellation") else 0) + 1


def _stowed(rows: pl.DataFrame, store: Store) -> pl.DataFrame:
    """The rows with the receptacle of items that do not name theirs."""
    open_ones = rows.filter(pl.col("stream") == "postal", pl.col("transport_id").is_null())["consignment_id"]
    if open_ones.is_empty():
        return rows
    columns = [RECEPTACLES.c.consignment_id, RECEPTACLES.c.receptacle]
    found: list[tuple[str, str]] = []
    with store.reading() as connection:
        for some in in_lists(open_ones.unique().to_list()):
            query = sa.select(*columns).where(RECEPTACLES.c.consignment_id.in_(some))
            found += [(row[0], row[1]) for row in connection.execute(query)]
    beside = pl.DataFrame(found, schema={"consignment_id": pl.String, "lies_in": pl.String}, orient="row")
    joined = rows.join(beside, on="consignment_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("transport_id", "lies_in").alias("transport_id")).drop("lies_in")


def _on_record(store: Store, consignment_ids: list[str]) -> Known:
    names = ("consignment_id", "message_id", "version", "lodged_at")
    columns = [DECLARATIONS.c[name] for name in names]
    found: dict[str, list[tuple[str, int, int]]] = {}
    with store.reading() as connection:
        for some in in_lists(consignment_ids):
            for row in connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(some))):
                found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    return found
