"""Pack declarations, decisions, rows as scored and circumstances of calls: the same contents in a fifth of the room.

What queries choose by stands in columns of its own: what selected a consignment, its mode, and the sender's card.
"""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from service.store.migrations.keyed_tables import Row, change_rows, table_of
from service.store.packed import packed_or_null

revision = "0009"
down_revision = "0008"
PACKED = {"declarations": ("stated", "body"), "decisions": ("body", "row_as_scored"), "calls": ("basis",)}
IN_COLUMNS: dict[str, tuple[sa.Column[Any], ...]] = {
    "declarations": (sa.Column("card", sa.BigInteger()),),
    "decisions": (
        sa.Column("selection", sa.String()),
        sa.Column("mode", sa.String()),
        sa.Column("selection_probability", sa.Float()),
    ),
}


def upgrade() -> None:
    """Pack each row, once columns can hold it."""
    connection = op.get_bind()
    for name, columns in PACKED.items():
        former = table_of(connection, name)
        with op.batch_alter_table(name, copy_from=former) as batch:
            for column in columns:
                batch.alter_column(
                    column,
                    existing_type=sa.JSON(),
                    existing_nullable=former.c[column].nullable,
                    type_=sa.LargeBinary(),
                    postgresql_using=f"convert_to({column}::text, 'UTF8')",
                )
            for added in IN_COLUMNS.get(name, ()):
                batch.add_column(sa.Column(added.name, added.type))
        change_rows(connection, table_of(connection, name), CHANGES[name])


def _declared(row: Row) -> Row:
    stated, body = _content(row["stated"]), _content(row["body"])
    card = None if stated is None else stated.get("card_entity")
    return {"stated": packed_or_null(stated), "body": packed_or_null(body), "card": card}


def _decided(row: Row) -> Row:
    body = _content(row["body"])
    repeated = {column.name: body.get(column.name) for column in IN_COLUMNS["decisions"]}
    return {"body": packed_or_null(body), "row_as_scored": packed_or_null(_content(row["row_as_scored"])), **repeated}


def _content(text: bytes | None) -> Any:
    """Read JSON; a store from before contents could be NULL says null."""
    return None if text is None else orjson.loads(text)


def _called(row: Row) -> Row:
    return {"basis": packed_or_null(_content(row["basis"]))}


CHANGES = {"declarations": _declared, "decisions": _decided, "calls": _called}
