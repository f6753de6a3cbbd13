"""Count failed log-ins by address and name, not by account, and keep who invited each account."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of failures, and read from the log who invited whom; the columns that locked owners out stay."""
    op.create_table(
        "log_ins_failed",
        sa.Column("caller", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("waits_until", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_log_ins_failed_at", "log_ins_failed", ["at"])
    op.add_column("accounts", sa.Column("made_by", sa.String()))
    connection = op.get_bind()
    made_by = {}
    for (content,) in connection.execute(
        sa.text("SELECT content FROM chain WHERE kind = 'access' AND content LIKE '%\"account\"%' ORDER BY number")
    ):
        entry = json.loads(content)
        if entry["what"] == "account" and "role" in entry:  # those by the identity provider name no role
            made_by[entry["whom"]] = entry["by"]
    for name, by in made_by.items():
        connection.execute(
            sa.text("UPDATE accounts SET made_by = :by WHERE name = :name AND password != ''"),
            {"by": by, "name": name},
        )
