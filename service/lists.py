"""Watch lists: imported in versions, activated at one moment, and by a second person where a list shrinks too much."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.intelligence import Listed, read_list, subjects_of
from features.parties.evidence import SURE, level_of
from features.parties.linking import code_of
from features.parties.meanwhile import LISTED
from service.chain import Entry, append
from service.posting import set_state, state_of
from service.scoring.signature import canonical
from service.store import Store
from service.stored_graph import StoredGraph
from service.tables import LISTS
from service.waking import wake_for_lists

REPORT_EXPIRES = 365 * 86_400_000_000  # microseconds; nobody looks after a report as somebody does after a list
SHRUNK = 0.2  # share of subjects that may go missing before a second person has to look
LISTS_AS_OF = "lists_as_of"
LISTS_CHECKED = "lists_checked"
WATCHED, REPORTS = "list", "reports"  # what a list is: a watch list or a dossier, or what consumers and platforms say
Subjects = dict[str, dict[str, Any]]  # subject → card, label, evidence


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a version: its number and status, what it adds, takes away and leaves, and what was not read.

    woken: decisions on record that are given again, as the list tells of their networks.
    """

    list_id: str
    version: int
    status: str
    added: int
    removed: int
    same: int
    problems: list[dict[str, Any]]
    woken: int = 0


def import_list(
    store: Store,
    list_id: str,
    content: bytes,
    *,
    source: str,
    by: str,
    at: int,
    expires_at: int | None = None,
    reports: bool = False,
) -> Imported:
    """Read a list and activate it, all of it at one moment; only what changed is screened anew.

    A version that lacks a fifth of what the active one holds waits for a second person. The same bytes again change
    nothing. at, expires_at: microseconds since 1970. reports: what consumers and platforms say, each subject one
    report: counted apart from lists, over after a year, and no decision is given again for it. Raises Unreadable where
    nothing can be read.
    """
    if not by.strip() or not list_id.strip():
        raise Fault("a list needs an identifier and the name of who imports it")
    kind, until = (REPORTS, expires_at or at + REPORT_EXPIRES) if reports else (WATCHED, expires_at)
    listed = read_list(content, source)
    subjects = _as_subjects(list_id, listed)
    digest = hashlib.sha256(content).hexdigest()
    with store.writing() as connection:
        active = _active(connection, list_id)
        before: Subjects = dict(active.subjects) if active is not None else {}
        added, removed, same = _difference(before, subjects)
        if active is not None and active.kind != kind:
            raise Fault(f"{list_id} was imported as {active.kind} before; give it another identifier")
        if active is not None and active.sha256 == digest:
            _look_after(connection, active, at)
            return Imported(list_id, active.version, "active", 0, 0, len(same), listed.problems)
        version = 1 + (connection.execute(_numbers(list_id)).scalar() or 0)
        waits = len(set(before) - set(subjects)) >= SHRUNK * len(before) and bool(before)
        row = {
            "list_id": list_id,
            "version": version,
            "kind": kind,
            "status": "waiting",
            "source": source,
            "format": listed.format,
            "sha256": digest,
            "imported_by": by,
            "imported_at": at,
            "expires_at": until,
            "subjects": subjects,
        }
        connection.execute(sa.insert(LISTS), [row | {"checked_at": at}])
        _on_chain(connection, list_id, version, "imported", by, at)
        woken = 0 if waits else _activate(connection, list_id, version, None, at)
    status, counts = "waiting" if waits else "active", (len(added), len(removed), len(same))
    return Imported(list_id, version, status, *counts, listed.problems, woken)


def decide(store: Store, list_id: str, *, by: str, at: int, activate: bool) -> tuple[int, int]:
    """A second person activates or refuses the version that waits: its number, and how many decisions are given again.

    Raises Fault for the first person.
    """
    with store.writing() as connection:
        query = sa.select(LISTS).where(LISTS.c.list_id == list_id, LISTS.c.status == "waiting")
        waiting = connection.execute(query.order_by(LISTS.c.version.desc())).first()
        if waiting is None:
            raise Fault("no version of the list waits; `tamis lists show` tells what there is")
        if not by.strip() or by.strip().lower() == waiting.imported_by.strip().lower():
            raise Fault("who imported a version cannot decide on it; a second person does, with --by NAME")
        others = (LISTS.c.list_id == list_id, LISTS.c.status == "waiting")
        connection.execute(sa.update(LISTS).where(*others).values(status="refused", approved_by=by))
        if activate:
            return int(waiting.version), _activate(connection, list_id, waiting.version, by, at)
        _on_chain(connection, list_id, int(waiting.version), "refused", by, at)
        return int(waiting.version), 0


def expire(store: Store, now: int) -> int:
    """Take away every list whose time is over; how many."""
    with store.writing() as connection:
        over = connection.execute(sa.select(LISTS).where(LISTS.c.status == "active", LISTS.c.expires_at <= now)).all()
        for row in over:
            _replace(connection, dict(row.subjects), {}, now, row.kind)
            _end(connection, row.list_id, row.version, "expired", now)
            _on_chain(connection, row.list_id, int(row.version), "expired", "", now)
        if over:
            _set_checked(connection)
            set_state(connection, LISTS_AS_OF, now)
    return len(over)


def overview(store: Store) -> list[dict[str, Any]]:
    """Every version of every list without its subjects, the newest first."""
    columns = [column for column in LISTS.c if column.name != "subjects"]
    with store.reading() as connection:
        rows = connection.execute(sa.select(*columns).order_by(LISTS.c.list_id, LISTS.c.version.desc()))
        return [dict(row) for row in rows.mappings()]


def listed_ever(store: Store) -> pl.DataFrame:
    """The card of every subject that was ever active, its evidence, and from when until when (LISTED)."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(LISTS).where(LISTS.c.active_from.is_not(None))).all()
    told = [
        (subject["entity"], subject["values"], row.active_from, row.active_until, row.kind == REPORTS)
        for row in rows
        for subject in row.subjects.values()
    ]
    return pl.DataFrame(told, schema=LISTED, orient="row")


def subjects_named(connection: sa.Connection, cards: Collection[int]) -> dict[int, dict[str, str]]:
    """Of subjects of active lists, by card: which list tells of them, its kind and source, and what it calls them."""
    if not cards:
        return {}
    active = connection.execute(sa.select(LISTS).where(LISTS.c.status == "active").order_by(LISTS.c.list_id))
    return {
        subject["entity"]: {"list": row.list_id, "source": row.source, "kind": row.kind, "label": subject["label"]}
        for row in active
        for subject in row.subjects.values()
        if subject["entity"] in cards
    }


def lists_checked(connection: sa.Connection) -> int | None:
    """When the active list that was imported longest ago was imported last, changed or not; none where there is none.

    Microseconds since 1970.
    """
    return state_of(connection, LISTS_CHECKED) or None


def lists_as_of(connection: sa.Connection) -> int | None:
    """When a list was last activated or ended, microseconds since 1970; none where there never was one."""
    return state_of(connection, LISTS_AS_OF)


def _as_subjects(list_id: str, listed: Listed) -> Subjects:
    names = ("entity", "label", "values")
    told = subjects_of(list_id, listed.statements).to_dicts()
    return {subject["subject_id"]: {name: subject[name] for name in names} for subject in told}


def _numbers(list_id: str) -> Any:
    return sa.select(sa.func.max(LISTS.c.version)).where(LISTS.c.list_id == list_id)


def _active(connection: sa.Connection, list_id: str) -> Any:
    return connection.execute(sa.select(LISTS).where(LISTS.c.list_id == list_id, LISTS.c.status == "active")).first()


def _difference(before: Subjects, after: Subjects) -> tuple[set[str], set[str], set[str]]:
    """Subjects that are new or changed, that are gone or changed, and that stay as they are."""
    same = {subject for subject, told in after.items() if before.get(subject, {}).get("values") == told["values"]}
    return set(after) - same, set(before) - same, same


def _activate(connection: sa.Connection, list_id: str, version: int, by: str | None, at: int) -> int:
    """Put a version in the place of the active one; how many decisions are given again as it tells of them."""
    active = _active(connection, list_id)
    own = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    row = connection.execute(sa.select(LISTS).where(*own)).one()
    before = dict(active.subjects) if active is not None else {}
    told_of = _replace(connection, before, dict(row.subjects), at, row.kind)
    if active is not None:
        _end(connection, list_id, active.version, "replaced", at)
    connection.execute(sa.update(LISTS).where(*own).values(status="active", approved_by=by, active_from=at))
    set_state(connection, LISTS_AS_OF, at)
    _set_checked(connection)
    _on_chain(connection, list_id, version, "activated", by or row.imported_by, at)
    return wake_for_lists(connection, told_of, at) if row.kind == WATCHED else 0


def _look_after(connection: sa.Connection, active: Any, at: int) -> None:
    """Note that the active version was imported once more, unchanged."""
    own = (LISTS.c.list_id == active.list_id, LISTS.c.version == active.version)
    connection.execute(sa.update(LISTS).where(*own).values(checked_at=at))
    _set_checked(connection)


def _set_checked(connection: sa.Connection) -> None:
    """Remember how long ago the list that was imported longest ago was looked after; the same bytes count too."""
    watched = (LISTS.c.status == "active", LISTS.c.kind == WATCHED)
    oldest = connection.execute(sa.select(sa.func.min(LISTS.c.checked_at)).where(*watched)).scalar()
    set_state(connection, LISTS_CHECKED, oldest or 0)


def content_of(row: Any) -> str:
    """What the chain holds of a version of a list: its kind, the hashes of its bytes and of what counts of it."""
    return canonical(
        {"sha256": row.sha256, "kind": row.kind, "subjects": hashlib.sha256(canonical(row.subjects)).hexdigest()}
    ).decode()


def _on_chain(connection: sa.Connection, list_id: str, version: int, what: str, by: str, at: int) -> None:
    own = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    content = content_of(connection.execute(sa.select(LISTS).where(*own)).one())
    subject = canonical({"list": list_id, "version": version, "what": what, "by": by}).decode()
    append(connection, [Entry("list", subject, content)], at)


def _end(connection: sa.Connection, list_id: str, version: int, status: str, at: int) -> None:
    own = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    connection.execute(sa.update(LISTS).where(*own).values(status=status, active_until=at))


def _replace(connection: sa.Connection, before: Subjects, after: Subjects, at: int, kind: str) -> list[str]:
    """Cards of what is gone away, cards of what is new in; networks follow. The codes of those that the new tell of."""
    added, removed, _ = _difference(before, after)
    graph = StoredGraph(connection)
    touched = [before[subject] for subject in removed] + [after[subject] for subject in added]
    graph.prefetch([t["entity"] for t in touched], [value for t in touched for value in t["values"]])
    for subject in sorted(removed):
        graph.remove(before[subject]["entity"])
    for subject in sorted(added):
        graph.add(after[subject]["entity"], after[subject]["values"], at, listed=True, reported=kind == REPORTS)
    graph.write()
    return sorted({code_of("N", card) for subject in added for card in _told_of(graph, after[subject])})


def _told_of(graph: StoredGraph, subject: dict[str, Any]) -> set[int]:
    """The cards that a subject of a list tells of: its network, and who shares an identifier or a rare name with it."""
    sure = (value for value in subject["values"] if level_of(value) in SURE and not graph.is_hub(value))
    cards = {subject["entity"], *(card for value in sure for card in graph.stated_by.get(value, ()))}
    return {member for card in cards for member in graph.members[graph.network_of[card]]}
