"""Keep by which keys search finds consignments, as packed keyed hashes.

The upgrade itself takes in what stands in the archive alone, after its last step; the service, what was decided.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "searched",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column(
            "consignment_id",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            nullable=False,
            unique=True,
        ),
        sa.Column("offices", sa.JSON(), nullable=False),
    )
    op.create_table(
        "postings",
        *(sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False) for name in ("level", "bucket", "part")),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
