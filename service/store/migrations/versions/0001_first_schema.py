"""Number the schema: the tables and indexes that stores had before schemas were numbered, and those they lack."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.migrations.first_tables import FIRST

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what is not there yet: a store that no command on accounts has opened lacks their tables."""
    connection = op.get_bind()
    FIRST.create_all(connection)
    present = {index["name"] for indexes in sa.inspect(connection).get_multi_indexes().values() for index in indexes}
    for index in (index for table in FIRST.sorted_tables for index in table.indexes):
        if index.name not in present:
            index.create(connection)
