"""Say which settled decisions ask for information before arrival; those on record stay in rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table; none of the files so far holds any."""
    op.create_table(
        "record_work",
        sa.Column("office", sa.String(), primary_key=True),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("decision_id", sa.String(), primary_key=True),
        sa.Column("consignment_id", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("risk", sa.Float()),
        sa.Column("networked", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )
