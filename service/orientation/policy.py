"""The policy: the consignments to check within the available capacity. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from features.algebra import Text
from features.algebra.tables import anywhere
from features.consignment import Consignments
from features.messages import Problems
from service.orientation.allocation import allocate_checks
from service.orientation.applications import protected
from service.orientation.asked import Asked
from service.orientation.campaigns import FINDING, FINDING_TEXT, Campaigns, ranks_within
from service.orientation.capacity import CapacityPlan
from service.orientation.columns import UNKNOWN, Bools, Floats, Hashes, Ints, Known, Numbers, first_of
from service.orientation.context import GIVEN_AGAIN, HISTORY, MODEL, ONE_BY_ONE, DecisionContext
from service.orientation.decision_assembly import Stamp, assemble_decisions
from service.orientation.decisions import Basis, Decisions
from service.orientation.draws import Draws, drawn
from service.orientation.exploration import Exploration, weights
from service.orientation.given_lanes import Lanes
from service.orientation.indicators import Indicators, texts_of
from service.orientation.labels import before_arrival, flagged, oriented
from service.orientation.lanes import GREEN, NO_CHECK, PHYSICAL, STRICTEST_FIRST, Lane, Track, check_of
from service.orientation.list_reasons import columns_of
from service.orientation.pacing import bands_of, paced
from service.orientation.periods import Periods
from service.orientation.reserved import Reserved
from service.orientation.rules import MICROS_OF_A_DAY, Rule
from service.orientation.taken import Taken
from service.orientation.track_assignment import follow
from service.orientation.track_conditions import Tracks
from service.scoring import Scores

UNKNOWN_PAST = "unknown-past"
PAST_UNKNOWN = {
    "en": "The past of the sender could not be looked up, so it counts as a new one",
    "fr": "Le passé de l'expéditeur n'a pas pu être consulté : il est traité comme nouveau",
    "zh": "无法查询寄件人历史，按新寄件人处理",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as loaded from its file.

    random_rate: share of all consignments drawn at random, before anything else.
    exploration: the draw by weight that follows it.
    least_risk: below it no model score asks for a check, however much capacity is left.
    unknown_past: the lane to ask for while history cannot be read, as then every sender may be a new one.
    indicators: by which checks are drawn while no model scores. reserved: checks for what is likeliest of a kind.
    """

    policy_id: str
    capacity: CapacityPlan
    random_rate: float
    exploration: Exploration
    seed: int
    least_risk: float
    vague_share: float
    rules: tuple[Rule, ...]
    text: str
    unknown_past: Lane = Lane.yellow
    tracks: Tracks = field(default_factory=Tracks)
    campaigns: Campaigns = field(default_factory=Campaigns)
    indicators: Indicators = field(default_factory=Indicators)
    reserved: Reserved = field(default_factory=Reserved)

    def orient(
        self, consignments: Consignments, scores: Scores, problems: Problems, context: DecisionContext
    ) -> Decisions:
        """Decide every consignment, with reasons in words."""
        texts = {rule.code: rule.reason for rule in self.rules} | {UNKNOWN_PAST: PAST_UNKNOWN, FINDING: FINDING_TEXT}
        stamp = Stamp(
            context.decided_at, context.language, self.policy_id, texts, context.history_as_of, context.lists_as_of,
            context.lost, texts_of(self.indicators.listed), decided_by_rules(scores, context), context.matches,
        )  # fmt: skip
        lanes = self.lanes(consignments, scores, problems, context)
        rows = assemble_decisions(consignments, lanes, scores, problems, stamp)
        basis, taken = self._basis(scores, context), Taken.of_lanes(lanes)
        return Decisions(rows, problems.refused, consignments, basis=basis, taken=taken)

    def _basis(self, scores: Scores, context: DecisionContext) -> Basis:
        spent = [row.as_json() for row in context.spent]
        return Basis(
            context.decided_at, context.competing, context.language, self.text, scores.model.sha256, spent,
            context.history_as_of, context.lists_as_of, context.lost, context.opened, context.found,
            context.anew, context.settled, context.edition, context.matches,
        )  # fmt: skip

    def lanes(self, consignments: Consignments, scores: Scores, problems: Problems, context: DecisionContext) -> Lanes:
        """Return what each consignment is given, in their order, and what led to it.

        The blind draw comes first, then exploration, rules and risk; each takes from the checks of its office and day
        until they are used up. What was asked for and refused for lack of capacity is marked in `dropped`.
        """
        as_written = context.edition == 1
        known = self.known(consignments, scores, codes_as_written=as_written)
        known.add(**columns_of(context.matches, len(known)))
        now = context.decided_at if context.anew else None
        periods = self.capacity.with_capacity(known, context.spent, now)
        asked = self._ask(known, periods, context, scores)
        low, high = scores.bounds()
        asked = replace(asked, by_kind=scores.by_kind(), low=low, high=high)
        if self.reserved.offices and asked.by_kind:
            shares = {kind.code: kind.share for kind in scores.model.kinds}
            asked = self.reserved.asked(asked, periods, self.least_risk, context.competing, shares)
        given = allocate_checks(asked, periods)
        early = before_arrival(
            known, asked, given.lane, problems, self.vague_share, context.edition,
            by_choice=decided_by_rules(scores, context),
        )  # fmt: skip
        decide_again = not GIVEN_AGAIN.isdisjoint(context.lost)
        labels = oriented(asked, given, periods, self.random_rate, early, decide_again=decide_again)
        followed = follow(
            given.lane, asked.rule_track, consignments, known, scores, self.tracks, edition=context.edition
        )
        return Lanes(periods, asked, given, labels, followed)

    def known(self, consignments: Consignments, scores: Scores, *, codes_as_written: bool = False) -> Known:
        """Return what is known of consignments: declared, scored, computed for the model, and of their rights."""
        known = Known(consignments.declared, scores.table, columns=scores.rows.columns)
        holder, authorised = protected(consignments, known, self.tracks.applications, codes_as_written=codes_as_written)
        known.add(right_holder=holder, sender_authorised=authorised)
        return known

    def _ask(self, known: Known, periods: Periods, context: DecisionContext, scores: Scores) -> Asked:
        """Collect what chance, rules and rank ask for."""
        margin, risk, below = (known.number(name) for name in ("margin", "risk", "share_below"))
        draws = drawn(self.seed, known)
        network = _first_known(known.text("network_id"), known.text("party_id"))
        rule_check, rule_track, rule_codes = self._ruled(known, network, context)
        rule_early = self._asked_early(known)
        behind = self.campaigns.places(network, margin, draws.tie, context.opened)
        if context.competing == "message":
            rank, of = self._ranked_within(margin, draws.tie, behind, periods)
            ahead, to_come = None, None
            usual_check = rank_check = self._reached(risk, rank, periods.able)
        else:
            rank, of = _ranked_on_ordinary_day(margin, below, periods.able["expected"])
            ahead, to_come = paced(periods, below)
            ahead = ahead * self.campaigns.further(behind)
            usual_check = self._reached(risk, rank, periods.able)
            rank_check = self._reached(risk, ahead, self._free_of_chance(periods, to_come, scores))
        random = draws.draw < self.random_rate
        sent = np.maximum(rule_check, rank_check) >= PHYSICAL
        withdrawn = known.text("purpose").is_one_of("cancellation")
        quiet = withdrawn | flagged(list(context.settled), len(known))
        by_rules = scores.model.trees is None
        by_weight = self._drawn_by_weight(known, sent, quiet, random, draws, periods, context, by_rules=by_rules)
        weight, explorable, explored, odd = by_weight
        asked = Asked(
            margin, risk, below, bands_of(below), network, withdrawn, draws,
            rule_check, rule_early, rule_track, rule_codes,
            behind, rank, of, ahead, to_come, usual_check, rank_check, weight, explorable, random, explored, odd,
        )  # fmt: skip
        return asked.without(quiet)

    def _drawn_by_weight(
        self, known: Known, sent: Bools, quiet: Bools, random: Bools, draws: Draws, periods: Periods,
        context: DecisionContext, *, by_rules: bool,
    ) -> tuple[Floats, Floats, Bools, dict[int, list[str]]]:  # fmt: skip
        """Return the weights, the chances and the draws of exploration, or of indicators with their codes by row.

        sent: to a physical check anyway. quiet: nothing is asked for.
        """
        days, odd = known.moments("lodged_at") // MICROS_OF_A_DAY, dict[int, list[str]]()
        if not (by_rules and self.indicators.listed):
            weight = np.where(sent, 0.0, weights(known))
            chance = self.exploration.chance(context.competing, weight, days, periods)
            return weight, chance, (draws.second_draw < chance) & ~random, odd
        points, odd = self.indicators.holding(known)
        if context.competing == "message" and context.edition > ONE_BY_ONE:
            weight, blindly = self.indicators.weights(points, sent | quiet), random & ~quiet
            return weight, *self.indicators.drawn_evenly(weight, sent & ~quiet, blindly, draws, days, periods), odd
        weight = self.indicators.weights(points, sent)
        chance = self.indicators.chance(context.competing, weight, sent, days, periods)
        return weight, chance, (draws.second_draw < chance) & ~random, odd

    def _ruled(self, known: Known, network: Text, context: DecisionContext) -> tuple[Ints, Ints, dict[int, list[str]]]:
        """Return the strictest check and track that any rule asks for, and the codes of rules by row.

        The order of rules does not matter. A lost past and findings in a network ask like rules.
        """
        check, track = np.zeros(len(known), np.int64), np.zeros(len(known), np.int64)
        codes: dict[int, list[str]] = {}
        for code, holds, lane, of_rule in self._asking(known, network, context):
            if not anywhere(holds):
                continue
            rows = np.flatnonzero(holds)
            check[rows] = np.maximum(check[rows], int(check_of(lane)))
            track[rows] = np.maximum(track[rows], of_rule)
            for row in rows.tolist():
                codes.setdefault(row, []).append(code)
        return check, track, codes

    def _asked_early(self, known: Known) -> Ints:
        """Return the strictest that any rule asks for before arrival (PreArrival)."""
        early = np.zeros(len(known), np.int64)
        for rule in self.rules:
            if rule.early:
                early = np.where(rule.holds(known), np.maximum(early, int(rule.early)), early)
        return early

    def _asking(
        self, known: Known, network: Text, context: DecisionContext
    ) -> Iterator[tuple[str, Bools, Lane, Track]]:
        """Give all that asks by a condition: its code, where it holds, and the lane and track that it asks for."""
        for rule in self.rules:
            yield rule.code, rule.holds(known), rule.lane, rule.track
        if HISTORY in context.lost and self.unknown_past > GREEN:
            yield UNKNOWN_PAST, np.ones(len(known), np.bool_), self.unknown_past, Track.none
        if context.found:
            yield FINDING, network.holds(frozenset(context.found).__contains__), self.campaigns.carried, Track.none

    def _ranked_within(self, margin: Floats, tie: Hashes, behind: Ints, periods: Periods) -> tuple[Ints, Ints]:
        """Return the rank of each consignment among those of its message and period, and how many there are."""
        scored = ~np.isnan(margin)
        rank = ranks_within(periods.of, self.campaigns.lowered(margin, behind), tie)
        of = periods.count(np.ones(len(margin), np.bool_))
        return np.where(scored, rank, UNKNOWN), np.where(scored, of, UNKNOWN)

    def _free_of_chance(self, periods: Periods, to_come: Floats, scores: Scores) -> dict[str, Numbers]:
        """Return the checks left for risk: without those reserved for kinds, and the draws of arrivals to come."""
        free: dict[str, Numbers] = dict(periods.left)
        left = periods.left["physical"] - self.random_rate * to_come
        if self.reserved.offices:
            left = left - self.reserved.kept([kind.code for kind in scores.model.kinds], periods)
        return free | {"physical": np.maximum(left, 0.0)}

    def _reached(self, risk: Floats, place: Numbers, able: Mapping[str, Numbers]) -> Ints:
        """Return the strictest check that reaches down to a place; none for risk below `least_risk`, or unscored."""
        reach: Numbers = np.zeros(len(risk))
        cases: list[tuple[Bools, int]] = [(~(risk >= self.least_risk), NO_CHECK)]
        for name, check in STRICTEST_FIRST:
            reach = reach + able[name]
            cases.append((place <= reach, check))
        return first_of(cases, NO_CHECK)


def decided_by_rules(scores: Scores, context: DecisionContext) -> bool:
    """Whether a person let rules decide without a model; not where a model was to decide and could not be loaded."""
    return scores.model.trees is None and MODEL not in context.lost


def _ranked_on_ordinary_day(margin: Floats, share_below: Floats, expected: Ints) -> tuple[Ints, Ints]:
    """Return the rank that each score would have on an ordinary day of its office, and how many such a day has."""
    scored = ~np.isnan(margin)
    above = np.floor((1.0 - np.where(np.isnan(share_below), 0.0, share_below)) * expected).astype(np.int64)
    of = np.maximum(expected, 1)
    return np.where(scored, np.minimum(above + 1, of), UNKNOWN), np.where(scored, of, UNKNOWN)


def _first_known(first: Text, second: Text) -> Text:
    """Return for each row its first text, or the second where it has none."""
    return Text.of([other if one is None else one for one, other in zip(first.rows(), second.rows(), strict=True)])
