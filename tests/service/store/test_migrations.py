"""The schema has a number: a fresh store and one that took every step are alike, and another number is refused."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.store.database import Store
from service.store.migrate import SCRIPTS, all_steps, pending_steps, refuse_unknown, run_step
from service.store.migrations.first_tables import FIRST
from service.store.schema import FIRST_NUMBERED, SCHEMA, VERSIONS, OtherSchema, schema_of
from service.store.tables import TABLES
from tests.databases import DATABASES

Schema = dict[str, dict[str, Any]]
LINES_OF_A_STEP = 80


@pytest.fixture(params=DATABASES)
def unopened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database of each kind, in which nothing was made yet."""
    address = f"sqlite:///{tmp_path / 's.db'}" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = Store(address, folder=tmp_path / "history", any_schema=True)
    yield opened
    opened.close()


def migrated(store: Store) -> None:
    """Take every step from nothing on."""
    for step in all_steps():
        with store.writing() as connection:
            run_step(connection, step)


def described(store: Store) -> Schema:
    """All that a database says of its tables; the order of columns means nothing."""
    seen = sa.inspect(store.engine)
    return {name: _table(store, seen, name) for name in seen.get_table_names()}


def _table(store: Store, seen: sa.Inspector, name: str) -> dict[str, Any]:
    columns = {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(name)}
    indexes = {
        i["name"]: (i["column_names"], i["unique"], {k: str(v) for k, v in i.get("dialect_options", {}).items()})
        for i in seen.get_indexes(name)
    }
    uniques = sorted(tuple(unique["column_names"]) for unique in seen.get_unique_constraints(name))
    key = seen.get_pk_constraint(name)
    return {
        "columns": columns, "indexes": indexes, "uniques": uniques, "key": (key["name"], key["constrained_columns"]),
        "foreign": seen.get_foreign_keys(name), "checks": seen.get_check_constraints(name),
        "without rowid": _without_rowid(store, name),
    }  # fmt: skip


def _without_rowid(store: Store, name: str) -> bool:
    if not store.is_sqlite:
        return False
    with store.reading() as connection:
        return bool(connection.exec_driver_sql(f"SELECT wr FROM pragma_table_list WHERE name = '{name}'").scalar())


def fresh_and_migrated(fresh: Store, other: Store) -> tuple[Schema, Schema]:
    """What a store says that is made at once, and one that took every step."""
    migrated(other)
    return described(fresh), described(other)


@pytest.fixture
def fresh(unopened: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store made at once, in a database of the same kind."""
    address = f"sqlite:///{tmp_path / 'f.db'}" if unopened.is_sqlite else request.getfixturevalue("other_postgresql")
    opened = Store(address)
    yield opened
    opened.close()


def test_a_fresh_store_and_one_that_took_every_step_have_the_same_schema(unopened: Store, fresh: Store) -> None:
    made, stepped = fresh_and_migrated(fresh, unopened)
    assert made.keys() == {*TABLES.tables, VERSIONS.name}
    assert {name: table for name, table in made.items() if stepped.get(name) != table} == {}
    assert stepped.keys() == made.keys()


CHANGES = {
    "a column": ["ALTER TABLE decisions ADD COLUMN added INTEGER"],
    "an index": ["CREATE INDEX added ON decisions (band)"],
    "a table": ["CREATE TABLE added (a INTEGER PRIMARY KEY)"],
    "the condition of an index": [
        "DROP INDEX decisions_given_again",
        "CREATE INDEX decisions_given_again ON decisions (call_id)",
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_comparison_sees(unopened: Store, change: str) -> None:
    migrated(unopened)
    before = described(unopened)
    with unopened.writing() as connection:
        for statement in CHANGES[change]:
            connection.exec_driver_sql(statement)
    assert described(unopened) != before


def test_the_last_step_leads_to_the_number_that_the_code_needs() -> None:
    assert [step.number for step in all_steps()] == list(range(FIRST_NUMBERED, SCHEMA + 1))


def test_every_step_is_small_and_says_what_it_does() -> None:
    files = sorted((SCRIPTS / "versions").glob("[0-9]*.py"))
    assert [int(path.name[:4]) for path in files] == [step.number for step in all_steps()]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= LINES_OF_A_STEP, path.name
        assert len(ast.get_docstring(ast.parse(text)) or "") > 20, path.name
        imported = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
        assert not imported & {"service.store.tables", "service.store.access_tables"}, f"{path.name}: tables change"


def test_a_fresh_store_is_numbered_and_opened_again_without_a_write(either_store: Store) -> None:
    asked: list[str] = []
    with either_store.reading() as connection:
        assert schema_of(connection) == SCHEMA
    sa.event.listen(sa.Engine, "before_cursor_execute", note := lambda *told: asked.append(told[2].split()[0].upper()))
    reopened(either_store).close()
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert asked
    assert not {"CREATE", "INSERT", "ALTER", "UPDATE"} & set(asked)


def test_a_new_store_costs_less_than_fifty_milliseconds(tmp_path: Path) -> None:
    costs = []
    for number in range(5):
        began = time.process_time()
        Store(f"sqlite:///{tmp_path / str(number)}.db").close()
        costs.append(time.process_time() - began)
    assert min(costs) < 0.05


def first_store(store: Store) -> None:
    """The tables of schema 1 without a number, as versions before numbers made them."""
    with store.writing() as connection:
        FIRST.create_all(connection)


def reopened(store: Store) -> Store:
    """The store as any command opens it."""
    return Store(store.engine.url.render_as_string(hide_password=False), keys=store.keys.folder)


def test_a_store_of_an_earlier_schema_is_refused_in_one_line_and_not_changed(unopened: Store) -> None:
    first_store(unopened)
    before = described(unopened)
    with pytest.raises(OtherSchema) as refused:
        reopened(unopened)
    assert str(refused.value) == f"the store has schema 1, this version needs {SCHEMA}: run `tamis upgrade`"
    assert described(unopened) == before


def test_a_store_of_a_later_schema_is_refused(either_store: Store) -> None:
    with either_store.writing() as connection:
        connection.execute(sa.update(VERSIONS).values(version_num="9999"))
    with pytest.raises(OtherSchema, match=r"schema 9999 and was made by a later version"):
        reopened(either_store)


def test_a_store_without_a_number_is_known_by_its_tables(unopened: Store) -> None:
    first_store(unopened)
    with unopened.writing() as connection:
        connection.exec_driver_sql("DROP TABLE accounts")  # no command that knows accounts has opened it
        connection.exec_driver_sql("DROP INDEX declarations_unposted")
        connection.exec_driver_sql("CREATE TABLE of_somebody_else (a INTEGER)")
    with unopened.writing() as connection:
        refuse_unknown(connection)
        assert [step.number for step in pending_steps(connection, 1)] == list(range(1, SCHEMA + 1))
    migrated(unopened)
    reopened(unopened).close()
    assert "declarations_unposted" in {
        index["name"] for index in sa.inspect(unopened.engine).get_indexes("declarations")
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE running DROP COLUMN pieces", "table running lacks pieces"),
        ("ALTER TABLE lists ADD COLUMN added INTEGER", "table lists has also added"),
    ],
)
def test_a_store_with_other_tables_is_refused_with_what_is_other(unopened: Store, change: str, said: str) -> None:
    first_store(unopened)
    with unopened.writing() as connection:
        connection.exec_driver_sql(change)
    with unopened.reading() as connection, pytest.raises(OtherSchema, match=said):
        refuse_unknown(connection)


def test_content_that_is_not_kept_is_null_after_the_upgrade(unopened: Store) -> None:
    first_store(unopened)
    declarations = FIRST.tables["declarations"]
    row = {"message_id": "M", "version": 1, "lodged_at": 1, "content_sha256": "", "stated": {}, "archived": True,
           "posted": True}  # fmt: skip
    with unopened.writing() as connection:
        for number, body in (("A", None), ("B", {"a": None}), ("C", "null")):
            connection.execute(sa.insert(declarations).values(**row, consignment_id=number, body=body))
    absent = sa.text("SELECT consignment_id FROM declarations WHERE body IS NULL")
    with unopened.reading() as connection:
        assert connection.execute(absent).all() == []
    migrated(unopened)
    with unopened.reading() as connection:
        assert connection.execute(absent).scalars().all() == ["A"]
