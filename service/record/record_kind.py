"""One kind of entry on the audit log: whose rows it vouches for, what an erasure takes of them, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.record.audit_log import Entry, append, new_salt
from service.store.bulk_rows import insert_row
from service.store.queries import in_lists
from service.store.tables import CHAIN

Row = Mapping[str, Any]
Words = Mapping[str, str]  # by language
Key = tuple[Any, ...]
Examine = Callable[[sa.Connection, Row, str], str | None]
About = Callable[[sa.Connection, str], sa.ColumnElement[bool]]


def details_of_note(entry: Row) -> dict[str, Any]:
    """Read what a note says: its entry holds all of it in plain words."""
    return dict(json.loads(entry["content"]))


def is_erased(row: Row) -> bool:
    """Say whether the content of a row was erased: then its salt is gone too."""
    return "salt" in row and row["salt"] is None


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of entry, walked by verification, erasure, dossier and timeline.

    name: as the log has it. noun: as a fault calls it. title: its heading in a timeline, by the row it is about.
    details: what a timeline says of it, from the row (of a note, from the entry).
    table: whose rows its entries vouch for; none for a note, which holds all of it itself.
    key: the columns that a subject names, behind its prefix. read_subject: for a subject that is built otherwise.
    content: what the entry must hold of a row. agrees: whether columns that the content does not hold say the same.
    query: the row with all that its content needs. examine: makes, for one
    verification, what compares a row with its entry where more than the content is to be compared.
    about: which rows are about a consignment; by its number where the table has that column.
    vouched_besides: selects the subjects of rows that other entries vouch for, and verification looks at by themselves.
    erased: column values after an erasure. kept_of_body: the fields of `body` that stay; all rows that can be erased
    have a `salt`. follows: whether its subjects are those of other entries, as those of an erasure are.
    """

    name: str
    noun: str
    title: Callable[[Row], Words]
    details: Callable[[Row], Mapping[str, Any]] = details_of_note
    table: sa.Table | None = None
    key: tuple[str, ...] = ()
    prefix: str = ""
    read_subject: Callable[[str], Key] | None = None
    content: Callable[[Row], str] | None = None
    agrees: Callable[[Row], bool] | None = None
    query: Callable[[], sa.Select[Any]] | None = None
    examine: Callable[[], Examine] | None = None
    about: About | None = None
    vouched_besides: Callable[[], sa.Select[Any]] | None = None
    erased: Mapping[str, Any] = field(default_factory=dict)
    kept_of_body: tuple[str, ...] = ()
    follows: bool = False

    @property
    def columns(self) -> list[sa.Column[Any]]:
        """The columns of its table that a subject names."""
        return [] if self.table is None else [self.table.c[name] for name in self.key]

    def subject_of(self, row: Row) -> str:
        """Name a row as its entry does."""
        return f"{self.prefix}{row[self.key[0]]}"

    def details_left(self, row: Row) -> Mapping[str, Any]:
        """Give what a timeline says of a row; nothing once it was erased."""
        return {} if is_erased(row) else self.details(row)

    def key_of(self, subject: str) -> Key | None:
        """Read which row a subject names; None for one that names no row."""
        try:
            if self.read_subject is not None:
                return self.read_subject(subject)
            text = subject.removeprefix(self.prefix)
            return (int(text) if isinstance(self.columns[0].type, sa.Integer) else text,)
        except (ValueError, KeyError, TypeError):
            return None

    def rows(self, connection: sa.Connection, subjects: Iterable[str]) -> dict[str, Row]:
        """Look up the rows that subjects name, with all that their content needs."""
        keys = {subject: key for subject in subjects if (key := self.key_of(subject)) is not None}
        found: dict[Key, Row] = {}
        for batch in in_lists(list(dict.fromkeys(keys.values()))):
            for row in connection.execute(self._select().where(self._among(batch))).mappings():
                found[tuple(row[name] for name in self.key)] = dict(row)
        return {subject: found[key] for subject, key in keys.items() if key in found}

    def rows_about(self, connection: sa.Connection, consignment_id: str) -> list[Row]:
        """Look up the rows about a consignment, in the order of their keys."""
        if self.table is None:
            return []
        if self.about is not None:
            which = self.about(connection, consignment_id)
        elif "consignment_id" in self.table.c:
            which = self.table.c.consignment_id == consignment_id
        else:
            return []
        found = connection.execute(sa.select(self.table).where(which).order_by(*self.columns))
        return [dict(row) for row in found.mappings()]

    def unvouched(self, connection: sa.Connection) -> int:
        """Count the rows that no entry vouches for."""
        if self.table is None:
            return 0
        subjects = sa.select(CHAIN.c.subject).where(CHAIN.c.kind == self.name)
        if self.read_subject is not None:
            vouched = {self.key_of(subject) for subject in connection.execute(subjects).scalars()}
            return sum(tuple(row) not in vouched for row in connection.execute(sa.select(*self.columns)))
        (column,) = self.columns
        named = self.prefix + sa.cast(column, sa.String) if self.prefix else sa.cast(column, sa.String)
        loose = sa.select(sa.func.count()).select_from(self.table).where(named.not_in(subjects))
        if self.vouched_besides is not None:
            loose = loose.where(named.not_in(self.vouched_besides()))
        return int(connection.execute(loose).scalar_one())

    def examiner(self) -> Examine:
        """Make what compares a row with the content of its entry; it gives the fault in words, or None."""
        return self._compare if self.examine is None else self.examine()

    def _compare(self, connection: sa.Connection, row: Row, content: str) -> str | None:  # noqa: ARG002 - an Examine
        same = self.content is not None and self.content(row) == content
        if same and (self.agrees is None or self.agrees(row)):
            return None
        return f"its {self.noun} was changed"

    def _among(self, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
        if len(self.columns) == 1:
            return self.columns[0].in_([key[0] for key in keys])
        return sa.tuple_(*self.columns).in_(keys)

    def _select(self) -> sa.Select[Any]:
        if self.query is not None:
            return self.query()
        if self.table is None:
            raise ValueError(f"{self.name} is a note: it has no rows")
        return sa.select(self.table)


def sign(connection: sa.Connection, kind: RecordKind, row: Mapping[str, Any], at: int) -> str:
    """Insert a row of a kind with a salt of its own and put its entry on the log; the entry's subject."""
    if kind.table is None or kind.content is None:
        raise ValueError(f"{kind.name} has no rows of its own to sign")
    salted_row = {**row, "salt": new_salt()}
    inserted = insert_row(connection, kind.table, salted_row)
    subject = kind.subject_of(inserted)
    append(connection, [Entry(kind.name, subject, kind.content(inserted))], at)
    return subject


def entries_about(connection: sa.Connection, kind: str, subjects: Sequence[str]) -> list[Row]:
    """Look up the entries of a kind that have these subjects."""
    found: list[Row] = []
    for batch in in_lists(subjects):
        query = sa.select(CHAIN).where(CHAIN.c.kind == kind, CHAIN.c.subject.in_(batch))
        found += [dict(row) for row in connection.execute(query).mappings()]
    return found
