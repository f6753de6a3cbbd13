"""Statements of the driver itself, prepared once a connection, for what every call reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

Row = tuple[Any, ...]


def driver_rows(connection: sa.Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return what a statement finds, in the transaction of the connection; it begins with it where none has begun.

    statement: one of few texts, with a `?` for each value, so that SQLite and PostgreSQL keep it prepared.
    """
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    rows: list[Row] = driver.execute(statement, values).fetchall()
    return rows
