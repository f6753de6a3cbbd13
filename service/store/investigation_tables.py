"""Tables of investigations: what was noted in each, in order, and the documents attached, by their hash."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.tables import TABLES
from service.store.vouching import GROWS

INVESTIGATION_ENTRIES = sa.Table(  # nothing in it is ever changed, but for an erasure
    "investigation_entries",
    TABLES,
    sa.Column("entry_id", sa.Integer, primary_key=True),
    sa.Column("investigation", sa.String, nullable=False, index=True),  # its number, as people write it
    sa.Column("office", sa.String, nullable=False),  # whose it is; empty: of whoever sees every office
    sa.Column("consignment_id", sa.String, index=True),  # that the entry is about; null for any other entry
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("body", sa.JSON, nullable=False),
    info=GROWS,
)
DOCUMENTS = sa.Table(  # what is attached; gone once no entry names it any more
    "documents",
    TABLES,
    sa.Column("sha256", sa.String, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
