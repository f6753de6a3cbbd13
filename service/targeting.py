"""The story on one screen: from a message to the orientation of every consignment in it."""

from __future__ import annotations

from features.messages import Message, read
from service.desk import Desk
from service.orientation import Decisions
from service.tallies import Overspent

__all__ = ["Desk", "target"]


def target(message: Message, desk: Desk) -> Decisions:
    """Orient every consignment in one message, on what was known when it arrived."""
    consignments, problems = read(message)
    if not len(consignments):
        return Decisions([], problems.refused)
    consignments = desk.parties.link(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    while True:
        decisions = desk.policy.orient(consignments, scores, problems, desk.moment(message, consignments, lost))
        try:
            return desk.journal.record(decisions, rows, consignments)
        except Overspent:  # another call took the check that this one counted on: orient anew with what is left
            continue
