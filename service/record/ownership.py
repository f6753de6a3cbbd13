"""Whose a consignment is: who sends, which offices that caller is for, and of which offices the parts on record are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from features.fault import Fault
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS

EVERY_OFFICE = "*"
NOT_NAMED = (None, "", "unknown")  # an undeclared office, in decisions
Offices = Collection[str | None]


def sees_office(offices: Collection[str], office: str | None) -> bool:
    """Say whether callers of some offices see what is of an office; what names none is seen by all."""
    return EVERY_OFFICE in offices or office in NOT_NAMED or office in offices


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the account of a caller and the offices that it is for.

    name: None for the installation itself (a command, or a service that asks nobody for a key): it amends everything.
    """

    name: str | None
    offices: tuple[str, ...]

    @property
    def sees_all(self) -> bool:
        """Return true if every office is visible."""
        return EVERY_OFFICE in self.offices

    def sees(self, office: str | None) -> bool:
        """Return true if what is of an office is visible."""
        return sees_office(self.offices, office)

    def sees_every(self, offices: Iterable[str | None]) -> bool:
        """Return true if what is of all these offices at once is visible."""
        return self.sees_all or all(self.sees(office) for office in offices)


INSTALLATION = Sender(None, (EVERY_OFFICE,))


class OfAnother(Fault):
    """Consignments or messages that belong to another office or caller; `consignment_ids` are those sent."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"{len(consignment_ids):,} consignments, or their message, belong to another sender")
        self.consignment_ids = list(consignment_ids)


def offices_on(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, set[str | None]]:
    """Look up the offices of all parts of consignments; what is not on record is not in it."""
    found: dict[str, set[str | None]] = {}
    for batch in in_lists(list(dict.fromkeys(consignment_ids))):
        query = sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.office).distinct()
        for consignment_id, office in connection.execute(query.where(DECLARATIONS.c.consignment_id.in_(batch))):
            found.setdefault(consignment_id, set()).add(office)
    for row in declared_of(connection, ("consignment_id", "office"), list(dict.fromkeys(consignment_ids))):
        found.setdefault(row["consignment_id"], set()).add(row["office"])
    return found
