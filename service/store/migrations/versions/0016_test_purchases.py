"""Keep test purchases, and what the names used in them state, so that these are never taken for offenders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "purchase_notes",
        sa.Column("note_id", sa.Integer(), primary_key=True),
        sa.Column("purchase_id", sa.String(), nullable=False, index=True),
        sa.Column("consignment_id", sa.String(), index=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("office", "officer")),
        sa.Column("salt", sa.String()),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_table(
        "alias_values",
        sa.Column("value", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("purchase_id", sa.String(), primary_key=True),
        sqlite_with_rowid=False,
    )
