"""Allocation of the checks of an office and day: chance first, then rules, then risk, until capacity is used up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.algebra.tables import anywhere
from service.orientation.asked import Asked
from service.orientation.columns import Bools, Floats, Ints
from service.orientation.lanes import DOCUMENTS, NO_CHECK, PHYSICAL, RED, STRICTEST_FIRST
from service.orientation.periods import Periods


@dataclass(frozen=True, slots=True)
class Given:
    """What capacity allows of what was asked for.

    check, lane: given. asked: the check asked for. wanted: that, or the stricter one that the rank asks for on an
    ordinary day. dropped: a stricter lane was wanted than is given. kept: capacity is left, but later arrivals are
    likely to need it more. turn: 0 for the blind draw, 1 for exploration, 2 for rules, 3 for risk.
    """

    check: Ints
    lane: Ints
    asked: Ints
    wanted: Ints
    dropped: Bools
    kept: Bools
    turn: Ints


def allocate_checks(asked: Asked, periods: Periods) -> Given:
    """Allocate the checks, strictest first; what one kind has no capacity for asks for the next.

    Draws are granted in random order, never by score: where capacity is short, chance must stay blind. The draw of an
    explored consignment is divided by its probability, so that all drawn consignments are ordered evenly.
    """
    strictest = np.where(asked.random | asked.explored, PHYSICAL, NO_CHECK)
    wants = np.maximum(np.maximum(strictest, asked.rule_check), asked.rank_check)
    turn = np.where(asked.rule_check >= asked.rank_check, 2, 3)
    turn = np.where(asked.random, 0, np.where(asked.explored, 1, turn))
    order = np.lexsort((asked.draws.tie, _precedence(asked), turn))
    check = np.zeros(len(wants), np.int64)
    for name, kind in STRICTEST_FIRST:
        asks = (check == NO_CHECK) & (wants >= kind)
        if anywhere(asks):
            granted = asks & (periods.running(asks, order) <= periods.left[name])
            check = np.where(granted, kind, check)
    wanted = np.maximum(wants, asked.usual_check)
    lane = lane_of(check)
    dropped = lane < lane_of(wanted)
    kept = dropped & (asked.usual_check > wants) & (periods.left["physical"] > 0)
    return Given(check, lane, wants, wanted, dropped, kept, turn)


def _precedence(asked: Asked) -> Floats:
    """Return what orders the rows of one turn, the lowest first: a draw, or the score; unscored ones come first."""
    by_score = np.where(np.isnan(asked.margin), -np.inf, -asked.margin)
    if asked.first is not None:
        by_score = np.where(asked.first, -np.inf, by_score)
    evenly = asked.draws.second_draw / np.where(asked.explored, asked.explorable, 1.0)
    return np.where(asked.random, asked.draws.draw, np.where(asked.explored, evenly, by_score))


def lane_of(check: Ints) -> Ints:
    """Return the lane that each check leads to."""
    return np.minimum(check, RED)


def check_due_to(drawn: Bools, asked: Asked, check: Ints) -> Bools:
    """Select rows whose check was given because of this draw: a physical one, or one that nothing else asked for."""
    others = np.maximum(asked.rule_check, asked.rank_check)
    due: Bools = drawn & (check >= DOCUMENTS) & ((check == PHYSICAL) | (others < check))
    return due


def share_granted(drawn: Bools, due: Bools, periods: Periods) -> Floats:
    """Return the share of an office's and day's draws that capacity allowed."""
    if not anywhere(drawn):
        return np.ones(len(drawn))
    asked = periods.count(drawn)
    return np.where(asked > 0, periods.count(due) / np.maximum(asked, 1), 1.0)
