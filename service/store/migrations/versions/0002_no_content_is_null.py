"""Write NULL where a declaration or a row as scored is not kept: the text `null` stood there and counted as content."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
NULLABLE = (("declarations", "body"), ("decisions", "row_as_scored"))


def upgrade() -> None:
    """Change rows, no columns; nothing that the audit log vouches for reads differently."""
    for table, column in NULLABLE:
        op.execute(f"UPDATE {table} SET {column} = NULL WHERE CAST({column} AS TEXT) = 'null'")
