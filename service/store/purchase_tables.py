"""Tables of test purchases: what was noted of each, and whom the names used in them stand for."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.tables import TABLES
from service.store.vouching import GROWS

PURCHASE_NOTES = sa.Table(  # what was noted of test purchases, in order; nothing in it is ever changed
    "purchase_notes",
    TABLES,
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("purchase_id", sa.String, nullable=False, index=True),
    sa.Column("consignment_id", sa.String, index=True),  # of the parcel that came
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("office", sa.String, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("body", sa.JSON, nullable=False),
    info=GROWS,
)
ALIAS_VALUES = sa.Table(  # what the names used in test purchases state as addressees, as keyed hashes
    "alias_values",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("purchase_id", sa.String, primary_key=True),
    sqlite_with_rowid=False,
)
