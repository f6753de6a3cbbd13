"""Let a result say in columns what was found and what chose it, and find results by when they were known."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from service.store.migrations.keyed_tables import Row, change_rows, table_of

revision = "0015"
down_revision = "0014"
REPEATED = ("result", "selection")


def upgrade() -> None:
    """Add the columns, fill them from the contents, and then make the index."""
    for name in REPEATED:
        op.add_column("outcomes", sa.Column(name, sa.String()))
    connection = op.get_bind()
    change_rows(connection, table_of(connection, "outcomes"), _found)
    op.create_index("outcomes_by_time", "outcomes", ["known_at", *REPEATED, "consignment_id"])


def _found(row: Row) -> Row:
    body: Any = row["body"]
    content = json.loads(body) if isinstance(body, str) else body
    return {name: content.get(name) for name in REPEATED}
