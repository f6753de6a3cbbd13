"""The number of a store's schema: a new store gets the newest, another is opened only where its number is that."""

from __future__ import annotations

import sqlalchemy as sa

from features.fault import Fault
from service.store.access_tables import ACCOUNTS
from service.store.investigation_tables import DOCUMENTS
from service.store.purchase_tables import PURCHASE_NOTES
from service.store.record_tables import RECORD_SEGMENTS
from service.store.tables import TABLES
from service.store.webhook_tables import WEBHOOKS

SCHEMA = 19  # the number of the last file in migrations/versions; every change of a table comes with the next one
FIRST_NUMBERED = 1  # what a store without a number is taken for, until an upgrade has looked at its tables
VERSIONS = sa.Table(  # as Alembic makes it
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
# tables that are declared elsewhere belong to the schema whichever command makes the store: importing declares them
DECLARED_IN = (ACCOUNTS, WEBHOOKS, PURCHASE_NOTES, RECORD_SEGMENTS, DOCUMENTS)
assert all(table.metadata is TABLES for table in DECLARED_IN)  # noqa: S101


class OtherSchema(Fault):
    """The store has another schema than this version works with; the message says what to do."""


def schema_of(connection: sa.Connection) -> int | None:
    """The number of the schema; None where the database holds no store yet."""
    present = set(sa.inspect(connection).get_table_names())
    if VERSIONS.name in present:
        number = connection.execute(sa.select(VERSIONS.c.version_num)).scalar()
        if number is not None:
            return int(number)
    return FIRST_NUMBERED if present & TABLES.tables.keys() else None


def is_numbered(connection: sa.Connection) -> bool:
    """Whether the store says its number itself."""
    return sa.inspect(connection).has_table(VERSIONS.name) and bool(connection.execute(sa.select(VERSIONS)).first())


def create_schema(connection: sa.Connection) -> None:
    """Make all tables of the newest schema in an empty database, and number it."""
    TABLES.create_all(connection, checkfirst=False)
    VERSIONS.create(connection, checkfirst=False)
    connection.execute(sa.insert(VERSIONS).values(version_num=revision_of(SCHEMA)))


def check_schema(number: int) -> None:
    """Refuse a store of another schema; raises OtherSchema with the remedy."""
    if number < SCHEMA:
        raise OtherSchema(f"the store has schema {number}, this version needs {SCHEMA}: run `tamis upgrade`")
    if number > SCHEMA:
        raise OtherSchema(
            f"the store has schema {number} and was made by a later version; this one knows schema {SCHEMA}: "
            "run the later version, or restore a backup from before its upgrade"
        )


def revision_of(number: int) -> str:
    """A schema's number as Alembic's table holds it."""
    return f"{number:04d}"
