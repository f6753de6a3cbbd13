"""Tables of the settled record: which files of decisions count, what of them waits, what stands in rows since."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.tables import TABLES
from service.store.vouching import GROWS

RECORD_SEGMENTS = sa.Table(  # files of decisions that ask for nothing, each of one call
    "record_segments",
    TABLES,
    sa.Column("segment_id", sa.String, primary_key=True),
    sa.Column("call_id", sa.String, nullable=False, index=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("root", sa.String, nullable=False),  # of the tree of hashes over its decisions
    sa.Column("first_day", sa.Integer, nullable=False),  # of lodging, counted from 1970-01-01
    sa.Column("last_day", sa.Integer, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("file_sha256", sa.String, nullable=False),
    sa.Column("keys", sa.String, nullable=False),  # the file by which consignments and decisions are found in it
    sa.Column("keys_sha256", sa.String, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),  # what it declares stands in the archive too
    info=GROWS,
)
RECORD_LIFTED = sa.Table(  # rows of these files that somebody has touched: they stand in `declarations`, `decisions`
    "record_lifted",
    TABLES,
    sa.Column("segment_id", sa.String, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),  # in its file
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    sa.Column("blank", sa.Boolean, nullable=False),  # its content is no longer in the file
    info=GROWS,
)
RECORD_WORK = (
    sa.Table(  # of these files, decisions by which the declarant is asked for something: what a work list shows
        "record_work",
        TABLES,
        sa.Column("office", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # of lodging, counted from 1970-01-01
        sa.Column("decision_id", sa.String, primary_key=True),
        sa.Column("consignment_id", sa.String, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("risk", sa.Float),
        sa.Column("networked", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
)
