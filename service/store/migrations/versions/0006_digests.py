"""Keep a digest of every table, of the rows as they are now: verification finds every change from here on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; the upgrade itself adds up the rows, after its last step."""
    op.create_table(
        "digests",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
