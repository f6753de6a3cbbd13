"""From allocated checks to orientations at three moments, the cause of each selection and its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.messages import Problems
from features.messages.required_elements import rows_lacking
from service.orientation.allocation import Given, check_due_to, share_granted
from service.orientation.asked import Asked
from service.orientation.campaigns import held, leads
from service.orientation.columns import Bools, Floats, Ints, Known, first_of
from service.orientation.context import EDITION
from service.orientation.lanes import BLUE, PHYSICAL, RED, YELLOW, PostClearance, PreArrival
from service.orientation.periods import Periods

VAGUE = "wording_vague_share"
SELECTIONS = ("none", "random", "exploration", "rule", "campaign", "risk")
NOTHING, RANDOM, EXPLORATION, RULE, CAMPAIGN, RISK = range(len(SELECTIONS))
NO_RISK, DATA_INCOMPLETE, REQUEST_INFORMATION, REQUEST_AMENDMENT, REQUEST_SCREENING, CONTROL_RECOMMENDED = map(
    int, PreArrival
)
NOTHING_LATER, REASSESS, AUDIT_LATER = map(int, PostClearance)


@dataclass(frozen=True, slots=True)
class Labels:
    """The orientations of each consignment by number (PreArrival, PostClearance, SELECTIONS), and what led to them.

    selection_probability: of a check; NaN where there was no chance of one. held: waits for the checks of its network.
    leads: checked as the first of a network that others wait for.
    """

    pre_arrival: Ints
    post_clearance: Ints
    selection: Ints
    selection_probability: Floats
    held: Bools
    leads: Bools


def oriented(
    asked: Asked, given: Given, periods: Periods, random_rate: float, before_arrival: Ints, *, decide_again: bool
) -> Labels:
    """Return the orientations that given checks lead to, and the cause of each.

    decide_again: whether what is lacking now may change every decision but the strictest.
    """
    waits_for, first = held(asked.behind, given.check), leads(asked.behind, given.check, asked.network)
    looked_at = given.lane >= YELLOW
    blindly = check_due_to(asked.random, asked, given.check)
    by_weight = check_due_to(asked.explored, asked, given.check)
    by_rule = looked_at & (asked.rule_check >= given.check)
    causes = ((blindly, RANDOM), (by_weight, EXPLORATION), (by_rule, RULE), (first, CAMPAIGN), (looked_at, RISK))
    sent = (given.check == PHYSICAL) & (np.maximum(asked.rule_check, asked.rank_check) >= PHYSICAL)
    certain = looked_at & (~blindly & ~by_weight | sent)  # drawn or not, its check was certain
    by_blind_draw = random_rate * share_granted(asked.random, blindly, periods)
    by_exploration = (1.0 - random_rate) * asked.explorable * share_granted(asked.explored, by_weight, periods)
    chance = by_blind_draw + by_exploration
    drawable = np.where((chance > 0) & ~asked.withdrawn, chance, np.nan)
    again = (given.lane != RED) & ~asked.withdrawn & (decide_again | waits_for)
    later = np.where(again, REASSESS, NOTHING_LATER)
    return Labels(
        before_arrival,
        np.where(given.lane == BLUE, AUDIT_LATER, later),
        first_of(causes, NOTHING),
        np.where(certain, 1.0, drawable),
        waits_for,
        first,
    )


def before_arrival(
    known: Known,
    asked: Asked,
    lane: Ints,
    problems: Problems,
    vague_share: float,
    edition: int = EDITION,
    *,
    by_choice: bool = False,
) -> Ints:
    """Return what to do before arrival (PreArrival), from rules, lanes, vague wording and what a declaration lacks.

    A screening that a rule asks for is asked for whatever the lane: it is made before loading, the control after it.

    by_choice: whether a person let rules decide by themselves: what they find nothing in has no risk that they know of,
    as in any selection by rules. Where a model should have scored and did not, "no risk" may not be claimed.
    """
    requested = _lacking(problems, PreArrival.request_information.name, len(known))
    incomplete = _lacking(problems, PreArrival.data_incomplete.name, len(known))
    if edition == 1:
        incomplete = flagged(problems.odd.whole("row").values, len(known))
    vague = known.number_if_any(VAGUE) >= vague_share
    unscored = np.isnan(asked.margin) & (not by_choice)
    impossible = _lacking(problems, PreArrival.request_amendment.name, len(known)) & (edition > 3)
    by_rule = asked.rule_early
    cases = (
        (asked.withdrawn, NO_RISK),
        (by_rule == REQUEST_SCREENING, REQUEST_SCREENING),
        (lane == RED, CONTROL_RECOMMENDED),
        (impossible | (by_rule == REQUEST_AMENDMENT), REQUEST_AMENDMENT),
        (vague | requested | (by_rule == REQUEST_INFORMATION), REQUEST_INFORMATION),
        (incomplete | unscored, DATA_INCOMPLETE),
    )
    return first_of(cases, NO_RISK)


def _lacking(problems: Problems, orientation: str, size: int) -> Bools:
    """Return a flag for each row, set where an element is lacking that asks for this orientation."""
    return flagged(rows_lacking(problems.odd, orientation), size)


def flagged(places: Sequence[int] | Ints, size: int) -> Bools:
    """Return a flag for each row, set at these places."""
    flags = np.zeros(size, np.bool_)
    if len(places):
        flags[places] = True
    return flags
