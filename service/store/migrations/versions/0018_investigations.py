"""Keep investigations: their entries, and the documents attached to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables; there was no investigation before."""
    op.create_table(
        "investigation_entries",
        sa.Column("entry_id", sa.Integer(), primary_key=True),
        sa.Column("investigation", sa.String(), nullable=False, index=True),
        sa.Column("office", sa.String(), nullable=False),
        sa.Column("consignment_id", sa.String(), index=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("salt", sa.String()),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
