"""Item messages that are sent again after a dispatch list: the receptacle that the list names is no other content.

An item message that names no receptacle is completed from the dispatch lists that are on record when it comes. Sent
again after such a list, it would differ from what it was; it is the same message, and stands as it is on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from service.record.consignment_versions import Key, KnownVersion, key_of
from service.record.record_rows import sha256_of_body
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS, RECEPTACLES

RECEPTACLE = "transport_id"
Declared = dict[str, Any]


def as_on_record(
    connection: sa.Connection,
    declared: Sequence[Declared],
    known: Mapping[Key, KnownVersion],
    whole: Callable[[list[int]], Sequence[Declared]],
) -> list[Declared]:
    """Return rows of declarations, those that only a dispatch list has changed as they are on record.

    whole: the rows at these places with their bodies.
    """
    rows = list(declared)
    changed = [at for at, row in enumerate(rows) if _differs(row, known)]
    if not changed:
        return rows
    bodies = [row["body"] for row in whole(changed)]
    assigned = _assigned(connection, [rows[at]["consignment_id"] for at in changed])
    before = _receptacles_on_record(connection, [rows[at]["consignment_id"] for at in changed])
    for at, body in zip(changed, bodies, strict=True):
        key = key_of(rows[at])
        if body.get(RECEPTACLE) not in assigned.get(key[1], ()):
            continue
        for receptacle in {None, before.get(key)}:
            then = {name: value for name, value in body.items() if name != RECEPTACLE}
            then |= {RECEPTACLE: receptacle} if receptacle else {}
            if sha256_of_body(then) == known[key].content_sha256:
                rows[at] = rows[at] | {"content_sha256": known[key].content_sha256}
                rows[at]["body"] = then if rows[at]["body"] is not None else None
    return rows


def _differs(row: Declared, known: Mapping[Key, KnownVersion]) -> bool:
    stands = known.get(key_of(row))
    return stands is not None and stands.content_sha256 != row["content_sha256"]


def _assigned(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, set[str]]:
    """Return the receptacles that dispatch lists name for items."""
    found: dict[str, set[str]] = {}
    for batch in in_lists(numbers):
        query = sa.select(RECEPTACLES.c.consignment_id, RECEPTACLES.c.receptacle)
        for item, receptacle in connection.execute(query.where(RECEPTACLES.c.consignment_id.in_(batch))):
            found.setdefault(item, set()).add(receptacle)
    return found


def _receptacles_on_record(connection: sa.Connection, numbers: Sequence[str]) -> dict[Key, str | None]:
    """Return the receptacle of every version on record of these items, where its content is on record."""
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.body]
    found: dict[Key, str | None] = {}
    for batch in in_lists(numbers):
        query = sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(batch))
        for row in connection.execute(query):
            found[row[0], row[1], row[2]] = (row[3] or {}).get(RECEPTACLE)
    for settled in declared_of(connection, (*VERSION_KEY, "body"), list(dict.fromkeys(numbers))):
        found[key_of(settled)] = (settled["body"] or {}).get(RECEPTACLE)
    return found
