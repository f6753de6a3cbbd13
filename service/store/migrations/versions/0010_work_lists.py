"""Keep who works on which consignment, and how each person has arranged a list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "assignments",
        sa.Column("assignment_id", sa.Integer(), primary_key=True),
        sa.Column("consignment_id", sa.String(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.String()),
        sa.Column("counts", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_assignments_consignment_id", "assignments", ["consignment_id"])
    op.create_table(
        "list_views",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("list", sa.String(), primary_key=True),
        sa.Column("view", sa.JSON(), nullable=False),
    )
