"""The durable store: tables, connection, and the history of facts kept as running totals.

One row of `running` holds an entity's totals up to and including a moment, so that a window is one subtraction of
two look-ups however many facts lie between.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from features.consignment import VERSION_KEY, Consignments
from features.facts import FACTS
from features.history import NEVER, FactTable, Integers, Totals, nothing_known

TABLES = sa.MetaData()
RUNNING = sa.Table(
    "running",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("known_at", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(fact, sa.BigInteger, nullable=False) for fact in FACTS),
    sqlite_with_rowid=False,
)
STATE = sa.Table("state", TABLES, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.BigInteger))
DECLARATIONS = sa.Table(
    "declarations",
    TABLES,
    sa.Column("message_id", sa.String, primary_key=True),
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lodged_at", sa.BigInteger, nullable=False),
    sa.Column("content_sha256", sa.String, nullable=False),
    sa.Column("entities", sa.JSON, nullable=False),
    sa.Column("body", sa.JSON),  # null for what was ingested and never decided
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Index("declarations_by_consignment", "consignment_id"),
)
DECISIONS = sa.Table(
    "decisions",
    TABLES,
    sa.Column("decision_id", sa.String, primary_key=True),
    sa.Column("message_id", sa.String, nullable=False),
    sa.Column("consignment_id", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("office", sa.String, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    sa.Column("clearance", sa.String, nullable=False),
    sa.Column("risk", sa.Float, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("row_as_scored", sa.JSON, nullable=False),
    sa.UniqueConstraint("message_id", "consignment_id", "version"),
    sa.Index("decisions_by_consignment", "consignment_id"),
    sa.Index("decisions_by_office_and_day", "office", "day", "clearance"),
    sa.Index("decisions_by_day", "day", "decision_id"),
)
OUTCOMES = sa.Table(
    "outcomes",
    TABLES,
    sa.Column("outcome_id", sa.String, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
HISTORY_AS_OF = "history_as_of"
AT_ONCE = 500  # values in one IN list
FEW = 512  # look-ups; above it the rows of the entities are read at once and searched in memory


class Store:
    """One database, opened for durable writing; SQLite by default, PostgreSQL through the same code."""

    def __init__(self, address: str, *, patience_ms: int = 10_000) -> None:
        """patience_ms: how long a writer waits for another; a command can wait, a call cannot."""
        self.engine = sa.create_engine(address, future=True)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", functools.partial(_durable, patience_ms))
            sa.event.listen(self.engine, "begin", _immediate)
        TABLES.create_all(self.engine)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: durable when the block has ended, undone when it raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for looking things up."""
        with self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    def upsert(self, table: sa.Table) -> Any:
        """An insert of this database's own kind, which knows ON CONFLICT."""
        return (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(table)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _durable(patience_ms: int, connection: Any, _: object) -> None:
    """Write-ahead log, synced at every commit; the driver must leave BEGIN to us."""
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={patience_ms}"):
        connection.execute(f"PRAGMA {setting}")


def _immediate(connection: sa.Connection) -> None:
    """Take the write lock at the start: a transaction that reads totals and then adds to them must be alone."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class StoredHistory:
    """The history of facts in the store, read as running totals before a moment."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def before(self, entities: Integers, moments: Integers) -> Totals:
        """Running totals of each entity strictly before its moment (microseconds)."""
        if not len(entities):
            return nothing_known(0)
        with self.store.reading() as connection:
            if len(entities) <= FEW:
                return _look_up(connection, entities, moments)
            rows = _rows_of(connection, np.unique(entities).tolist())
        return FactTable.of_running(rows).before(entities, moments)

    def lacks(self, consignments: Consignments) -> Consignments:
        """Those of the consignments that were never recorded or remembered: their facts are not posted yet."""
        key = [DECLARATIONS.c[name] for name in VERSION_KEY]
        ids = consignments.frame["consignment_id"].unique().to_list()
        posted: list[Any] = []
        with self.store.reading() as connection:
            for start in range(0, len(ids), AT_ONCE):
                some = DECLARATIONS.c.consignment_id.in_(ids[start : start + AT_ONCE])
                posted += connection.execute(sa.select(*key).where(some)).all()
        schema = {"message_id": pl.String, "consignment_id": pl.String, "version": pl.Int64}
        held = pl.DataFrame([tuple(row) for row in posted], schema=schema, orient="row")
        rows = consignments.frame.join(held, on=list(VERSION_KEY), how="semi")["row"].implode()
        return consignments.where(~pl.col("row").is_in(rows)) if held.height else consignments

    def as_of(self) -> int | None:
        """The latest moment that any fact was known at, in microseconds; none where there is no fact."""
        with self.store.reading() as connection:
            found = connection.execute(sa.select(STATE.c.value).where(STATE.c.name == HISTORY_AS_OF)).scalar()
        return None if found is None else int(found)


_LAST_BEFORE = (
    sa.select(RUNNING.c.known_at, *(RUNNING.c[fact] for fact in FACTS))
    .where(RUNNING.c.entity == sa.bindparam("entity"), RUNNING.c.known_at < sa.bindparam("moment"))
    .order_by(RUNNING.c.known_at.desc())
    .limit(1)
)
_FIRST = sa.select(sa.func.min(RUNNING.c.known_at)).where(RUNNING.c.entity == sa.bindparam("entity"))


def _look_up(connection: sa.Connection, entities: Integers, moments: Integers) -> Totals:
    """One index look-up for each entity and moment."""
    read = nothing_known(len(entities))
    firsts: dict[int, int] = {}
    for i, (entity, moment) in enumerate(zip(entities.tolist(), moments.tolist(), strict=True)):
        row = connection.execute(_LAST_BEFORE, {"entity": entity, "moment": moment}).first()
        if row is None:
            continue
        if entity not in firsts:
            firsts[entity] = connection.execute(_FIRST, {"entity": entity}).scalar_one()
        read.amounts[i] = row[1:]
        read.first[i], read.last[i] = firsts[entity], row[0]
    return read


def _rows_of(connection: sa.Connection, entities: Sequence[int], since: int = NEVER) -> pl.DataFrame:
    """The running totals of some entities from `since` on, and the last before it."""
    rows: list[Any] = []
    columns = [RUNNING.c.entity, RUNNING.c.known_at, *(RUNNING.c[fact] for fact in FACTS)]
    for start in range(0, len(entities), AT_ONCE):
        some = RUNNING.c.entity.in_(entities[start : start + AT_ONCE])
        rows += connection.execute(sa.select(*columns).where(some, RUNNING.c.known_at >= since)).all()
        if since > NEVER:
            latest = sa.func.max(RUNNING.c.known_at)
            base = sa.select(RUNNING.c.entity, latest.label("known_at")).where(some, RUNNING.c.known_at < since)
            last = base.group_by(RUNNING.c.entity).subquery()
            same = (RUNNING.c.entity == last.c.entity) & (RUNNING.c.known_at == last.c.known_at)
            rows += connection.execute(sa.select(*columns).join(last, same)).all()
    schema = ["entity", "known_at", *FACTS]
    return pl.DataFrame([tuple(row) for row in rows], schema=dict.fromkeys(schema, pl.Int64), orient="row")


def post(store: Store, connection: sa.Connection, facts: pl.DataFrame) -> None:
    """Add facts (FACT_SCHEMA) to the running totals, in the caller's transaction.

    A fact known earlier than ones already there raises every later total of its entity, so that the state is the
    same in whatever order facts arrive.
    """
    if facts.is_empty():
        return
    added = facts.with_columns(pl.col("known_at").dt.epoch("us")).group_by("entity", "known_at").sum()
    since = int(added["known_at"].min())  # type: ignore[arg-type]
    there = _rows_of(connection, added["entity"].unique().sort().to_list(), since)
    changed = _merged(there, added, since)
    insert = store.upsert(RUNNING)
    changes = {fact: insert.excluded[fact] for fact in FACTS}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["entity", "known_at"], set_=changes), changed.to_dicts()
    )
    _raise_state(store, connection, int(added["known_at"].max()))  # type: ignore[arg-type]


def _merged(there: pl.DataFrame, added: pl.DataFrame, since: int) -> pl.DataFrame:
    """Running totals from `since` on after the facts were added; only the rows that are new or changed."""
    own = there.sort("entity", "known_at").with_columns(
        pl.col(fact) - pl.col(fact).shift(1, fill_value=0).over("entity") for fact in FACTS
    )
    everything = pl.concat([own, added.select(own.columns)]).group_by("entity", "known_at").sum()
    running = everything.sort("entity", "known_at").with_columns(pl.col(f).cum_sum().over("entity") for f in FACTS)
    earliest = added.group_by("entity").agg(pl.col("known_at").min().alias("earliest"))
    beside = running.join(earliest, on="entity", how="left", maintain_order="left")
    return beside.filter((pl.col("known_at") >= pl.col("earliest")) & (pl.col("known_at") >= since)).drop("earliest")


def _raise_state(store: Store, connection: sa.Connection, latest: int) -> None:
    insert = store.upsert(STATE)
    higher = sa.case((STATE.c.value > insert.excluded.value, STATE.c.value), else_=insert.excluded.value)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_={"value": higher}),
        [{"name": HISTORY_AS_OF, "value": latest}],
    )
