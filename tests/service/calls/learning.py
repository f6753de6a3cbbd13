"""What a desk has learned before something is taken away from it."""

from __future__ import annotations

from datetime import timedelta

from features.contract import gate_outcomes
from service.api.bodies import outcome_rows
from service.targeting import Desk, target
from tests.service.building import NOON, declared, in_full, message, outcome


def before(desk: Desk) -> None:
    """What was settled before the outage: two senders with a past."""
    for n in range(6):
        at = NOON - timedelta(days=3, hours=n)
        target(message(declared(n, lodged_at=at), message_id=f"B{n}"), desk)
    learned(desk, *(outcome(n, known_at=NOON - timedelta(days=1, hours=n)) for n in range(3)))


def learned(desk: Desk, *told: dict[str, object]) -> None:
    rows, _ = outcome_rows({"outcomes": [in_full(one) for one in told]})
    desk.journal.learn(gate_outcomes(rows).accepted)
