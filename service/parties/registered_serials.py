"""Genuine goods: serial numbers supplied by right holders, kept as hashes, and posted to the history as facts.

Once a serial number of an article is registered, any other declared serial number of the article is treated as not
genuine. A registration counts for consignments lodged afterwards.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import TIME
from features.fault import Fault
from features.history.facts import REGISTRY, facts_registered
from features.history.keys import entity_named
from features.messages.plain_table import named_columns, plain_table
from features.product_codes import gtin_fails, gtin_of, serial_of
from service.history.posting import post
from service.record.audit_log import note
from service.store.bulk_rows import insert_many
from service.store.database import Store
from service.store.queries import already, in_lists
from service.store.tables import REGISTERED

STATED = ("product_code", "gtin", "serial")
REMEDIES = {
    "unread": (
        "names no serial number with its GTIN",
        "write a GS1 Digital Link, (01)…(21)…, or the columns gtin, serial",
    ),
    "fails": ("the check digit of the GTIN is wrong", "correct the GTIN"),
}


@dataclass(frozen=True, slots=True)
class Registered:
    """The result of an import: numbers of new and known serials; `line`, `reason`, `remedy` of the rest."""

    new: int
    known: int
    problems: list[dict[str, Any]]


def register(store: Store, serials: pl.DataFrame, *, holder: str, by: str, at: int) -> Registered:
    """Register the serial numbers (`serials_in`, `serials_of`) that could be read.

    at: microseconds since 1970. Known ones change nothing. Raises Fault where a name is missing, and where an article
    belongs to another right holder: the first registration makes all other serial numbers of an article unknown.
    """
    if not holder.strip() or not by.strip():
        raise Fault("a registry needs the name of its right holder, and --by NAME")
    good = serials.filter(pl.col("problem").is_null())
    pieces = [entity_named("serial", piece) for piece in good["piece"].unique(maintain_order=True)]
    articles = [entity_named("gtin", gtin) for gtin in good["gtin"].unique(maintain_order=True)]
    entities = [*pieces, *articles]
    keyed_of = dict(zip(entities, store.pseudonyms.keyed_list(entities), strict=True))

    def write(connection: sa.Connection) -> set[int]:
        _refuse_others(connection, [keyed_of[entity] for entity in articles], holder.strip())
        on_record = already(connection, REGISTERED.c.entity, list(keyed_of.values()))
        known = {entity for entity, keyed in keyed_of.items() if keyed in on_record}
        new = [entity for entity in entities if entity not in known]
        if new:
            rows = [{"entity": keyed_of[entity], "holder": holder.strip(), "known_at": at} for entity in new]
            insert_many(connection, REGISTERED, rows)
            post(store, connection, facts_registered(_registry((entity, at) for entity in new)))
        return known

    known = store.write(write)
    new = sum(entity not in known for entity in pieces)
    if new:
        note(store, "registry", holder.strip(), {"by": by.strip(), "serials": new}, at)
    return Registered(new, len(pieces) - new, problems_of(serials))


def _refuse_others(connection: sa.Connection, articles: list[int], holder: str) -> None:
    for batch in in_lists(articles):
        others = (REGISTERED.c.entity.in_(batch), REGISTERED.c.holder != holder)
        if connection.execute(sa.select(REGISTERED.c.entity).where(*others).limit(1)).first() is not None:
            raise Fault("an article is already registered by another right holder; contact the targeting unit")


def problems_of(serials: pl.DataFrame) -> list[dict[str, Any]]:
    """Return `line`, `reason`, `remedy` of each row that could not be read."""
    bad = serials.filter(pl.col("problem").is_not_null())
    return [
        {"line": line, **dict(zip(("reason", "remedy"), REMEDIES[problem], strict=True))}
        for line, problem in bad.select("line", "problem").rows()
    ]


def registered(store: Store) -> pl.DataFrame:
    """Return everything that was ever registered (REGISTRY)."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(REGISTERED.c.entity, REGISTERED.c.known_at)).all()
    entries = store.pseudonyms.plain_columns(_registry(tuple(row) for row in rows), "entity")
    return entries.sort("known_at", "entity")


def holders(store: Store) -> list[tuple[str, int]]:
    """Return right holders and their numbers of entries."""
    query = sa.select(REGISTERED.c.holder, sa.func.count()).group_by(REGISTERED.c.holder).order_by(REGISTERED.c.holder)
    with store.reading() as connection:
        return [(str(holder), int(count)) for holder, count in connection.execute(query)]


def _registry(rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={**REGISTRY, "known_at": pl.Int64()}, orient="row").cast({"known_at": TIME})


def serials_in(content: bytes, encoding: str = "utf-8", sheet: str = "") -> pl.DataFrame:
    """Read the serial numbers of a table (`serials_of`), counted from line 2; raises Fault where unreadable.

    A text table in any dialect, or a sheet of a workbook. encoding: of a text without a mark.
    """
    table = plain_table(content, "the table", encoding=encoding, sheet=sheet)
    try:
        rows = pl.read_csv(io.BytesIO(table.text.encode()), infer_schema=False, separator=table.separator)
    except (pl.exceptions.PolarsError, ValueError):
        raise Fault("not a CSV file in UTF-8 with a header row") from None
    rows = rows.rename(dict(zip(rows.columns, named_columns(rows.columns, STATED), strict=True)))
    if "product_code" not in rows.columns and not {"gtin", "serial"} <= set(rows.columns):
        raise Fault("needs a column product_code, or the columns gtin and serial")
    return serials_of(rows, first=2)


def serials_of(rows: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """Read `line`, `gtin`, `piece` and `problem` (a key of REMEDIES) from `product_code`, or `gtin` and `serial`.

    All are text; first: the number of the first line.
    """
    columns = [pl.col(name) if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in STATED]
    rows = rows.select(columns)
    both = pl.format("(01){}(21){}", gtin_of(pl.col("gtin")), pl.col("serial"))
    rows = rows.select(pl.coalesce("product_code", both).alias("product_code"))
    code = pl.col("product_code")
    read = rows.select(
        pl.int_range(first, pl.len() + first).alias("line"),
        gtin_of(code).alias("gtin"),
        serial_of(code).alias("piece"),
        gtin_fails(code).alias("fails"),
    )
    unread = pl.col("gtin").is_null() | pl.col("piece").is_null()
    return read.with_columns(
        pl.when(unread).then(pl.lit("unread")).when("fails").then(pl.lit("fails")).alias("problem")
    )
