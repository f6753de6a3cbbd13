"""Versions of consignments: which are on record, with which content, and what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.fault import Fault
from service.store.bulk_rows import update_each
from service.store.driver import Prepared, among
from service.store.queries import in_lists
from service.store.settled_rows import decided_of, declared_of
from service.store.tables import DECISIONS, DECLARATIONS, ERASED

Key = tuple[str, str, int]
SETTLED = (*VERSION_KEY, "content_sha256", "office", "sender")  # of a version whose content stands in a file
NAMED = 5  # consignments that a fault names
SENT_BEFORE = "sent before under the same message and version with another content"
AMEND = "send what has changed as an amendment: the same consignment in a message of its own, with the next version"
KNOWN = Prepared(
    sa.select(
        *(DECLARATIONS.c[name] for name in (*VERSION_KEY, "content_sha256", "office", "sender")),
        DECLARATIONS.c.body.is_(sa.null()),
    ).where(among(DECLARATIONS.c.consignment_id))
)
DECIDED = Prepared(
    sa.select(*(DECISIONS.c[name] for name in VERSION_KEY), DECISIONS.c.body).where(
        among(DECISIONS.c.consignment_id), DECISIONS.c.stands
    )
)


class Conflict(Fault):
    """The same version was sent before with another content; `consignment_ids` are those at fault."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"{len(consignment_ids):,} consignments were {SENT_BEFORE}; {AMEND}")
        self.consignment_ids = list(consignment_ids)

    @property
    def named(self) -> str:
        """Say the same with the first numbers, for the operator whose file it is; a log and an answer hold none."""
        first, more = ", ".join(self.consignment_ids[:NAMED]), len(self.consignment_ids) - NAMED
        return f"{SENT_BEFORE}: {first}{f' and {more:,} more' if more > 0 else ''}; {AMEND}"


class Gone(Fault):
    """What was decided about a version was erased since; `consignment_ids` are those meant."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"what was decided about {len(consignment_ids)} consignments was erased")
        self.consignment_ids = list(consignment_ids)


@dataclass(frozen=True, slots=True)
class Version:
    """One declared version: its key, the hash of its content, whether it was on record, and then with another one.

    gone: its content was erased. lacks_body: its facts are on record and not its content, which was ingested alone.
    office, sender: whose it is, as on record or as it will be.
    """

    key: Key
    content_sha256: str
    known: bool
    changed: bool
    gone: bool
    lacks_body: bool
    office: str | None = None
    sender: str | None = None

    @classmethod
    def of(cls, declared: Mapping[str, Any], known: Mapping[Key, KnownVersion]) -> Version:
        """A declaration, after it was claimed, beside those on record."""
        key, sha256 = key_of(declared), declared["content_sha256"]
        stands = known.get(key) or KnownVersion(sha256, declared["office"], declared["sender"])
        gone = stands.content_sha256 == ERASED
        return cls(
            key, sha256, known=key in known, changed=not gone and stands.content_sha256 != sha256, gone=gone,
            lacks_body=stands.lacks_body and not gone, office=stands.office, sender=stands.sender,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version on record: the hash of its content, the office whose part it is, and who may amend it.

    content_sha256: ERASED once its content was erased. lacks_body: its content is not on record.
    """

    content_sha256: str
    office: str | None
    sender: str | None
    lacks_body: bool = False


def key_of(declared: Mapping[str, Any]) -> Key:
    """The key of a declared version, or of a decision on it."""
    return declared["message_id"], declared["consignment_id"], declared["version"]


def known_versions(connection: sa.Connection, declared: Sequence[dict[str, Any]]) -> dict[Key, KnownVersion]:
    """All versions on record of these consignments."""
    found: dict[Key, KnownVersion] = {}
    for batch in in_lists(sorted({d["consignment_id"] for d in declared})):
        for row in KNOWN.rows(connection, among=batch):
            found[row[0], row[1], row[2]] = KnownVersion(row[3], row[4], row[5], bool(row[6]))
    for settled in declared_of(connection, SETTLED, list(dict.fromkeys(d["consignment_id"] for d in declared))):
        found[key_of(settled)] = KnownVersion(settled["content_sha256"], settled["office"], settled["sender"])
    return found


def keep_bodies(connection: sa.Connection, declared: Sequence[Mapping[str, Any]]) -> None:
    """Put the contents of versions on record that lack theirs; declared: rows of the declarations."""
    update_each(connection, DECLARATIONS, [{name: row[name] for name in (*VERSION_KEY, "body")} for row in declared])


def decided_before(connection: sa.Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """The decisions that stand for these versions, in their written form."""
    found: dict[Key, dict[str, Any]] = {}
    for batch in in_lists(sorted({key[1] for key in keys})):
        for row in DECIDED.rows(connection, among=batch):
            found[row[0], row[1], row[2]] = row[3]
    missing = {key[1] for key in keys if key not in found}
    for settled in decided_of(connection, (*VERSION_KEY, "body"), sorted(missing)):
        found[key_of(settled)] = settled["body"]
    return found
