"""List the files of the settled record: decisions of large messages that ask for nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables; what is on record stays in its rows."""
    op.create_table(
        "record_segments",
        sa.Column("segment_id", sa.String(), primary_key=True),
        sa.Column("call_id", sa.String(), nullable=False, index=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("first_day", "last_day")),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("file", "file_sha256", "keys", "keys_sha256")),
        sa.Column("archived", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "record_lifted",
        sa.Column("segment_id", sa.String(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("decision_id", sa.String(), nullable=False, index=True),
        sa.Column("blank", sa.Boolean(), nullable=False),
    )
