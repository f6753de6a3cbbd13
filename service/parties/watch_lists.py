"""Watch lists: imported in versions and activated at once, or by a second person where a list shrinks too much."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.intelligence import Delivery, Listed, read_list, subjects_of
from features.parties.evidence import SURE, level_of
from features.parties.graph_timeline import LISTED
from service.canonical import canonical
from service.parties.listed_addressees import as_addressees, consignments_to
from service.parties.replayed_lists import ADDRESSED
from service.parties.stored_graph import StoredGraph
from service.record.audit_log import Entry, append
from service.record.reassessment_marks import wake_for_lists
from service.record.record_kinds import list_content
from service.record.search_index import catch_up
from service.store.bulk_rows import delete_rows, insert_many, insert_row, update_rows
from service.store.database import Store
from service.store.pseudonyms import Pseudonyms
from service.store.queries import set_state, state_of
from service.store.store_key import pseudonyms_in
from service.store.tables import LISTED_VALUES, LISTS

REPORT_EXPIRES = 365 * 86_400_000_000  # microseconds; unlike lists, reports are not maintained
REPORTS_ASK = 3  # reports on a network from which all that it lodged lately is decided again
OF_GOODS = ("brand", "title")  # properties that describe goods
SHRUNK = 0.2  # share of missing subjects from which a second person has to approve
LISTS_AS_OF = "lists_as_of"
LISTS_CHECKED = "lists_checked"
WATCHED, REPORTS = "list", "reports"  # kind of list: watch list or dossier; reports of consumers and platforms
Subjects = dict[str, dict[str, Any]]  # subject → card, label, evidence


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: number and status of the version, subjects added, removed and kept, unreadable rows.

    woken: decisions on record that are given again, as the list names subjects in their networks. account: what was
    read and what was left out, by kind and reason (`Listed.account`).
    """

    list_id: str
    version: int
    status: str
    added: int
    removed: int
    same: int
    problems: list[dict[str, Any]]
    woken: int = 0
    account: dict[str, Any] = field(default_factory=dict)


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
    delivery: Delivery | None = None,
    second_person: bool = False,
) -> Imported:
    """Read a list and activate it as a whole at one moment; only changes are screened again.

    A version that lacks a fifth of the active one waits for a second person, as does any where second_person asks for
    that. The same bytes again change nothing, unless an upgrade has changed how they are read. at, expires_at:
    microseconds since 1970. reports: statements of consumers and platforms, each subject a report: counted apart from
    lists, expiring after a year; three on a network let what it lodged lately be decided again. delivery: how the
    tables of a platform are read. Raises Unreadable where nothing can be read.
    """
    if not by.strip() or not list_id.strip():
        raise Fault("a list needs an identifier, and --by NAME")
    kind, until = (REPORTS, expires_at or at + REPORT_EXPIRES) if reports else (WATCHED, expires_at)
    listed = read_list(content, source, delivery)
    catch_up(store)  # so that what was decided before the list is found by it
    subjects = _as_subjects(list_id, listed, store.pseudonyms, reports=reports)
    digest = hashlib.sha256(content).hexdigest()
    row = {
        "list_id": list_id, "kind": kind, "source": source, "format": listed.format, "sha256": digest,
        "imported_by": by, "imported_at": at, "checked_at": at, "expires_at": until, "subjects": subjects,
    }  # fmt: skip
    with store.writing() as connection:
        active = _active(connection, list_id)
        before: Subjects = dict(active.subjects) if active is not None else {}
        added, removed, same = _difference(before, subjects)
        if active is not None and active.kind != kind:
            raise Fault(f"{list_id} was imported as {active.kind} before; give it another identifier")
        if active is not None and active.sha256 == digest and not (added or removed):
            _look_after(connection, active, at)
            counts = (0, 0, len(same))
            return Imported(list_id, active.version, "active", *counts, listed.problems, account=listed.account())
        version = _add_waiting(connection, row)
        shrunk = len(set(before) - set(subjects)) >= SHRUNK * len(before) and bool(before)
        waits = shrunk or second_person
        woken = 0 if waits else _activate(connection, list_id, version, None, at)
    status, counts = "waiting" if waits else "active", (len(added), len(removed), len(same))
    return Imported(list_id, version, status, *counts, listed.problems, woken, listed.account())


def decide(store: Store, list_id: str, *, by: str, at: int, activate: bool) -> tuple[int, int]:
    """Activate or refuse the waiting version as a second person; returns its number and how many decisions to repeat.

    Raises Fault for the first person.
    """
    catch_up(store)
    with store.writing() as connection:
        query = sa.select(LISTS).where(LISTS.c.list_id == list_id, LISTS.c.status == "waiting")
        waiting = connection.execute(query.order_by(LISTS.c.version.desc())).first()
        if waiting is None:
            raise Fault("no version of this list is awaiting approval; `tamis lists show` shows the versions")
        if not by.strip() or by.strip().lower() == waiting.imported_by.strip().lower():
            raise Fault(
                "four-eyes rule: whoever imported a version cannot approve it; ask a colleague to run it with --by NAME"
            )
        others = (LISTS.c.list_id == list_id, LISTS.c.status == "waiting")
        update_rows(connection, LISTS, {"status": "refused", "approved_by": by}, *others)
        if activate:
            return int(waiting.version), _activate(connection, list_id, waiting.version, by, at)
        _log(connection, list_id, int(waiting.version), "refused", by, at)
        return int(waiting.version), 0


def expire(store: Store, now: int) -> int:
    """Remove every list that has expired; returns their number."""
    with store.writing() as connection:
        over = connection.execute(sa.select(LISTS).where(LISTS.c.status == "active", LISTS.c.expires_at <= now)).all()
        for row in over:
            _replace(connection, dict(row.subjects), {}, now, row.kind)
            delete_rows(connection, LISTED_VALUES, LISTED_VALUES.c.list_id == row.list_id)
            _end(connection, row.list_id, row.version, "expired", now)
            _log(connection, row.list_id, int(row.version), "expired", "", now)
        if over:
            _set_checked(connection)
            set_state(connection, LISTS_AS_OF, now)
    return len(over)


def overview(store: Store) -> list[dict[str, Any]]:
    """Return every version of every list without its subjects, the newest first."""
    columns = [column for column in LISTS.c if column.name != "subjects"]
    with store.reading() as connection:
        rows = connection.execute(sa.select(*columns).order_by(LISTS.c.list_id, LISTS.c.version.desc()))
        return [dict(row) for row in rows.mappings()]


def listed_ever(store: Store) -> pl.DataFrame:
    """Return the card of every subject that was ever active, its evidence, and its period (LISTED)."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(LISTS).where(LISTS.c.active_from.is_not(None))).all()
    subjects = [
        (subject["entity"], subject["values"], row.active_from, row.active_until, row.kind == REPORTS)
        for row in rows
        for subject in row.subjects.values()
    ]
    frame = pl.DataFrame(subjects, schema=LISTED, orient="row")
    return store.pseudonyms.plain_columns(frame, "entity", "values")


def addressees_ever(store: Store) -> pl.DataFrame:
    """Return by what each watch list that was ever active compared addressees, and its period (ADDRESSED)."""
    which = (LISTS.c.active_from.is_not(None), LISTS.c.kind == WATCHED)
    with store.reading() as connection:
        rows = connection.execute(sa.select(LISTS).where(*which)).all()
    subjects = [
        (row.list_id, subject["entity"], [*subject["values"], *subject.get("named_within", ())], *_period(row))
        for row in rows
        for subject in row.subjects.values()
    ]
    frame = pl.DataFrame(subjects, schema=ADDRESSED, orient="row")
    return store.pseudonyms.plain_columns(frame, "entity", "values")


def _period(row: Any) -> tuple[int, int | None]:
    return row.active_from, row.active_until


def subjects_named(connection: sa.Connection, cards: Collection[int]) -> dict[int, dict[str, str]]:
    """Return by card, for subjects of active lists, the list, its kind and source, and the label of the subject."""
    if not cards:
        return {}
    asked = list(cards)
    card_of = dict(zip(pseudonyms_in(connection).keyed_list(asked), asked, strict=True))
    active = connection.execute(sa.select(LISTS).where(LISTS.c.status == "active").order_by(LISTS.c.list_id))
    return {
        card_of[subject["entity"]]: {
            **{"list": row.list_id, "source": row.source, "kind": row.kind},
            "label": subject["label"],
        }
        for row in active
        for subject in row.subjects.values()
        if subject["entity"] in card_of
    }


def lists_checked(connection: sa.Connection) -> int | None:
    """Return when the least recently imported active list was last imported, changed or not; none without a list.

    Microseconds since 1970.
    """
    return state_of(connection, LISTS_CHECKED) or None


def lists_as_of(connection: sa.Connection) -> int | None:
    """Return when a list was last activated or ended, microseconds since 1970; none where there never was one."""
    return state_of(connection, LISTS_AS_OF)


def _as_subjects(list_id: str, listed: Listed, pseudonyms: Pseudonyms, *, reports: bool) -> Subjects:
    """Return subjects as the store keeps them, with keyed hashes; their values in the order of the plain ones.

    named_within: how they are found as addressees besides, see `as_addressees`. found_by: how search finds them.
    goods: of reports, what they complain of.
    """
    names = ("entity", "label", "values")
    rows = pseudonyms.keyed_columns(subjects_of(list_id, listed.statements), "entity", "values").to_dicts()
    beside = as_addressees(listed.statements, pseudonyms)
    goods = _goods_of(listed.statements) if reports else {}
    return {
        subject["subject_id"]: {
            **{n: subject[n] for n in names}, **beside[subject["subject_id"]], **goods.get(subject["subject_id"], {})
        }
        for subject in rows
    }  # fmt: skip


def _goods_of(statements: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return for each report the brands and the wording that it complains of, in plain words: they name no person."""
    found: dict[str, dict[str, Any]] = {}
    about = statements.filter(pl.col("property").is_in(OF_GOODS)).select("subject_id", "property", "text")
    for subject, name, text in about.rows():
        found.setdefault(subject, {"goods": {}})["goods"].setdefault(name, []).append(text)
    return found


def _add_waiting(connection: sa.Connection, row: dict[str, Any]) -> int:
    """Record an imported version, which waits until it is activated; returns its number."""
    numbers = sa.select(sa.func.max(LISTS.c.version)).where(LISTS.c.list_id == row["list_id"])
    version = 1 + (connection.execute(numbers).scalar() or 0)
    insert_row(connection, LISTS, {**row, "version": version, "status": "waiting"})
    _log(connection, row["list_id"], version, "imported", row["imported_by"], row["imported_at"])
    return version


def _active(connection: sa.Connection, list_id: str) -> Any:
    return connection.execute(sa.select(LISTS).where(LISTS.c.list_id == list_id, LISTS.c.status == "active")).first()


def _difference(before: Subjects, after: Subjects) -> tuple[set[str], set[str], set[str]]:
    """Return subjects that are new or changed, that are gone or changed, and that stay as they are."""
    same = {subject for subject, content in after.items() if before.get(subject, {}).get("values") == content["values"]}
    return set(after) - same, set(before) - same, same


def _activate(connection: sa.Connection, list_id: str, version: int, by: str | None, at: int) -> int:
    """Replace the active version; returns the number of decisions that are given again because of it."""
    active = _active(connection, list_id)
    this_version = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    row = connection.execute(sa.select(LISTS).where(*this_version)).one()
    before = dict(active.subjects) if active is not None else {}
    subjects = dict(row.subjects)
    concerned, added = _replace(connection, before, subjects, at, row.kind), _difference(before, subjects)[0]
    if active is not None:
        _end(connection, list_id, active.version, "replaced", at)
    update_rows(connection, LISTS, {"status": "active", "approved_by": by, "active_from": at}, *this_version)
    set_state(connection, LISTS_AS_OF, at)
    _set_checked(connection)
    _log(connection, list_id, version, "activated", by or row.imported_by, at)
    if row.kind != WATCHED:
        return wake_for_lists(connection, concerned, [], at)
    _compare_by(connection, list_id, subjects)
    addressed = consignments_to(connection, [subjects[subject] for subject in sorted(added)])
    return wake_for_lists(connection, concerned, addressed, at)


def _compare_by(connection: sa.Connection, list_id: str, subjects: Subjects) -> None:
    """Let addressees be compared with these subjects of a list, and with none that it had before."""
    delete_rows(connection, LISTED_VALUES, LISTED_VALUES.c.list_id == list_id)
    rows = [
        {"value": value, "entity": subject["entity"], "list_id": list_id}
        for subject in subjects.values()
        for value in dict.fromkeys((*subject["values"], *subject.get("named_within", ())))
    ]
    insert_many(connection, LISTED_VALUES, rows)


def _look_after(connection: sa.Connection, active: Any, at: int) -> None:
    """Note that the active version was imported once more, unchanged."""
    this_version = (LISTS.c.list_id == active.list_id, LISTS.c.version == active.version)
    update_rows(connection, LISTS, {"checked_at": at}, *this_version)
    _set_checked(connection)


def _set_checked(connection: sa.Connection) -> None:
    """Remember when the least recently imported list was imported; the same bytes count too."""
    watched = (LISTS.c.status == "active", LISTS.c.kind == WATCHED)
    oldest = connection.execute(sa.select(sa.func.min(LISTS.c.checked_at)).where(*watched)).scalar()
    set_state(connection, LISTS_CHECKED, oldest or 0)


def _log(connection: sa.Connection, list_id: str, version: int, event: str, by: str, at: int) -> None:
    this_version = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    content = list_content(dict(connection.execute(sa.select(LISTS).where(*this_version)).mappings().one()))
    subject = canonical({"list": list_id, "version": version, "what": event, "by": by}).decode()
    append(connection, [Entry("list", subject, content)], at)


def _end(connection: sa.Connection, list_id: str, version: int, status: str, at: int) -> None:
    this_version = (LISTS.c.list_id == list_id, LISTS.c.version == version)
    update_rows(connection, LISTS, {"status": status, "active_until": at}, *this_version)


def _replace(connection: sa.Connection, before: Subjects, after: Subjects, at: int, kind: str) -> list[str]:
    """Replace the cards of subjects, with their networks; returns the codes of networks that new subjects concern."""
    added, removed, _ = _difference(before, after)
    graph, pseudonyms = StoredGraph(connection), pseudonyms_in(connection)
    before, after = _plain(before, removed, pseudonyms), _plain(after, added, pseudonyms)
    touched = [before[subject] for subject in removed] + [after[subject] for subject in added]
    graph.prefetch([t["entity"] for t in touched], [value for t in touched for value in t["values"]])
    for subject in sorted(removed):
        graph.remove(before[subject]["entity"])
    for subject in sorted(added):
        graph.add(after[subject]["entity"], after[subject]["values"], at, listed=True, reported=kind == REPORTS)
    graph.write()
    concerned = {card for subject in added for card in cards_concerned(graph, after[subject])}
    if kind == REPORTS:
        concerned = {card for card in concerned if _reports_on(graph, card) >= REPORTS_ASK}
    return sorted(pseudonyms.code("N", card) for card in concerned)


def _plain(subjects: Subjects, chosen: Collection[str], pseudonyms: Pseudonyms) -> Subjects:
    """Return some subjects as the graph knows them: by hashes that are not keyed."""
    return {
        subject: {
            "entity": pseudonyms.plain_list([subjects[subject]["entity"]])[0],
            "values": pseudonyms.plain_list(subjects[subject]["values"]),
        }
        for subject in sorted(chosen)
    }


def _reports_on(graph: StoredGraph, card: int) -> int:
    """Count the reports on the network of a card."""
    return sum(graph.cards[member].reported for member in graph.members[graph.network_of[card]])


def cards_concerned(graph: StoredGraph, subject: dict[str, Any]) -> set[int]:
    """Return the cards that a subject concerns: its network, and those that share an identifier or a rare name."""
    sure = (value for value in subject["values"] if level_of(value) in SURE and not graph.is_hub(value))
    cards = {subject["entity"], *(card for value in sure for card in graph.stated_by.get(value, ()))}
    placed = [network for card in cards if (network := graph.network_of.get(card)) is not None]  # not one that waits
    return {member for network in placed for member in graph.members[network]}
