"""Keep a graph of addressees beside that of senders, for units that switch it on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make its tables."""
    op.create_table(
        "addressee_cards",
        sa.Column("entity", sa.BigInteger(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first_at", "last_at")),
        *(sa.Column(name, sa.BigInteger()) for name in ("name", "building")),
        sa.Column("network", sa.BigInteger(), nullable=False, index=True),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("listed", "reported")),
    )
    op.create_table(
        "addressee_evidence",
        sa.Column("value", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("entity", sa.BigInteger(), primary_key=True, autoincrement=False, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "addressee_links",
        sa.Column("one", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("other", sa.BigInteger(), primary_key=True, autoincrement=False, index=True),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("shared", sa.JSON(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "addressee_phones",
        sa.Column("value", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("own", sa.Boolean(), nullable=False),
    )
    op.create_table("addressee_hubs", sa.Column("value", sa.BigInteger(), primary_key=True, autoincrement=False))
