"""The policy: the consignments to check within the available capacity. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from features.consignment import Consignments
from features.messages import Problems
from features.messages.read_message import Competing
from features.moments import iso
from service.scoring import Scores
from tests.oracle.orientation.allocation import allocate_checks, draw, tie
from tests.oracle.orientation.applications import protected
from tests.oracle.orientation.campaigns import FINDING, FINDING_TEXT, Campaigns, held, leads
from tests.oracle.orientation.capacity import CHECKS, CapacityPlan, at
from tests.oracle.orientation.context import GIVEN_AGAIN, HISTORY, DecisionContext
from tests.oracle.orientation.decision_assembly import Stamp, assemble_decisions
from tests.oracle.orientation.decisions import Basis, Decisions
from tests.oracle.orientation.exploration import WEIGHED, Exploration, weight
from tests.oracle.orientation.labels import VAGUE, oriented
from tests.oracle.orientation.lanes import Check, Lane, PostClearance, check_of
from tests.oracle.orientation.pacing import band_of, paced
from tests.oracle.orientation.rules import Rule
from tests.oracle.orientation.track_assignment import follow
from tests.oracle.orientation.track_conditions import Tracks

TAKEN = ("office", "begins", "lasts", "at", "band", "check", "held", "network", *CHECKS)
ASKED = ("rule_check", "rank_check", "usual_check")
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

    def orient(
        self, consignments: Consignments, scores: Scores, problems: Problems, context: DecisionContext
    ) -> Decisions:
        """Decide every consignment, with reasons in words."""
        texts = {rule.code: rule.reason for rule in self.rules} | {UNKNOWN_PAST: PAST_UNKNOWN, FINDING: FINDING_TEXT}
        stamp = Stamp(
            context.decided_at, context.language, self.policy_id, texts, context.history_as_of, context.lists_as_of,
            context.lost,
        )  # fmt: skip
        lanes = self.lanes(consignments, scores, problems, context)
        decided = assemble_decisions(consignments, lanes, scores, problems, stamp)
        return replace(decided, basis=self._basis(scores, context), taken=lanes.select(TAKEN))

    def _basis(self, scores: Scores, context: DecisionContext) -> Basis:
        spent = [{**row, "begins": iso(row["begins"])} for row in context.spent.to_dicts()]
        return Basis(
            context.decided_at, context.competing, context.language, self.text, scores.model.sha256, spent,
            context.history_as_of, context.lists_as_of, context.lost, dict(context.opened.iter_rows()), context.found,
            context.anew, context.settled, context.edition,
        )  # fmt: skip

    def lanes(
        self, consignments: Consignments, scores: Scores, problems: Problems, context: DecisionContext
    ) -> pl.DataFrame:
        """Return one row per consignment: `row`, rank, of, the orientations at three moments, selection and causes.

        The blind draw comes first, then exploration, rules and risk; each takes from the checks of its office and day
        until they are used up. What was asked for and refused for lack of capacity is marked in `dropped`.
        """
        known = consignments.frame.hstack(scores.frame.drop("row"))
        as_written = context.edition == 1
        known = known.hstack(protected(consignments, self.tracks.applications, codes_as_written=as_written))
        features = scores.rows.frame.select(c for c in scores.rows.frame.columns if c not in known.columns)
        asked = self._ask(known.hstack(features), context)
        given = allocate_checks(asked).with_columns(held().alias("held"), leads().alias("leads"))
        worded = oriented(given, problems, self.random_rate, self.vague_share, context.edition).sort("row")
        waits = pl.col("post_clearance").eq("none") & ~pl.col("withdrawn") & (pl.col("clearance") != Lane.red.name)
        decide_again = waits & (pl.lit(bool({*context.lost} & GIVEN_AGAIN)) | pl.col("held"))
        reassess = pl.when(decide_again).then(pl.lit(PostClearance.reassess.name)).otherwise(pl.col("post_clearance"))
        worded = worded.with_columns(reassess.alias("post_clearance"))
        return follow(worded, consignments, scores, self.tracks, codes_as_written=as_written)

    def _ask(self, known: pl.DataFrame, context: DecisionContext) -> pl.DataFrame:
        """Collect what chance, rules and rank ask for, with the remaining capacity of each office."""
        held = known.select(rule.holds().alias(str(i)) for i, rule in enumerate(self.rules))
        drawn = known.select(
            draw(self.seed).alias("draw"), draw(self.seed, "exploration").alias("second_draw"), tie().alias("tie")
        )
        missing = [name for name in (VAGUE, *WEIGHED) if name not in known.columns]  # a model without these inputs
        known = known.with_columns(pl.lit(None, pl.Float64).alias(name) for name in missing)
        known = known.with_columns(
            pl.col("office").fill_null("unknown"),
            pl.col("lodged_at").dt.date().alias("day"),
            at(context.decided_at if context.anew else None),
        )
        known = known.with_columns(self.capacity.begins()).with_columns(self.capacity.lasts())
        withdrawn = pl.col("purpose").eq("cancellation").fill_null(False).alias("withdrawn")
        frame = known.select(
            "row",
            "office",
            "day",
            "begins",
            "lasts",
            "at",
            "margin",
            "risk",
            "share_below",
            VAGUE,
            withdrawn,
            weight().alias("weight"),
            band_of(known["share_below"]),
            pl.coalesce("network_id", "party_id").alias("network"),
        )
        frame = frame.hstack(held).hstack(drawn).with_columns(pl.col("draw").lt(self.random_rate).alias("random"))
        ruled = self._with_rules(self.capacity.with_capacity(frame, context.spent.select("office", "begins", *CHECKS)))
        if HISTORY in context.lost and self.unknown_past > Lane.green:
            ruled = _asked_too(ruled, self.unknown_past, UNKNOWN_PAST, pl.lit(True))
        if context.found:
            ruled = _asked_too(ruled, self.campaigns.carried, FINDING, pl.col("network").is_in(context.found))
        ruled = self.campaigns.places(ruled, context.opened)
        frame = self._with_rank(ruled, context)
        nothing = pl.col("withdrawn") | pl.col("row").is_in(context.settled)
        return _not_asking(self._with_exploration(frame, context.competing), nothing)

    def _with_rules(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add `rule_check` and `rule_track`: the strictest that any rule asks for; rule order does not matter."""
        checks = [
            pl.when(pl.col(str(i))).then(int(check_of(rule.lane))).otherwise(0) for i, rule in enumerate(self.rules)
        ]
        tracks = [pl.when(pl.col(str(i))).then(int(rule.track)).otherwise(0) for i, rule in enumerate(self.rules)]
        codes = [pl.when(pl.col(str(i))).then(pl.lit(rule.code)) for i, rule in enumerate(self.rules)]
        return frame.with_columns(
            pl.max_horizontal(pl.lit(0), *checks).alias("rule_check"),
            pl.max_horizontal(pl.lit(0), *tracks).alias("rule_track"),
            pl.concat_list(codes).list.drop_nulls().alias("rule_codes")
            if codes
            else pl.lit([], dtype=pl.List(pl.String)).alias("rule_codes"),
        ).drop(str(i) for i in range(len(self.rules)))

    def _with_rank(self, frame: pl.DataFrame, context: DecisionContext) -> pl.DataFrame:
        """Add `rank` among `of`, within the message or on an ordinary day of the office, and the checks that follow.

        usual_check: what the rank asks for by itself. rank_check: what risk asks for: within a message the same; for a
        call, what the remaining checks reach, given the arrivals still expected.
        """
        if context.competing == "message":
            order = pl.struct(-self.campaigns.lowered(), "tie").rank("ordinal").over("office", "begins")
            ranked = frame.with_columns(
                order.cast(pl.Int64).alias("rank"), pl.len().over("office", "begins").alias("of")
            )
        else:
            above = ((1.0 - pl.col("share_below")) * pl.col("expected")).floor().cast(pl.Int64)
            of = pl.max_horizontal("expected", pl.lit(1, pl.Int64))
            ranked = frame.with_columns(pl.min_horizontal(above + 1, of).alias("rank"), of.alias("of"))
        scored = pl.col("margin").is_not_null()
        ranked = ranked.with_columns(pl.when(scored).then(pl.col("rank")), pl.when(scored).then(pl.col("of")))
        usual = self._reached("rank", {kind: pl.col(kind) for kind in CHECKS}).alias("usual_check")
        if context.competing == "message":
            return ranked.with_columns(usual).with_columns(pl.col("usual_check").alias("rank_check"))
        left = {kind: pl.col(f"{kind}_left") for kind in CHECKS}
        left["physical"] = (left["physical"] - self.random_rate * pl.col("to_come")).clip(0)  # chance is still to draw
        ahead = paced(ranked, context.spent).with_columns(pl.col("ahead") * self.campaigns.further())
        return ahead.with_columns(usual, self._reached("ahead", left).alias("rank_check"))

    def _reached(self, place: str, able: Mapping[str, pl.Expr]) -> pl.Expr:
        """Return the strictest check that reaches down to a place; none for risk below `least_risk`."""
        reach, asked = pl.lit(0.0), []
        for check in sorted(Check, reverse=True)[:-1]:
            reach = reach + able[check.name]
            asked.append(pl.when(pl.col(place) <= reach).then(int(check)))
        worth = pl.col("risk") >= self.least_risk
        return pl.when(worth).then(pl.coalesce(*asked, pl.lit(0))).otherwise(0)

    def _with_exploration(self, frame: pl.DataFrame, competing: Competing) -> pl.DataFrame:
        """Add `explorable`, the probability of the weighted draw where the blind one missed, and `explored`, its
        result."""
        sent = pl.max_horizontal("rule_check", "rank_check") >= int(Check.physical)
        weighed = frame.with_columns(pl.when(sent).then(0.0).otherwise(pl.col("weight")).alias("weight"))
        chanced = weighed.with_columns(self.exploration.chance(competing).alias("explorable"))
        drawn = (pl.col("second_draw") < pl.col("explorable")) & ~pl.col("random")
        return chanced.with_columns(drawn.alias("explored"))


def _asked_too(frame: pl.DataFrame, lane: Lane, code: str, where: pl.Expr) -> pl.DataFrame:
    """Ask for a lane in addition to the rules, and add its reason code."""
    asked = pl.max_horizontal("rule_check", pl.lit(int(check_of(lane))))
    codes = pl.concat_list("rule_codes", pl.lit(code))
    return frame.with_columns(
        pl.when(where.fill_null(False)).then(asked).otherwise("rule_check").alias("rule_check"),
        pl.when(where.fill_null(False)).then(codes).otherwise("rule_codes").alias("rule_codes"),
    )


def _not_asking(frame: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """Clear every request for these: withdrawn declarations, and consignments already sent to the strictest check."""
    return frame.with_columns(
        *(pl.when(which).then(0).otherwise(pl.col(asked)).alias(asked) for asked in ASKED),
        *(pl.col(drawn) & ~which for drawn in ("random", "explored")),
        pl.when(which).then(0.0).otherwise(pl.col("explorable")).alias("explorable"),
    )
