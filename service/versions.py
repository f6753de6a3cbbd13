"""Versions of consignments: which are on record, with which content, and what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.fault import Fault
from service.posting import VERSIONS, in_lists
from service.tables import DECISIONS, DECLARATIONS

Key = tuple[str, str, int]
KEY_SCHEMA = {name: VERSIONS[name] for name in VERSION_KEY}


class Conflict(Fault):
    """The same version was sent before with another content; `consignment_ids` are those at fault."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"{len(consignment_ids)} consignments were sent before with another content")
        self.consignment_ids = list(consignment_ids)


class Gone(Fault):
    """What was decided about a version was erased since; `consignment_ids` are those meant."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"what was decided about {len(consignment_ids)} consignments was erased")
        self.consignment_ids = list(consignment_ids)


@dataclass(frozen=True, slots=True)
class Version:
    """One declared version: its key, the hash of its content, whether it was on record, and then with another one."""

    key: Key
    content_sha256: str
    known: bool
    changed: bool

    @classmethod
    def of(cls, declared: Mapping[str, Any], known: Mapping[Key, str]) -> Version:
        """A declaration beside the hashes on record."""
        key, sha256 = key_of(declared), declared["content_sha256"]
        return cls(key, sha256, key in known, known.get(key, sha256) != sha256)


def key_of(declared: Mapping[str, Any]) -> Key:
    """The key of a declared version, or of a decision on it."""
    return declared["message_id"], declared["consignment_id"], declared["version"]


def known_versions(connection: sa.Connection, declared: Sequence[dict[str, Any]]) -> dict[Key, str]:
    """The content hashes on record of these versions."""
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.content_sha256]
    found: dict[Key, str] = {}
    for some in in_lists(sorted({d["consignment_id"] for d in declared})):
        for row in connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(some))):
            found[row[0], row[1], row[2]] = row[3]
    return found


def decided_before(connection: sa.Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """The decisions that stand for these versions, in their written form."""
    columns = [*(DECISIONS.c[name] for name in VERSION_KEY), DECISIONS.c.body]
    found: dict[Key, dict[str, Any]] = {}
    for some in in_lists(sorted({key[1] for key in keys})):
        for row in connection.execute(
            sa.select(*columns).where(DECISIONS.c.consignment_id.in_(some), DECISIONS.c.stands)
        ):
            found[row[0], row[1], row[2]] = row[3]
    return found
