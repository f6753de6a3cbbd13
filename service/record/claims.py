"""Who may lodge what: each new declaration gets its office and sender, or its message is refused as another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.record.consignment_versions import Key, KnownVersion, Version, key_of
from service.record.ownership import NOT_NAMED, OfAnother, Sender
from service.record.transfers import Transfer
from service.store.driver import Prepared
from service.store.tables import DECLARATIONS

FIRST_OF_MESSAGE = Prepared(
    sa.select(*(DECLARATIONS.c[name] for name in ("content_sha256", "office", "sender")))
    .where(DECLARATIONS.c.message_id == sa.bindparam("message"))
    .order_by(DECLARATIONS.c.consignment_id)
    .limit(1)
)
AMENDED = "its sender amended it for another office"
STAYS = "a version that does not name the office that it belongs to"


@dataclass(slots=True)
class Claims:
    """What has been seen of the consignments and messages of one transaction, and what passes to another office."""

    of_consignments: dict[str, dict[int, KnownVersion]] = field(default_factory=dict)
    of_messages: dict[str, KnownVersion | None] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)


def claim(
    connection: sa.Connection,
    declared: Sequence[dict[str, Any]],
    senders: Sequence[Sender],
    known: Mapping[Key, KnownVersion],
) -> list[Transfer]:
    """Write into declarations their `office` and `sender`; raises OfAnother, naming what the senders may not send.

    A consignment belongs to the office and the sender that lodged it first; where its sender is not known, to whoever
    is for its office. A new version that names another office passes it on. known: all versions on record of these
    consignments. Returns what passes from one office to another.
    """
    claims = Claims()
    for (_, consignment_id, version), on_record in known.items():
        claims.of_consignments.setdefault(consignment_id, {})[version] = on_record
    refused = [
        row["consignment_id"]
        for row, sender in zip(declared, senders, strict=True)
        if not _claimed(connection, row, sender, claims, is_known=key_of(row) in known)
    ]
    if refused:
        raise OfAnother(refused)
    return claims.transfers


def may_amend(sender: Sender, on_record: KnownVersion) -> bool:
    """Say whether a sender may add to what is on record."""
    if sender.name is None:
        return True
    return on_record.sender in (None, sender.name) and sender.sees(on_record.office)


def owners_beside(
    versions: Sequence[Version], offices: Sequence[str | None], places: Sequence[int]
) -> dict[str, list[str | None]]:
    """Give, by place in a call, office and sender of each version for which the declared office does not say it all."""
    return {
        str(place): [version.office, version.sender]
        for place, version, office in zip(places, versions, offices, strict=True)
        if version.sender is not None or version.office != office
    }


def _claimed(connection: sa.Connection, row: dict[str, Any], sender: Sender, claims: Claims, *, is_known: bool) -> bool:
    """Give a declaration its office and sender; false where it, or its message, is another's."""
    versions = claims.of_consignments.setdefault(row["consignment_id"], {})
    if not sender.sees(row["office"]) or not all(may_amend(sender, on_record) for on_record in versions.values()):
        return False
    if not _in_its_message(connection, row, sender, claims):
        return False
    row["sender"] = sender.name
    if versions and not is_known:
        _amended(row, sender, versions, claims)
    on_record = KnownVersion(row["content_sha256"], row["office"], row["sender"])
    versions.setdefault(row["version"], on_record)
    if sender.name is not None:
        claims.of_messages[row["message_id"]] = on_record
    return True


def _in_its_message(connection: sa.Connection, row: Mapping[str, Any], sender: Sender, claims: Claims) -> bool:
    """Say whether a message is the sender's own, or nobody's yet; what its first consignment says stands for all."""
    if sender.name is None:
        return True
    message_id = row["message_id"]
    if message_id not in claims.of_messages:
        found = FIRST_OF_MESSAGE.rows(connection, message=message_id)
        claims.of_messages[message_id] = KnownVersion(*found[0]) if found else None
    on_record = claims.of_messages[message_id]
    return on_record is None or on_record.sender == sender.name or may_amend(sender, on_record)


def _amended(row: dict[str, Any], sender: Sender, versions: Mapping[int, KnownVersion], claims: Claims) -> None:
    """Let a new version belong to whom its consignment belongs to; the newest one may pass it to another office.

    Where the version does not name the office that it belongs to, the log says which: a decision on it cannot.
    """
    newest = versions[max(versions)]
    row["sender"] = newest.sender
    named = None if row["office"] in NOT_NAMED else row["office"]
    passes = named is not None and named != newest.office and row["version"] > max(versions)
    row["office"] = named if passes else newest.office
    if row["office"] is not None and (passes or named != newest.office):
        reason = AMENDED if passes else STAYS
        by = sender.name or "installation"
        claims.transfers.append(Transfer(row["consignment_id"], row["office"], newest.sender, by, reason))
