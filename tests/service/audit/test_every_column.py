"""The gate of the record: whatever column of whatever table is changed behind the log's back, verification names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.audit.verify import Verified, verify_record
from service.record.record_kinds import KINDS
from service.scoring import Model
from service.store.database import Store
from service.store.digests import renew
from service.store.packed import PackedJson, pack
from service.store.tables import CHAIN, DIGESTS, TABLES
from service.store.vouching import GROWING, REASON, unvouched_columns
from tests.databases import DATABASES
from tests.service.audit.whole_record import fill
from tests.service.quick import desk_of

SAMPLE = ("accounts", "decisions", "keys", "links", "outcomes", "reads", "segments")  # of a server's tables


@pytest.fixture(scope="module", params=DATABASES)
def filled(
    request: pytest.FixtureRequest, model: Model, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Path]]:
    """A store with rows in every table, and the folder that it stands in."""
    folder = tmp_path_factory.mktemp(f"filled-{request.param}")
    address = f"sqlite:///{folder / 'store.db'}"
    if request.param != "sqlite":
        address = request.getfixturevalue("module_postgresql")
    store = Store(address, folder=folder / "history")
    fill(desk_of(store, model), store, folder)
    yield store, folder
    store.close()


def checked(filled: tuple[Store, Path]) -> Verified:
    store, folder = filled
    return verify_record(store, folder / "checkpoints", folder / "keys")


def behind_the_log(store: Store, change: sa.Executable) -> None:
    """Change the database as somebody with its password would."""
    with store.engine.begin() as connection:
        assert connection.execute(change).rowcount != 0  # of an insertion PostgreSQL does not say


def first_row(store: Store, table: sa.Table) -> dict[str, Any]:
    """A row to be changed: of decisions one whose content was not erased."""
    query = sa.select(table) if "salt" not in table.c else sa.select(table).where(table.c.salt.is_not(None))
    with store.reading() as connection:
        row = connection.execute(query.limit(1)).mappings().first()
    assert row is not None, f"no row in {table.name}: let tests/service/audit/whole_record.py write one"
    return dict(row)


def this(table: sa.Table, row: dict[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def other(column: sa.Column[Any], value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(column.type, sa.JSON | PackedJson):
        return {"changed": value}
    if isinstance(column.type, sa.Boolean):
        return not value
    if isinstance(column.type, sa.LargeBinary):
        return value + bytes(10)
    if isinstance(column.type, sa.Integer | sa.Float):
        return 1 if value is None else value ^ (1 << 20) if isinstance(value, int) else value + 1
    return f"{value or ''}x"


def named(table: sa.Table, faults: list[str]) -> bool:
    """Whether a fault says which table, or which thing that stands in it, is not as it was."""
    words = {table.name.removesuffix("s"), *(kind.noun for kind in KINDS.values() if kind.table is table)}
    words |= (
        {"entry", "on the chain"}
        if table is CHAIN
        else {"digest", "were written", "was changed"}
        if table is DIGESTS
        else set()
    )
    return any(word in fault for fault in faults for word in words)


def tables_of(store: Store) -> list[sa.Table]:
    """All tables, or a sample of them on a server."""
    return [table for table in TABLES.sorted_tables if store.is_sqlite or table.name in SAMPLE]


def test_every_changed_column_is_named(filled: tuple[Store, Path]) -> None:
    store, unseen = filled[0], {}
    for table in tables_of(store):
        row = first_row(store, table)
        for column in table.columns:
            before, after = {column.name: row[column.name]}, {column.name: other(column, row[column.name])}
            behind_the_log(store, sa.update(table).where(this(table, row)).values(after))
            faults = checked(filled).faults
            behind_the_log(store, sa.update(table).where(this(table, row | after)).values(before))
            if not named(table, faults):
                unseen[table.name, column.name] = faults
    assert unseen.keys() == unvouched_columns(TABLES).keys(), "name it, or say beside the column why it need not"
    assert checked(filled).faults == []


def test_packed_content_that_cannot_be_read_is_named(filled: tuple[Store, Path]) -> None:
    store = filled[0]
    for table in tables_of(store):
        for column in (column for column in table.columns if isinstance(column.type, PackedJson)):
            row = first_row(store, table)
            key = this(table, row)
            torn = sa.type_coerce(pack(row[column.name])[:-2], sa.LargeBinary)
            behind_the_log(store, sa.update(table).where(key).values({column.name: torn}))
            faults = checked(filled).faults
            behind_the_log(store, sa.update(table).where(key).values({column.name: row[column.name]}))
            assert named(table, faults), (table.name, column.name, faults)
    assert checked(filled).faults == []


def test_a_row_put_in_or_taken_out_is_named(filled: tuple[Store, Path]) -> None:
    store, unseen = filled[0], {}
    for table in tables_of(store):
        row = first_row(store, table)
        more = {column.name: other(column, row[column.name]) for column in table.columns}
        for kind, change, back in (
            ("out", sa.delete(table).where(this(table, row)), sa.insert(table).values(row)),
            ("in", sa.insert(table).values(more), sa.delete(table).where(this(table, more))),
        ):
            behind_the_log(store, change)
            faults = checked(filled).faults
            behind_the_log(store, back)
            if not named(table, faults):
                unseen[table.name, kind] = faults
    assert unseen == {}
    assert checked(filled).faults == []


def test_emptied_tables_are_named(filled: tuple[Store, Path]) -> None:
    store, unseen = filled[0], {}
    for table in tables_of(store):
        with store.reading() as connection:
            rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        behind_the_log(store, sa.delete(table))
        faults = checked(filled).faults
        behind_the_log(store, sa.insert(table).values(rows))
        if not named(table, faults):
            unseen[table.name] = faults
    assert unseen == {}
    assert checked(filled).faults == []


def test_settled_history_is_vouched_for_byte_by_byte(filled: tuple[Store, Path]) -> None:
    store = filled[0]
    (file,) = store.segments.folder.glob("*.arrow")
    content = file.read_bytes()
    for changed in (content[:-1] + bytes([content[-1] ^ 1]), content + b"x", b""):
        file.write_bytes(changed)
        assert [fault for fault in checked(filled).faults if file.name in fault]
    file.unlink()
    assert [fault for fault in checked(filled).faults if file.name in fault]
    file.write_bytes(content)
    assert checked(filled).faults == []


def test_what_was_erased_stays_erased(filled: tuple[Store, Path]) -> None:
    store, table = filled[0], TABLES.tables["decisions"]
    erased = table.c.salt.is_(None)
    behind_the_log(store, sa.update(table).where(erased).values(body={"risk": 0.5}))
    assert [fault for fault in checked(filled).faults if "which was erased" in fault]
    behind_the_log(store, sa.update(table).where(erased).values(body={}))
    assert checked(filled).faults == []


def test_exceptions_give_their_reasons_and_tables_say_whether_they_shrink() -> None:
    assert all(len(reason.split()) > 3 for reason in unvouched_columns(TABLES).values())
    for table in TABLES.sorted_tables:
        assert set(table.info) <= {GROWING, "vouched_by"}
        assert all(set(column.info) <= {REASON, "vouched_by", "digest_of_presence"} for column in table.columns)


def test_digests_are_made_anew_only_where_the_columns_are_others(filled: tuple[Store, Path]) -> None:
    store, table = filled[0], TABLES.tables["keys"]
    behind_the_log(store, sa.update(table).values(role="admin"))
    with store.writing() as connection:
        assert renew(connection) == []  # an upgrade does not make a change right
    assert not checked(filled).holds
    behind_the_log(store, sa.update(table).values(role="clearance"))
    assert checked(filled).faults == []
