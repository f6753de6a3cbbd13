"""Investigations that must go: those that are closed and over, and what one says of a person.

What was noted is erased entry by entry, as of consignments; the audit log keeps that there was an entry. A document
goes with the last entry that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from features.identifiers.letters import comparable
from features.identifiers.mailboxes import mailbox
from features.identifiers.telephones import telephones
from features.moments import micros
from service.canonical import canonical
from service.officers.investigations import DOCUMENT, PARTY, investigations
from service.record.audit_log import Entry, append
from service.record.ownership import INSTALLATION
from service.record.record_kinds import INVESTIGATION
from service.store.bulk_rows import delete_rows, update_rows
from service.store.database import Store
from service.store.investigation_tables import DOCUMENTS, INVESTIGATION_ENTRIES
from service.store.queries import in_lists

TEXTS = ("title", "text", "value", "who", "to", "name")  # of an entry: what people wrote in it
SPACE = re.compile(r"[\s\x1f]+")  # the latter between a key and the kinds that it was searched under
Row = Mapping[str, Any]


def due_investigations(store: Store, kept: timedelta, now: datetime) -> list[str]:
    """Return the closed investigations in which nothing was noted for a period; an open one stays."""
    found = investigations(store, INSTALLATION)
    return sorted(one.number for one in found if not one.open and one.last_at < micros(now - kept))


def erase_investigation(store: Store, number: str, by: str, reason: str, now: datetime) -> int:
    """Erase all that was noted in an investigation, with its documents; returns the number of entries."""
    of_it = INVESTIGATION_ENTRIES.c.investigation == number
    query = sa.select(INVESTIGATION_ENTRIES.c.entry_id).where(of_it, INVESTIGATION_ENTRIES.c.salt.is_not(None))
    with store.reading() as connection:
        entries = list(connection.execute(query).scalars())
    return erase_entries(store, entries, by, reason, now)


def erase_entries(store: Store, entries: Sequence[int], by: str, reason: str, now: datetime) -> int:
    """Erase entries by their numbers, with the documents that none names any more; returns how many there were."""
    if not by.strip() or not reason.strip():
        raise Fault("an erasure needs a name and a reason: --by NAME --reason TEXT")
    if not entries:
        return 0

    def work(connection: sa.Connection) -> int:
        subjects: list[str] = []
        for batch in in_lists(list(entries)):
            which = (INVESTIGATION_ENTRIES.c.entry_id.in_(batch), INVESTIGATION_ENTRIES.c.salt.is_not(None))
            rows = connection.execute(sa.select(INVESTIGATION_ENTRIES.c.entry_id).where(*which)).mappings()
            subjects += [INVESTIGATION.subject_of(dict(row)) for row in rows]
            update_rows(connection, INVESTIGATION_ENTRIES, {"salt": None, **INVESTIGATION.erased}, *which)
        forget_documents(connection)
        content = canonical({"by": by, "reason": reason}).decode()
        append(connection, [Entry("erasure", subject, content) for subject in subjects], micros(now))
        return len(subjects)

    erased = store.write(work)
    store.forget_former_pages()
    return erased


def forget_documents(connection: sa.Connection) -> None:
    """Delete the documents that no entry names any more."""
    query = sa.select(INVESTIGATION_ENTRIES.c.body).where(
        INVESTIGATION_ENTRIES.c.step == DOCUMENT, INVESTIGATION_ENTRIES.c.salt.is_not(None)
    )
    named = {body["sha256"] for body in connection.execute(query).scalars()}
    held = set(connection.execute(sa.select(DOCUMENTS.c.sha256)).scalars())
    for batch in in_lists(sorted(held - named)):
        delete_rows(connection, DOCUMENTS, DOCUMENTS.c.sha256.in_(batch))


def entries_on(store: Store, person: Mapping[str, str], consignments: Sequence[str], codes: Sequence[str]) -> list[Row]:
    """Return the entries of investigations that are of a person, in order.

    consignments, codes: what else is on record of it. An entry is of it that holds one of these, or states its
    telephone, mailbox or number; in an investigation that has such an entry, one that states its name is too.
    """
    found: list[Row] = []
    for one in investigations(store, INSTALLATION):
        certain = [row for row in one.entries if _is_certain(row, person, set(consignments), set(codes))]
        if certain:
            found += [row for row in one.entries if row in certain or _names(row, person)]
    return found


def _is_certain(row: Row, person: Mapping[str, str], consignments: set[str], codes: set[str]) -> bool:
    if row["consignment_id"] in consignments:
        return True
    if row["step"] == PARTY and row["body"].get("value") in codes:
        return True
    return any(_states(text, person) for text in _texts(row))


def _states(text: str, person: Mapping[str, str]) -> bool:
    """Whether a text states the telephone, the mailbox or the number of a person."""
    country = person.get("country")
    called = set(telephones(person["phone"], country)) if person.get("phone") else set()
    if called and not called.isdisjoint(telephones(text, country)):
        return True
    if person.get("email") and mailbox(person["email"]) in {mailbox(word) for word in SPACE.split(text) if "@" in word}:
        return True
    number = _compact(person.get("id", ""))
    return len(number) > 4 and number in _compact(text)


def _names(row: Row, person: Mapping[str, str]) -> bool:
    name = comparable(person.get("name", ""))
    words = set((name or "").split())
    return bool(words) and any(words <= set((comparable(text) or "").split()) for text in _texts(row))


def _texts(row: Row) -> list[str]:
    return [text for name in TEXTS if isinstance(text := row["body"].get(name), str)]


def _compact(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
