"""Erasing what is old or must go: the record keeps that it was there, and the chain that it was erased, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow.compute as pc
import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.canonical import canonical
from service.history.posting import forget_stated
from service.record.audit_log import Entry, append
from service.record.blanking import blank_erased
from service.record.emptying import Emptied, drop_replaced, empty_whole, list_emptied
from service.record.lifting import lift
from service.record.numbers_meant import numbers_meant
from service.record.record_kind import RecordKind
from service.record.record_kinds import DECISION, KINDS
from service.record.search_index import forget_consignments
from service.store.bulk_rows import delete_rows, update_rows
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import count_with_content, scanned
from service.store.tables import DECLARATIONS, ERASED, RECEPTACLES


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased, or would be: consignments, declarations, and records by the name of their kind."""

    consignments: int
    declarations: int
    records: Mapping[str, int]

    @property
    def decisions(self) -> int:
        """How many decisions."""
        return self.records["decision"]

    @property
    def outcomes(self) -> int:
        """How many inspection results."""
        return self.records["outcome"]


def chosen(store: Store, consignment_ids: list[str], lodged_before: datetime | None) -> list[str]:
    """The consignments that are meant: those named, and those lodged last before a moment."""
    wanted = set(numbers_meant(store, consignment_ids).values())
    if lodged_before is not None:
        last = sa.func.max(DECLARATIONS.c.lodged_at)
        old = sa.select(DECLARATIONS.c.consignment_id).group_by(DECLARATIONS.c.consignment_id)
        with store.reading() as connection:
            wanted |= set(connection.execute(old.having(last < micros(lodged_before))).scalars())
            for _, rows in scanned(connection, DECLARATIONS, ["consignment_id", "lodged_at"]):
                early = pc.less(rows.column("lodged_at"), micros(lodged_before))
                wanted |= set(rows.filter(early).column("consignment_id").to_pylist())
    return sorted(wanted)


def erase(
    store: Store, consignment_ids: list[str], by: str, reason: str, now: datetime, *, dry_run: bool = False
) -> Erased:
    """Erase what was declared, decided, scored and noted of consignments; raises Fault without a name and a reason.

    What stays: that a consignment was decided, its lane and its results without names (hits are counted for years), the
    sums of history and the graph of senders, which know entities by keyed hashes, and the chain.
    """
    if not dry_run and (not by.strip() or not reason.strip()):
        raise Fault("an erasure needs a name and a reason: --by NAME --reason TEXT")
    if dry_run:
        with store.reading() as connection:
            return _counted(connection, consignment_ids)
    emptied = empty_whole(store, consignment_ids)
    try:
        erased = store.write(lambda connection: _erase(connection, consignment_ids, emptied, by, reason, now))
    finally:
        drop_replaced(store, emptied)
    blank_erased(store)
    store.forget_former_pages()
    return erased


def _counted(connection: sa.Connection, ids: list[str]) -> Erased:
    def count(table: sa.Table, still: sa.ColumnElement[bool]) -> int:
        number = sa.select(sa.func.count()).select_from(table)
        chunks = (number.where(table.c.consignment_id.in_(batch), still) for batch in in_lists(ids))
        return sum(int(connection.execute(chunk).scalar_one()) for chunk in chunks)

    settled = count_with_content(connection, ids)
    records = {kind.name: count(table, table.c.salt.is_not(None)) for kind, table in _erasable()}
    records[DECISION.name] += settled
    return Erased(len(ids), settled + count(DECLARATIONS, DECLARATIONS.c.body.is_not(sa.null())), records)


def _erase(
    connection: sa.Connection, ids: list[str], emptied: Sequence[Emptied], by: str, reason: str, now: datetime
) -> Erased:
    summary = _counted(connection, ids)
    taken = [one for one in emptied if list_emptied(connection, one)]
    with_file = {name for one in taken for name in one.names}
    lift(connection, [name for name in ids if name not in with_file])
    forget_consignments(connection, ids)
    subjects = [one.segment.segment_id for one in taken]
    for batch in in_lists(ids):
        declared = DECLARATIONS.c.consignment_id.in_(batch)
        nothing = {"body": sa.null(), "content_sha256": ERASED, "archived": True}
        update_rows(connection, DECLARATIONS, nothing, declared)
        forget_stated(connection, declared)
        delete_rows(connection, RECEPTACLES, RECEPTACLES.c.consignment_id.in_(batch))
        for kind, table in _erasable():
            subjects += _erase_rows(connection, kind, table, batch)
    content = canonical({"by": by, "reason": reason}).decode()
    append(connection, [Entry("erasure", subject, content) for subject in subjects], micros(now))
    return summary


def _erasable() -> list[tuple[RecordKind, sa.Table]]:
    """List the kinds whose rows an erasure takes the content of, with their tables."""
    return [(kind, kind.table) for kind in KINDS.values() if kind.table is not None and kind.erased]


def _erase_rows(connection: sa.Connection, kind: RecordKind, table: sa.Table, ids: Sequence[str]) -> list[str]:
    """Erase what the rows of a kind say of some consignments; the subjects of their entries."""
    which = table.c.consignment_id.in_(ids) & table.c.salt.is_not(None)
    read = [*kind.columns, *([table.c.body] if kind.kept_of_body else [])]
    rows = [dict(row) for row in connection.execute(sa.select(*read).where(which)).mappings()]
    if kind.kept_of_body:
        for row in rows:
            kept = {name: row["body"][name] for name in kind.kept_of_body if name in row["body"]}
            this = sa.and_(*(column == row[column.name] for column in kind.columns))
            update_rows(connection, table, {"body": kept}, this)
    update_rows(connection, table, {"salt": None, **kind.erased}, which)
    return [kind.subject_of(row) for row in rows]
