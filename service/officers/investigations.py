"""Investigations: consignments, parties, lists and searches kept together, with notes, tasks and documents.

An investigation is the list of its entries, and nothing in that list is ever changed: what is taken out is a further
entry. Each entry is on the audit log; of a document, the log has its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from features.parties.linking import CODE
from service.record.lifting import lift
from service.record.ownership import NOT_NAMED, Sender, offices_on
from service.record.record_kind import sign
from service.record.record_kinds import INVESTIGATION
from service.store.bulk_rows import insert_row
from service.store.database import Store
from service.store.investigation_tables import DOCUMENTS, INVESTIGATION_ENTRIES

CONSIGNMENT, PARTY, LIST, KEY = "consignment", "party", "list", "key"
ITEMS = (CONSIGNMENT, PARTY, LIST, KEY)
OPENED, CLOSED, REOPENED, LEFT_OUT = "opened", "closed", "reopened", "left_out"
NOTE, TASK, TASK_DONE, DOCUMENT, HANDED_OVER = "note", "task", "task_done", "document", "handed_over"
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME = 200, 4_000, 200
LARGEST_DOCUMENT = 6 * 1024**2  # bytes; a request may have 8 MiB
MOST_ITEMS = 500
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """What belongs to an investigation.

    value: number of a consignment, code of a party or network, name of a list, or a key that was searched for.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Task:
    """Who does what until when; done: by whom, None while it is open."""

    number: int
    text: str
    who: str
    due: str
    done: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was attached; its content is found by its hash."""

    name: str
    media_type: str
    size: int
    sha256: str
    officer: str
    at: int


@dataclass(frozen=True, slots=True)
class Investigation:
    """One investigation, folded from its entries.

    office: whose it is; empty: of whoever sees every office. entries: those that were not erased, in order. operator:
    whose audit after clearance it is, by kind and name; None for any other.
    """

    number: str
    office: str
    title: str
    open: bool
    items: tuple[Item, ...]
    tasks: tuple[Task, ...]
    documents: tuple[Document, ...]
    entries: tuple[Row, ...]
    operator: tuple[str, str] | None = None

    def values(self, kind: str) -> list[str]:
        """The items of a kind, in the order in which they came in."""
        return [item.value for item in self.items if item.kind == kind]

    @property
    def opened_by(self) -> str:
        """Who opened it."""
        return str(self.entries[0]["officer"])

    @property
    def last_at(self) -> int:
        """When anything was noted last, in microseconds since 1970."""
        return int(self.entries[-1]["at"])


def open_investigation(
    store: Store, title: str, items: Sequence[Item], reader: Sender, by: str, at: datetime,
    operator: tuple[str, str] | None = None,
) -> str:  # fmt: skip
    """Open an investigation with its first items; returns its number. Raises Fault for what the reader does not see.

    It is of the office of its consignments, or of the first office of whoever opens it. operator: see Investigation.
    """
    body: dict[str, Any] = {"title": _text("title", title, LONGEST_TITLE)}
    if operator is not None:
        body["operator"] = dict(zip(("kind", "name"), operator, strict=True))

    def work(connection: sa.Connection) -> str:
        named = _checked(connection, items, reader)
        offices = sorted({office for of in offices_on(connection, _numbers(named)).values() for office in of
                          if office not in NOT_NAMED})  # fmt: skip
        office = next(iter(offices), "" if reader.sees_all else reader.offices[0])
        number = _next_number(connection, at)
        _sign(connection, number, office, OPENED, body, by, at)
        for item in named:
            _sign_item(connection, number, office, item, by, at)
        return number

    return store.write(work)


def add_items(store: Store, number: str, items: Sequence[Item], reader: Sender, by: str, at: datetime) -> int:
    """Add items, those that are in it already left out; returns how many came in."""

    def work(connection: sa.Connection) -> int:
        investigation = _open_one(connection, number, reader)
        fresh = [item for item in _checked(connection, items, reader) if item not in investigation.items]
        if len(investigation.items) + len(fresh) > MOST_ITEMS:
            raise Fault(f"items: an investigation holds at most {MOST_ITEMS}; open another one")
        for item in fresh:
            _sign_item(connection, number, investigation.office, item, by, at)
        return len(fresh)

    return store.write(work)


def leave_out(store: Store, number: str, item: Item, reader: Sender, by: str, at: datetime) -> None:
    """Take an item out; that it was in it stays on record."""

    def work(connection: sa.Connection) -> None:
        investigation = _open_one(connection, number, reader)
        if item not in investigation.items:
            raise Fault("items: it is not in this investigation")
        consignment = item.value if item.kind == CONSIGNMENT else None
        body = {"kind": item.kind} if consignment else {"kind": item.kind, "value": item.value}
        _sign(connection, number, investigation.office, LEFT_OUT, body, by, at, consignment)

    store.write(work)


def note(store: Store, number: str, text: str, reader: Sender, by: str, at: datetime) -> None:
    """Write a note."""
    body = {"text": _text("text", text, LONGEST_TEXT)}
    store.write(lambda connection: _add(connection, number, NOTE, body, reader, by, at))


def give_task(store: Store, number: str, text: str, who: str, due: str, reader: Sender, by: str, at: datetime) -> None:
    """Say who does what, and until which day."""
    if due:
        try:
            date.fromisoformat(due)
        except ValueError:
            raise Fault("due: a day as YYYY-MM-DD, or empty") from None
    body = {"text": _text("text", text, LONGEST_TEXT), "who": _text("who", who, LONGEST_NAME), "due": due}
    store.write(lambda connection: _add(connection, number, TASK, body, reader, by, at))


def finish_task(store: Store, number: str, task: int, reader: Sender, by: str, at: datetime) -> None:
    """Say that a task is done."""

    def work(connection: sa.Connection) -> None:
        investigation = _open_one(connection, number, reader)
        if task not in {one.number for one in investigation.tasks if one.done is None}:
            raise Fault("task: none that is open has this number")
        _sign(connection, number, investigation.office, TASK_DONE, {"task": task}, by, at)

    store.write(work)


def attach(
    store: Store, number: str, name: str, media_type: str, content: bytes, reader: Sender, by: str, at: datetime
) -> str:
    """Attach a document; returns the SHA-256 of its content, which stands on the audit log."""
    name = _text("name", name.replace("\\", "/").rpartition("/")[2], LONGEST_NAME)
    if not 0 < len(content) <= LARGEST_DOCUMENT:
        raise Fault(f"document: from 1 byte to {LARGEST_DOCUMENT // 1024**2} MiB; attach it in parts")
    digest = sha256_of(content)
    body = {"name": name, "media_type": media_type[:100], "size": len(content), "sha256": digest}

    def work(connection: sa.Connection) -> None:
        _add(connection, number, DOCUMENT, body, reader, by, at)
        if connection.execute(sa.select(DOCUMENTS.c.sha256).where(DOCUMENTS.c.sha256 == digest)).first() is None:
            insert_row(connection, DOCUMENTS, {"sha256": digest, "content": content})

    store.write(work)
    return digest


def content_of(store: Store, sha256: str) -> bytes | None:
    """The content of a document; None where it is not on record, or is not what its hash says."""
    query = sa.select(DOCUMENTS.c.content).where(DOCUMENTS.c.sha256 == sha256)
    with store.reading() as connection:
        content = connection.execute(query).scalar()
    return content if content is not None and sha256_of(content) == sha256 else None


def close(store: Store, number: str, text: str, reader: Sender, by: str, at: datetime) -> None:
    """Close an investigation, and say what came of it."""
    body = {"text": _text("text", text, LONGEST_TEXT)}
    store.write(lambda connection: _add(connection, number, CLOSED, body, reader, by, at))


def reopen(store: Store, number: str, text: str, reader: Sender, by: str, at: datetime) -> None:
    """Open a closed investigation again, and say why."""
    body = {"text": _text("text", text, LONGEST_TEXT)}

    def work(connection: sa.Connection) -> None:
        investigation = _one(connection, number, reader)
        if investigation.open:
            raise Fault("investigation: it is open")
        _sign(connection, number, investigation.office, REOPENED, body, by, at)

    store.write(work)


def note_hand_over(store: Store, number: str, sha256: str, to_whom: str, reader: Sender, by: str, at: datetime) -> None:
    """Note what was handed over, to whom; a closed investigation can be handed over too."""
    body = {"sha256": sha256, "to": _text("to", to_whom, LONGEST_NAME)}

    def work(connection: sa.Connection) -> None:
        _sign(connection, number, _one(connection, number, reader).office, HANDED_OVER, body, by, at)

    store.write(work)


def investigation_of(store: Store, number: str, reader: Sender) -> Investigation | None:
    """The investigation with a number; None where there is none, or its office is not the reader's."""
    with store.reading() as connection:
        try:
            return _one(connection, number, reader)
        except Fault:
            return None


def investigations(store: Store, reader: Sender) -> list[Investigation]:
    """Every investigation of the reader's offices, open ones first, then the one noted in last."""
    query = sa.select(INVESTIGATION_ENTRIES).where(INVESTIGATION_ENTRIES.c.salt.is_not(None))
    if not reader.sees_all:
        query = query.where(INVESTIGATION_ENTRIES.c.office.in_(reader.offices))
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(query.order_by(INVESTIGATION_ENTRIES.c.entry_id)).mappings()]
    by_number: dict[str, list[Row]] = {}
    for row in rows:
        by_number.setdefault(row["investigation"], []).append(row)
    found = [_folded(entries) for entries in by_number.values()]
    return sorted(found, key=lambda one: (not one.open, -one.last_at))


def holding(store: Store, item: Item, reader: Sender) -> list[Investigation]:
    """Those of the reader's investigations that hold an item."""
    return [one for one in investigations(store, reader) if item in one.items]


def sha256_of(content: bytes) -> str:
    """The hash by which a document is known."""
    return hashlib.sha256(content).hexdigest()


def _one(connection: sa.Connection, number: str, reader: Sender) -> Investigation:
    query = sa.select(INVESTIGATION_ENTRIES).where(
        INVESTIGATION_ENTRIES.c.investigation == number, INVESTIGATION_ENTRIES.c.salt.is_not(None)
    )
    rows = [dict(row) for row in connection.execute(query.order_by(INVESTIGATION_ENTRIES.c.entry_id)).mappings()]
    if not rows or not (reader.sees_all or rows[0]["office"] in reader.offices):
        raise Fault("investigation: no such investigation is on record here")
    return _folded(rows)


def _open_one(connection: sa.Connection, number: str, reader: Sender) -> Investigation:
    investigation = _one(connection, number, reader)
    if not investigation.open:
        raise Fault("investigation: it is closed; open it again first")
    return investigation


def _folded(rows: Sequence[Row]) -> Investigation:
    items: dict[Item, None] = {}
    tasks: dict[int, Task] = {}
    documents: list[Document] = []
    is_open, title, operator = True, "", None
    for row in rows:
        step, body = row["step"], row["body"]
        if step in (OPENED, CLOSED, REOPENED):
            is_open, title = step != CLOSED, body.get("title", title)
            operator = (named["kind"], named["name"]) if (named := body.get("operator")) else operator
        elif step in ITEMS:
            items[Item(step, row["consignment_id"] or body["value"])] = None
        elif step == LEFT_OUT:
            items.pop(Item(body["kind"], row["consignment_id"] or body["value"]), None)
        elif step == TASK:
            tasks[row["entry_id"]] = Task(row["entry_id"], body["text"], body["who"], body["due"], None)
        elif step == TASK_DONE:
            task = tasks[body["task"]]
            tasks[task.number] = Task(task.number, task.text, task.who, task.due, row["officer"])
        elif step == DOCUMENT:
            of_file = {name: body[name] for name in ("name", "media_type", "size", "sha256")}
            documents.append(Document(**of_file, officer=row["officer"], at=row["at"]))
    first = rows[0]
    return Investigation(
        first["investigation"], first["office"], title, is_open, tuple(items), tuple(tasks.values()),
        tuple(documents), tuple(rows), operator,
    )  # fmt: skip


def _checked(connection: sa.Connection, items: Iterable[Item], reader: Sender) -> list[Item]:
    """Check items, each once; raises Fault for a consignment of which the reader does not see every part."""
    named = list(dict.fromkeys(items))
    if len(named) > MOST_ITEMS:
        raise Fault(f"items: an investigation holds at most {MOST_ITEMS}; open another one")
    for item in named:
        if item.kind not in ITEMS or not 0 < len(item.value) <= LONGEST_NAME:
            raise Fault(f"items: each is one of {', '.join(ITEMS)}, with at most {LONGEST_NAME} characters")
        if item.kind == PARTY and not CODE.fullmatch(item.value):
            raise Fault("items: a party or network is P- or N- and sixteen digits")
    numbers = _numbers(named)
    offices = offices_on(connection, numbers)
    if any(number not in offices or not reader.sees_every(offices[number]) for number in numbers):
        raise Fault("consignment_id: no such consignment is on record here")
    return named


def _numbers(items: Collection[Item]) -> list[str]:
    return [item.value for item in items if item.kind == CONSIGNMENT]


def _add(
    connection: sa.Connection, number: str, step: str, body: dict[str, Any], reader: Sender, by: str, at: datetime
) -> None:
    investigation = _open_one(connection, number, reader)
    _sign(connection, number, investigation.office, step, body, by, at)


def _sign_item(connection: sa.Connection, number: str, office: str, item: Item, by: str, at: datetime) -> None:
    consignment = item.value if item.kind == CONSIGNMENT else None
    if consignment is not None:
        lift(connection, [consignment])
    _sign(connection, number, office, item.kind, {} if consignment else {"value": item.value}, by, at, consignment)


def _sign(
    connection: sa.Connection, number: str, office: str, step: str, body: dict[str, Any], by: str, at: datetime,
    consignment_id: str | None = None,
) -> None:  # fmt: skip
    row = {"investigation": number, "office": office, "consignment_id": consignment_id, "step": step,
           "at": micros(at), "officer": by, "body": body}  # fmt: skip
    sign(connection, INVESTIGATION, row, micros(at))


def _next_number(connection: sa.Connection, at: datetime) -> str:
    begins = f"I-{at.year}-"
    opened = sa.select(sa.func.count()).where(
        INVESTIGATION_ENTRIES.c.step == OPENED, INVESTIGATION_ENTRIES.c.investigation.startswith(begins)
    )
    return f"{begins}{int(connection.execute(opened).scalar_one()) + 1:04d}"


def _text(name: str, text: str, longest: int) -> str:
    text = text.strip()
    if not 0 < len(text) <= longest:
        raise Fault(f"{name}: from 1 to {longest:,} characters")
    return text
