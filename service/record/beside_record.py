"""What is sent beside what is on record: which versions are known, whose they are, and what was decided about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from service.record.claims import claim
from service.record.consignment_versions import Conflict, Gone, Key, Version, decided_before, key_of, known_versions
from service.record.ownership import Sender
from service.record.stowed_later import as_on_record
from service.record.transfers import Transfer

Declared = dict[str, Any]


class Part(NamedTuple):
    """Rows of declarations beside the record.

    declared: the rows as they are kept, with whose they are. versions: of each, whether it is known. absent: rows that
    are not on record. amended: their consignments of which other versions are. passing: what passes to another office
    by them.
    """

    declared: list[Declared]
    versions: list[Version]
    absent: list[Declared]
    amended: list[str]
    passing: list[Transfer]


def part_beside(
    connection: sa.Connection,
    declared: Sequence[Declared],
    senders: Sequence[Sender],
    whole: Callable[[Sequence[int]], Sequence[Declared]],
) -> Part:
    """Look rows of declarations up; raises OfAnother where a sender may not send them, and writes nothing.

    whole: the rows at some places with their bodies.
    """
    known = known_versions(connection, list(declared))
    rows = as_on_record(connection, declared, known, whole)
    passing = claim(connection, rows, senders, known)
    absent = [row for row in rows if key_of(row) not in known]
    amended = {key[1] for key in known} & {row["consignment_id"] for row in absent}
    return Part(rows, [Version.of(row, known) for row in rows], absent, sorted(amended), passing)


def refuse_changed(versions: Sequence[Version]) -> None:
    """Raise Conflict where versions on record have another content."""
    if changed := [version.key[1] for version in versions if version.changed]:
        raise Conflict(changed)


def decided_on(connection: sa.Connection, versions: Sequence[Version]) -> dict[Key, dict[str, Any]]:
    """Return the decisions on record of these versions; raises Gone where one was erased."""
    if gone := [version.key[1] for version in versions if version.gone]:
        raise Gone(gone)
    stored = decided_before(connection, [version.key for version in versions if version.known])
    if gone := [key[1] for key, body in stored.items() if not body]:
        raise Gone(gone)
    return stored
