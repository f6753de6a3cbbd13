"""Statements of the driver itself, prepared once a connection, for what every call reads and writes.

SQLAlchemy writes each statement once for each kind of database, and says how values go in and come out; from then on
the driver is given the same text. So names and types are those of the tables, and a call pays for its statements alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles

Row = tuple[Any, ...]
Change = Callable[[Any], Any]
AMONG = "among"  # the value of a statement that is a list


def driver_rows(connection: sa.Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return what a statement finds, in the transaction of the connection; it begins with it where none has begun.

    statement: one of few texts, with a `?` for each value, so that SQLite and PostgreSQL keep it prepared.
    """
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    rows: list[Row] = execute(connection, statement, values).fetchall()
    return rows


def execute(connection: sa.Connection, text: str, values: Any = ()) -> Any:
    """Run a text as the driver writes it, in the transaction of the connection; returns the driver's cursor.

    Raises DBAPIError, as SQLAlchemy does.
    """
    if not connection.in_transaction():
        connection.begin()
    return run_text(connection, text, values)


def run_text(connection: sa.Connection, text: str, values: Any = ()) -> Any:
    """Run a text where a transaction is under way or begins with it; as `execute`."""
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(text, values)
    except connection.dialect.loaded_dbapi.Error as fault:
        raise as_sqlalchemy(connection, text, fault) from fault


def execute_many(connection: sa.Connection, text: str, values: Sequence[Any]) -> None:
    """Run a text once for each of several values; a transaction has begun. Raises DBAPIError."""
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.cursor()
        cursor.executemany(text, values)
        cursor.close()
    except connection.dialect.loaded_dbapi.Error as fault:
        raise as_sqlalchemy(connection, text, fault) from fault


def as_sqlalchemy(connection: sa.Connection, text: str, fault: Exception) -> BaseException:
    """Return a fault of the driver as SQLAlchemy's own, without the values; a lost connection is given up."""
    dialect, dbapi = connection.dialect, connection.dialect.loaded_dbapi
    lost = dialect.is_disconnect(fault, connection.connection.driver_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(fault)
    return sa.exc.DBAPIError.instance(
        text, None, fault, dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )


class Prepared:
    """A statement whose text is written once for each kind of database."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement: Any = statement
        self._written: dict[str, _Written] = {}

    def rows(self, connection: sa.Connection, **values: Any) -> list[Row]:
        """Return what it finds for the values of its marks, by name; `among`: the list of one that has a list."""
        written = self._for(connection)
        rows: list[Row] = execute(connection, written.text, written.given(values)).fetchall()
        return written.read(rows) if written.results else rows

    def run(self, connection: sa.Connection, **values: Any) -> int:
        """Run it for the values of its marks; returns the number of rows that it changed."""
        written = self._for(connection)
        changed: int = execute(connection, written.text, written.given(values)).rowcount
        return changed

    def run_many(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of several values of its marks."""
        written = self._for(connection)
        given = [written.given(row) for row in rows]
        if len(given) == 1:
            execute(connection, written.text, given[0])
        elif given:
            execute_many(connection, written.text, given)

    def _for(self, connection: sa.Connection) -> _Written:
        name = connection.dialect.name
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = _Written.of(self._statement, connection.dialect)
        return written


def _reading(kind: Any, dialect: sa.Dialect) -> Change | None:
    """Return how a value comes out; real numbers as they are: both drivers give them so."""
    return None if isinstance(kind, sa.Float) else kind.result_processor(dialect, None)


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement in the words of one kind of database.

    order: of its marks; none where they are named. fixed: values of marks that are always the same. lists: the marks
    that `among` is made into, and how. binds: how values go in. results: how columns come out, by place.
    """

    text: str
    order: tuple[str, ...] | None
    fixed: Mapping[str, Any]
    lists: tuple[tuple[str, Change], ...]
    binds: Mapping[str, Change]
    results: tuple[tuple[int, Change], ...]

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect) -> _Written:
        compiled: Any = statement.compile(dialect=dialect)
        binds, lists = compiled._bind_processors, []
        for element in _lists_in(statement):
            lists += _LISTS[dialect.name](element)
        fixed = {n: binds[n](v) if n in binds and v is not None else v for n, v in compiled.params.items()}
        columns = [entry.type.dialect_impl(dialect) for entry in compiled._result_columns or ()]
        reads = ((place, _reading(kind, dialect)) for place, kind in enumerate(columns))
        order = tuple(compiled.positiontup) if compiled.positional else None
        results = tuple((place, change) for place, change in reads if change is not None)
        return cls(compiled.string, order, fixed, tuple(lists), binds, results)

    def given(self, values: Mapping[str, Any]) -> Any:
        """Return values by name as the driver takes them."""
        taken = dict(self.fixed)
        for name, value in values.items():
            if name == AMONG:
                taken.update((mark, change(value)) for mark, change in self.lists)
            else:
                taken[name] = self.binds[name](value) if name in self.binds else value
        return taken if self.order is None else tuple([taken[name] for name in self.order])

    def read(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows as SQLAlchemy gives them."""
        changed = [list(row) for row in rows]
        for place, change in self.results:
            for row in changed:
                row[place] = change(row[place])
        return [tuple(row) for row in changed]


class Among(sa.ColumnElement[bool]):
    """Says that a column, or several as one key, is among the values of a list that is given as a whole.

    However many they are, the text is the same, and an index of the columns finds them.
    """

    inherit_cache = False

    def __init__(self, *columns: sa.ColumnElement[Any]) -> None:
        self.columns = columns
        self.type = sa.Boolean()

    def self_group(self, against: Any = None) -> Among:  # noqa: ARG002 - as every element
        """Return itself: it needs no brackets, and SQLite no comparison with 1, which would hide the index."""
        return self

    def mark(self, place: int = 0) -> str:
        """Name one of its marks."""
        return f"{AMONG}_{place}"


def among(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is among those listed, or that several are, as a key; see Prepared.rows."""
    return Among(*columns)


@compiles(Among, "sqlite")
def _among_json(element: Among, compiler: Any, **how: Any) -> str:
    each: sa.ColumnElement[Any] = sa.literal_column("value")
    columns = element.columns
    parts: list[Any] = [each]
    if len(columns) > 1:  # cast, or no index is searched by more than the first
        places = (sa.func.json_extract(each, sa.literal_column(f"'$[{place}]'")) for place in range(len(columns)))
        parts = [sa.cast(of, column.type) for of, column in zip(places, columns, strict=True)]
    listed = ", ".join(compiler.process(part, **how) for part in parts)
    key = ", ".join(compiler.process(column, **how) for column in columns)
    mark = compiler.process(sa.bindparam(element.mark(), type_=sa.String()), **how)
    return f"({key}) IN (SELECT {listed} FROM json_each({mark}))"


@compiles(Among, "postgresql")
def _among_arrays(element: Among, compiler: Any, **how: Any) -> str:
    arrays = [
        compiler.process(sa.bindparam(element.mark(place), type_=ARRAY(column.type)), **how)
        for place, column in enumerate(element.columns)
    ]
    key = ", ".join(compiler.process(column, **how) for column in element.columns)
    return (
        f"{key} = ANY ({arrays[0]})" if len(arrays) == 1 else f"({key}) IN (SELECT * FROM unnest({', '.join(arrays)}))"
    )


def _lists_in(statement: Any) -> list[Among]:
    found: dict[int, Among] = {}
    for element in sa.sql.visitors.iterate(statement):
        if isinstance(element, Among):
            found[id(element)] = element
    return list(found.values())


def _as_json(values: Sequence[Any]) -> str:
    return orjson.dumps(values).decode()


def _column(place: int, values: Sequence[Row]) -> list[Any]:
    return [value[place] for value in values]


def _json_of(element: Among) -> list[tuple[str, Change]]:
    return [(element.mark(), _as_json)]


def _arrays_of(element: Among) -> list[tuple[str, Change]]:
    if len(element.columns) == 1:
        return [(element.mark(), list)]
    return [(element.mark(place), partial(_column, place)) for place in range(len(element.columns))]


_LISTS: Mapping[str, Callable[[Among], list[tuple[str, Change]]]] = {"sqlite": _json_of, "postgresql": _arrays_of}
