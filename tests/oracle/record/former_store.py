"""A store and a desk of today that record as before: the same database, written by the frozen code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from features.messages import Message, read
from service import desk
from service.orientation import Decisions
from service.parties.linking_switch import LinkingSwitch
from service.store import database
from tests.oracle.record import digests
from tests.oracle.record.capacity_used import Overspent
from tests.oracle.record.journal import Journal
from tests.oracle.record.stored_parties import StoredParties


class Store(database.Store):
    """A store whose transactions keep the digests as before."""

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: alone, durable when the block has ended, undone when it raises."""
        with self.engine.begin() as connection:
            digests.begin(connection)
            yield connection
            digests.write_digests(connection)


def desk_of(store: Store, switch: LinkingSwitch, model: Any, policy: Any) -> Any:
    """Return a desk that links and records as before."""
    journal: Any = Journal(store, switch)
    parties: Any = StoredParties(store, switch)
    return desk.Desk(parties, journal.history, model, policy, journal)


def target(message: Message, desk: desk.Desk) -> Decisions:
    """Decide every consignment in one message, as service/targeting.py does."""
    consignments, problems = read(message)
    if not len(consignments):
        return Decisions([], problems.refused)
    consignments, lists = desk.screened(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    while True:
        context = desk.context(message, consignments, lost, lists_as_of=lists)
        decisions = desk.policy.orient(consignments, scores, problems, context)
        try:
            return desk.journal.record(decisions, rows, consignments)
        except Overspent:
            continue
