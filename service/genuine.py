"""Genuine goods: the serial numbers that right holders have given, kept as hashes, and posted to the history as facts.

An article counts as registered piece by piece once one of its serial numbers is: from then on a declared serial number
of it that its right holder does not know is none of his. What is registered counts for what is lodged afterwards.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import TIME
from features.facts import REGISTRY, entities_named, facts_registered
from features.fault import Fault
from features.product_codes import gtin_fails, gtin_of, serial_of
from service.chain import note
from service.posting import already, in_lists, post
from service.store import Store
from service.tables import REGISTERED

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
    """What became of a file: serials that are new, and that were known; `line`, `reason`, `remedy` of the rest."""

    new: int
    known: int
    problems: list[dict[str, Any]]


def register(store: Store, serials: pl.DataFrame, *, holder: str, by: str, at: int) -> Registered:
    """Register those of some serial numbers (`serials_in`, `serials_of`) that could be read.

    at: microseconds since 1970. Known ones change nothing. Raises Fault where nobody is named, and where an article is
    another right holder's: whoever registers one makes all of its other serial numbers unknown.
    """
    if not holder.strip() or not by.strip():
        raise Fault("a registry needs the name of its right holder and of who imports it")
    good = serials.filter(pl.col("problem").is_null())
    pieces = good.select(entities_named(pl.lit("serial"), pl.col("piece")).alias("entity")).unique(maintain_order=True)
    articles = good.select(entities_named(pl.lit("gtin"), pl.col("gtin")).alias("entity")).unique(maintain_order=True)
    entities = pl.concat([pieces, articles])["entity"].to_list()

    def write(connection: sa.Connection) -> set[int]:
        _refuse_others(connection, articles["entity"].to_list(), holder.strip())
        there = already(connection, REGISTERED.c.entity, entities)
        new = [entity for entity in entities if entity not in there]
        if new:
            rows = [{"entity": entity, "holder": holder.strip(), "known_at": at} for entity in new]
            connection.execute(sa.insert(REGISTERED), rows)
            post(store, connection, facts_registered(_registry((entity, at) for entity in new)))
        return there

    there = store.write(write)
    new = sum(entity not in there for entity in pieces["entity"])
    if new:
        note(store, "registry", holder.strip(), {"by": by.strip(), "serials": new}, at)
    return Registered(new, pieces.height - new, problems_of(serials))


def _refuse_others(connection: sa.Connection, articles: list[int], holder: str) -> None:
    for some in in_lists(articles):
        others = (REGISTERED.c.entity.in_(some), REGISTERED.c.holder != holder)
        if connection.execute(sa.select(REGISTERED.c.entity).where(*others).limit(1)).first() is not None:
            raise Fault("an article is registered by another right holder; ask the unit whose it is")


def problems_of(serials: pl.DataFrame) -> list[dict[str, Any]]:
    """`line`, `reason`, `remedy` of each that could not be read."""
    bad = serials.filter(pl.col("problem").is_not_null())
    return [
        {"line": line, **dict(zip(("reason", "remedy"), REMEDIES[problem], strict=True))}
        for line, problem in bad.select("line", "problem").rows()
    ]


def registered(store: Store) -> pl.DataFrame:
    """Everything that was ever registered (REGISTRY)."""
    with store.reading() as connection:
        query = sa.select(REGISTERED.c.entity, REGISTERED.c.known_at).order_by(
            REGISTERED.c.known_at, REGISTERED.c.entity
        )
        return _registry(tuple(row) for row in connection.execute(query))


def holders(store: Store) -> list[tuple[str, int]]:
    """Right holders, and how many entries each has."""
    query = sa.select(REGISTERED.c.holder, sa.func.count()).group_by(REGISTERED.c.holder).order_by(REGISTERED.c.holder)
    with store.reading() as connection:
        return [(str(holder), int(count)) for holder, count in connection.execute(query)]


def _registry(rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={**REGISTRY, "known_at": pl.Int64()}, orient="row").cast({"known_at": TIME})


def serials_in(content: bytes) -> pl.DataFrame:
    """The serial numbers of a CSV file (`serials_of`), counted from line 2; raises Fault where it cannot be read."""
    try:
        rows = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except (pl.exceptions.PolarsError, ValueError):
        raise Fault("not a CSV file in UTF-8 with a header row") from None
    rows = rows.rename({name: name.strip().lower() for name in rows.columns})
    if "product_code" not in rows.columns and not {"gtin", "serial"} <= set(rows.columns):
        raise Fault("needs a column product_code, or the columns gtin and serial")
    return serials_of(rows, first=2)


def serials_of(rows: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """`line`, `gtin`, `piece` and `problem` (a key of REMEDIES) of rows of `product_code`, or `gtin` and `serial`.

    All are text; first: the number of the first line.
    """
    own = [pl.col(name) if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in STATED]
    rows = rows.select(own)
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
