"""The durable store: its tables, its connections, and how it is written: one transaction for a group of works."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from features.facts import FACTS
from features.fault import Fault
from service.bulk import INSERTS, as_json
from service.patience import Patience
from service.segments import SegmentFiles
from service.settings import Settings
from service.writing import Writer

T = TypeVar("T")
TABLES = sa.MetaData()
RUNNING = sa.Table(
    "running",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("known_at", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(fact, sa.BigInteger, nullable=False) for fact in FACTS),
    sqlite_with_rowid=False,
)
SEGMENTS = sa.Table(
    "segments",
    TABLES,
    sa.Column("segment_id", sa.String, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),
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
    sa.Column("stated", sa.JSON, nullable=False),  # its entities and amounts: what its facts are made of
    sa.Column("body", sa.JSON),  # null for what was ingested and never decided
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),  # whether its facts are in the history, or wait for it
    sa.Index("declarations_by_consignment", "consignment_id"),
    sa.Index(
        "declarations_waiting", "posted", sqlite_where=sa.text("NOT posted"), postgresql_where=sa.text("NOT posted")
    ),
)
CALLS = sa.Table(  # the circumstances that the decisions of one call share: what a replay starts from
    "calls",
    TABLES,
    sa.Column("call_id", sa.String, primary_key=True),
    sa.Column("basis", sa.JSON, nullable=False),
)
POLICIES = sa.Table(  # every policy that ever decided, by the hash of its text
    "policies",
    TABLES,
    sa.Column("sha256", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
CHAIN = sa.Table(
    "chain",
    TABLES,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("content", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
DECISIONS = sa.Table(
    "decisions",
    TABLES,
    sa.Column("decision_id", sa.String, primary_key=True),
    sa.Column("call_id", sa.String, nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),  # among the consignments of its call
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("message_id", sa.String, nullable=False),
    sa.Column("consignment_id", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("office", sa.String, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("pre_arrival", "clearance", "post_clearance")),
    sa.Column("hour", sa.Integer, nullable=False),  # where it counts in the tallies, with its office and band
    sa.Column("band", sa.Integer, nullable=False),
    sa.Column("checked", sa.String, nullable=False),
    sa.Column("network", sa.String),  # null while linking is off
    sa.Column("held", sa.Boolean, nullable=False),  # whether it waits for the checks of its network
    sa.Column("risk", sa.Float),  # null where rules alone decided
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("row_as_scored", sa.JSON),
    sa.Column("assessment", sa.Integer, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),  # no later assessment of the same version has amended it
    sa.Column("waits", sa.Boolean, nullable=False),  # to be given again once what it lacked is back
    sa.UniqueConstraint("message_id", "consignment_id", "version", "assessment"),
    sa.Index("decisions_waiting", "waits", sqlite_where=sa.text("waits"), postgresql_where=sa.text("waits")),
    sa.Index("decisions_by_consignment", "consignment_id", "version", "stands"),
    sa.Index(
        "decisions_by_network",
        "network",
        sqlite_where=sa.text("network IS NOT NULL"),
        postgresql_where=sa.text("network IS NOT NULL"),
    ),
    sa.Index(  # holds all that a queue is chosen and ordered by: the decisions themselves lie far apart
        "decisions_in_queues",
        *("office", "day", "stands", "pre_arrival", "clearance", "post_clearance", "risk"),
        *("decision_id", "consignment_id", "version"),
    ),
    sa.Index("decisions_by_day", "day", "decision_id"),
)
TALLIES = sa.Table(  # how many decisions were given at an office in an hour, and what checks they took
    "tallies",
    TABLES,
    sa.Column("office", sa.String, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),  # since 1970, of `lodged_at`
    sa.Column("band", sa.Integer, primary_key=True, autoincrement=False),  # of the score; -1 where nothing scored it
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("seen", "audit", "documents", "scan", "physical")),
    sqlite_with_rowid=False,
)
OUTCOMES = sa.Table(
    "outcomes",
    TABLES,
    sa.Column("outcome_id", sa.String, primary_key=True),
    sa.Column("salt", sa.String),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
RECEPTACLES = sa.Table(  # in which receptacle an item lies, as a dispatch list said last
    "receptacles",
    TABLES,
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("receptacle", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
CARDS = sa.Table(
    "cards",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),  # the step in which it was declared last
    sa.Column("name", sa.BigInteger),
    sa.Column("building", sa.BigInteger),
    sa.Column("network", sa.BigInteger, nullable=False, index=True),
    sa.Column("listed", sa.Boolean, nullable=False),  # somebody tells of it; it sends nothing under this card
    sa.Column("reported", sa.Boolean, nullable=False),  # who tells of it is a consumer or a platform
)
LISTS = sa.Table(  # every version that was ever imported, and what became of it
    "lists",
    TABLES,
    sa.Column("list_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),  # list, reports
    sa.Column("status", sa.String, nullable=False),  # waiting, active, replaced, refused, expired
    sa.Column("source", sa.String, nullable=False),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("imported_by", sa.String, nullable=False),
    sa.Column("imported_at", sa.BigInteger, nullable=False),
    sa.Column("approved_by", sa.String),
    sa.Column("active_from", sa.BigInteger),
    sa.Column("active_until", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("checked_at", sa.BigInteger),  # when it was last imported, changed or not
    sa.Column("subjects", sa.JSON, nullable=False),  # subject → label and evidence as hashes
)
EVIDENCE = sa.Table(  # what cards state, as hashes: no name and no address stands here
    "evidence",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)
LINKS = sa.Table(
    "links",
    TABLES,
    sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("other", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("bits", sa.Integer, nullable=False),
    sa.Column("shared", sa.JSON, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
PHONES = sa.Table(
    "phones",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("own", sa.Boolean, nullable=False),
)
REGISTERED = sa.Table(  # what right holders say is genuine: serials and their articles, as hashes
    "registered",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
HUBS = sa.Table(  # what so many cards state that it links nobody
    "hubs", TABLES, sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False)
)
JUDGEMENTS = sa.Table(
    "judgements",
    TABLES,
    sa.Column("judgement_id", sa.Integer, primary_key=True),
    sa.Column("one", sa.BigInteger, nullable=False, index=True),
    sa.Column("other", sa.BigInteger, nullable=False, index=True),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),  # when it was taken back or replaced; null while it counts
)
CASE_NOTES = sa.Table(  # what was noted of detained consignments, in order; nothing in it is ever changed
    "case_notes",
    TABLES,
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("body", sa.JSON, nullable=False),
)
OVERRIDES = sa.Table(  # an analyst's own lane for a consignment; the last one of a decision counts
    "overrides",
    TABLES,
    sa.Column("override_id", sa.Integer, primary_key=True),
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("clearance", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("counts", sa.Boolean, nullable=False),
)
PROPOSALS = sa.Table(  # what one person put forward and another decided
    "proposals",
    TABLES,
    sa.Column("proposal_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("proposed_by", sa.String, nullable=False),
    sa.Column("proposed_at", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("state", sa.String, nullable=False),  # waiting, refused, under way, done, failed
    sa.Column("told", sa.String, nullable=False),
    sa.Column("although", sa.String, nullable=False),  # why a version that did worse should serve all the same
    sa.Column("tried", sa.Text, nullable=False),  # what the rules of a policy would have done on days gone by
)
READ_SECONDS = 0.15  # what is settled is read within it, or a call is answered without it
AT_ONCE = 500  # values in one IN list
CACHE_KB, CACHE_KB_OF_COMMANDS = 4_096, 65_536  # of SQLite's pages: what a day writes touches far more than a call does
ONE_WRITER = 0x7A315  # the name of PostgreSQL's lock that lets one transaction write at a time, as SQLite does


class Store:
    """One database, opened for durable writing; SQLite by default, PostgreSQL through the same code."""

    def __init__(
        self, address: str, *, folder: Path | None = None, patience_ms: int = 10_000, grouped: bool = False
    ) -> None:
        """folder: where settled history lies; of a SQLite file always beside it; without one it stays in the tables.

        patience_ms: how long a writer waits for another; a command can wait, a call cannot. grouped: works of several
        threads share a commit.
        """
        url = sa.make_url(address)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine(url, json_serializer=as_json, json_deserializer=orjson.loads)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        sqlite = functools.partial(_durable_sqlite, CACHE_KB if grouped else CACHE_KB_OF_COMMANDS)
        opened = sqlite if self.is_sqlite else _patient_postgresql
        sa.event.listen(self.engine, "connect", functools.partial(opened, patience_ms))
        sa.event.listen(self.engine, "begin", _alone)
        if self.is_sqlite:
            folder = Path(f"{url.database}.history") if url.database else None
        self.segments = SegmentFiles(folder)
        self.patience = Patience(READ_SECONDS) if grouped else None  # a command can wait for files, a call cannot
        self._writer = Writer(self.writing) if grouped else None
        with self.writing() as connection:
            TABLES.create_all(connection)
            _refuse_older(connection)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: alone, durable when the block has ended, undone when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` gives, once everything that it wrote is durable."""
        if self._writer is not None:
            return self._writer.write(work)
        with self.writing() as connection:
            return work(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for looking things up: one unchanging state of the database, whoever writes meanwhile."""
        isolation: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(reading=True, **isolation) as connection:
            yield connection

    def upsert(self, table: sa.Table) -> Any:
        """An insert of this database's own kind, which knows ON CONFLICT."""
        return INSERTS[self.engine.dialect.name](table)

    def close(self) -> None:
        """Finish what is being written, and give all connections back."""
        if self._writer is not None:
            self._writer.close()
        self.engine.dispose()


def _refuse_older(connection: sa.Connection) -> None:
    """A store of an earlier version lacks columns; it is never changed in silence."""
    there = sa.inspect(connection)
    for table in TABLES.sorted_tables:
        lacking = {column.name for column in table.columns} - {c["name"] for c in there.get_columns(table.name)}
        if lacking:
            raise Fault(
                f"the store was made by an earlier version (table {table.name} lacks {', '.join(sorted(lacking))}); "
                "open a new one and ingest the archive into it"
            )


def open_store(settings: Settings, *, patience_ms: int = 10_000, grouped: bool = False) -> Store:
    """The store of an installation; its home folder is made where it is not there."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return Store(settings.store_address, folder=settings.history, patience_ms=patience_ms, grouped=grouped)


def _durable_sqlite(cache_kb: int, patience_ms: int, connection: Any, _: object) -> None:
    """Write-ahead log, synced at every commit; the driver must leave BEGIN to us."""
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={patience_ms}", f"cache_size=-{cache_kb}"):
        connection.execute(f"PRAGMA {setting}")


def _patient_postgresql(patience_ms: int, connection: Any, _: object) -> None:
    """Commits wait for the disk, whatever the server's default; a writer waits so long for another."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(f"SET lock_timeout TO {patience_ms}")
    connection.commit()


def _alone(connection: sa.Connection) -> None:
    """Take the lock of writers at the start: a transaction that reads totals and then adds to them must be alone."""
    reading = connection.get_execution_options().get("reading", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
    elif not reading:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
