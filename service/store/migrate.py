"""The steps from one schema to the next: Alembic's scripts, one transaction each, run without any file of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.store.migrations.first_tables import FIRST
from service.store.schema import FIRST_NUMBERED, VERSIONS, OtherSchema, is_numbered, revision_of

SCRIPTS = Path(__file__).with_name("migrations")
MAY_LACK = ("add_table", "add_index")  # what the first step adds to a store from before schemas were numbered


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema: the number that it leads to, what it does in a sentence, and its script."""

    number: int
    meaning: str
    change: Callable[[], None]


@cache
def all_steps() -> tuple[Step, ...]:
    """Every step there is, in order; raises ValueError where their numbers leave a gap."""
    scripts = list(ScriptDirectory(str(SCRIPTS)).walk_revisions())[::-1]
    steps = tuple(
        Step(int(script.revision), inspect.cleandoc(script.module.__doc__ or ""), script.module.upgrade)
        for script in scripts
    )
    if [step.number for step in steps] != list(range(FIRST_NUMBERED, len(steps) + FIRST_NUMBERED)):
        raise ValueError("the numbers of the migrations must follow one another")
    return steps


def pending_steps(connection: sa.Connection, number: int) -> list[Step]:
    """The steps that a store of a schema still needs; the first one too where it was never numbered."""
    done = number if is_numbered(connection) else number - 1
    return [step for step in all_steps() if step.number > done]


def run_step(connection: sa.Connection, step: Step) -> None:
    """Change the schema and its number in the caller's transaction."""
    if step.number == FIRST_NUMBERED:
        VERSIONS.create(connection, checkfirst=True)
    with Operations.context(MigrationContext.configure(connection)):
        step.change()
    connection.execute(sa.delete(VERSIONS))
    connection.execute(sa.insert(VERSIONS).values(version_num=revision_of(step.number)))


def refuse_unknown(connection: sa.Connection) -> None:
    """Look whether a store without a number has the tables of the first schema; raises OtherSchema where it has not."""
    found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), FIRST)
    other = [change for change in found if _operation(change) not in MAY_LACK and not _of_strangers(change)]
    if other:
        raise OtherSchema(
            f"the store has no schema number, and its tables are not those of schema {FIRST_NUMBERED} "
            f"({_said(other[0])}); no upgrade leads from it: open a new store and ingest the archive into it"
        )


def _operation(change: Any) -> str:
    return str(change[0] if isinstance(change, tuple) else change[0][0])


def _of_strangers(change: Any) -> bool:
    """Whether it is about a table that another product keeps in the same database."""
    return isinstance(change, tuple) and change[0] in ("remove_table", "remove_index") and _table(change) not in FIRST


def _table(change: tuple[Any, ...]) -> str:
    return str(change[1].name if change[0] == "remove_table" else change[1].table.name)


def _said(change: Any) -> str:
    """A difference in words: which column of which table."""
    if isinstance(change, tuple):
        if change[0] in ("add_column", "remove_column"):
            verb = "lacks" if change[0] == "add_column" else "has also"
            return f"table {change[2]} {verb} {change[3].name}"
        return f"{change[0].replace('_', ' ')} of table {_table(change) if 'remove' in change[0] else change[1]}"
    _, _, table, column, *_ = change[0]
    return f"table {table}: column {column} is another one"
