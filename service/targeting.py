"""The main path on one screen: from a message to the orientation of every consignment in it."""

from __future__ import annotations

from features.messages import Message, read
from service.desk import Desk
from service.orientation import Decisions
from service.record.capacity_used import Overspent

__all__ = ["Desk", "target"]


def target(message: Message, desk: Desk) -> Decisions:
    """Decide every consignment in one message, on what was known when it arrived."""
    consignments, problems = read(message)
    if not len(consignments):
        return Decisions([], problems.refused)
    consignments, lists = desk.screened(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    while True:
        decisions = desk.policy.orient(
            consignments, scores, problems, desk.context(message, consignments, lost, lists_as_of=lists)
        )
        try:
            return desk.journal.record(decisions, rows, consignments)
        except Overspent:  # another call took the check that this one counted on: decide again with what is left
            continue
