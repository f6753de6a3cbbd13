"""The policy: who is looked at, with the hands there are. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from features.consignment import Consignments
from features.messages import Problems
from features.messages.reading import Competing
from service.orientation.applications import protected
from service.orientation.campaigns import FINDING, FOUND, Campaigns, held, leads
from service.orientation.capacity import CHECKS, Hands, at
from service.orientation.deciding import Stamp, decide
from service.orientation.decisions import Basis, Decisions, iso
from service.orientation.exploration import WEIGHED, Exploration, weight
from service.orientation.following import follow
from service.orientation.giving import draw, give, tie
from service.orientation.lanes import Check, Lane, PostClearance, check_of
from service.orientation.moment import GIVEN_AGAIN, HISTORY, Moment
from service.orientation.orienting import VAGUE, oriented
from service.orientation.pacing import band_of, paced
from service.orientation.rules import Rule
from service.orientation.track import Tracks
from service.scoring import Scores

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

    random_rate: share of all consignments drawn blindly, before anything else.
    exploration: what is drawn by weight, after it.
    least_risk: below it no model score asks for a check, however much capacity is left.
    unknown_past: the lane that is asked for while history cannot be read, as then every sender may be a new one.
    """

    policy_id: str
    hands: Hands
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

    def orient(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> Decisions:
        """The decision on every consignment, its reasons in words."""
        texts = {rule.code: rule.reason for rule in self.rules} | {UNKNOWN_PAST: PAST_UNKNOWN, FINDING: FOUND}
        stamp = Stamp(
            moment.decided_at, moment.language, self.policy_id, texts, moment.history_as_of, moment.lists_as_of,
            moment.lost,
        )  # fmt: skip
        lanes = self.lanes(consignments, scores, problems, moment)
        decided = decide(consignments, lanes, scores, problems, stamp)
        return replace(decided, basis=self._basis(scores, moment), taken=lanes.select(TAKEN))

    def _basis(self, scores: Scores, moment: Moment) -> Basis:
        spent = [{**row, "begins": iso(row["begins"])} for row in moment.spent.to_dicts()]
        return Basis(
            moment.decided_at, moment.competing, moment.language, self.text, scores.model.sha256, spent,
            moment.history_as_of, moment.lists_as_of, moment.lost, dict(moment.opened.iter_rows()), moment.found,
            moment.anew, moment.settled,
        )  # fmt: skip

    def lanes(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> pl.DataFrame:
        """One row a consignment: `row`, rank, of, the orientations at three moments, the selection, and its causes.

        Blind chance comes first, then exploration, rules and risk; each takes from the checks of its office and day
        until they are spent. What was asked for and capacity refused is named in `dropped`.
        """
        known = consignments.frame.hstack(scores.frame.drop("row"))
        known = known.hstack(protected(consignments, self.tracks.applications))
        features = scores.rows.frame.select(c for c in scores.rows.frame.columns if c not in known.columns)
        asked = self._ask(known.hstack(features), moment)
        given = give(asked).with_columns(held().alias("held"), leads().alias("leads"))
        worded = oriented(given, problems, self.random_rate, self.vague_share).sort("row")
        waits = pl.col("post_clearance").eq("none") & ~pl.col("withdrawn") & (pl.col("clearance") != Lane.red.name)
        again = waits & (pl.lit(bool({*moment.lost} & GIVEN_AGAIN)) | pl.col("held"))
        reassess = pl.when(again).then(pl.lit(PostClearance.reassess.name)).otherwise(pl.col("post_clearance"))
        return follow(worded.with_columns(reassess.alias("post_clearance")), consignments, scores, self.tracks)

    def _ask(self, known: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        """What chance, rules and rank ask for, beside what the office can still do today."""
        held = known.select(rule.holds().alias(str(i)) for i, rule in enumerate(self.rules))
        drawn = known.select(
            draw(self.seed).alias("draw"), draw(self.seed, "exploration").alias("second_draw"), tie().alias("tie")
        )
        lacking = [name for name in (VAGUE, *WEIGHED) if name not in known.columns]  # a model without these inputs
        known = known.with_columns(pl.lit(None, pl.Float64).alias(name) for name in lacking)
        known = known.with_columns(
            pl.col("office").fill_null("unknown"),
            pl.col("lodged_at").dt.date().alias("day"),
            at(moment.decided_at if moment.anew else None),
        )
        known = known.with_columns(self.hands.begins()).with_columns(self.hands.lasts())
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
        ruled = self._with_rules(self.hands.beside(frame, moment.spent.select("office", "begins", *CHECKS)))
        if HISTORY in moment.lost and self.unknown_past > Lane.green:
            ruled = _asked_too(ruled, self.unknown_past, UNKNOWN_PAST, pl.lit(True))
        if moment.found:
            ruled = _asked_too(ruled, self.campaigns.carried, FINDING, pl.col("network").is_in(moment.found))
        ruled = self.campaigns.places(ruled, moment.opened)
        frame = self._with_rank(ruled, moment)
        nothing = pl.col("withdrawn") | pl.col("row").is_in(moment.settled)
        return _not_asking(self._with_exploration(frame, moment.competing), nothing)

    def _with_rules(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`rule_check` and `rule_track`: the strictest that any rule asks for; the order of rules does not matter."""
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

    def _with_rank(self, frame: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        """`rank` among `of`, within the message or on an ordinary day of the office, and the checks that follow.

        usual_check: what the rank asks for by itself. rank_check: what risk asks for: within a message the same; of a
        call what the checks that are left reach, as many as are still to come.
        """
        if moment.competing == "message":
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
        if moment.competing == "message":
            return ranked.with_columns(usual).with_columns(pl.col("usual_check").alias("rank_check"))
        left = {kind: pl.col(f"{kind}_left") for kind in CHECKS}
        left["physical"] = (left["physical"] - self.random_rate * pl.col("to_come")).clip(0)  # chance is still to draw
        there = paced(ranked, moment.spent).with_columns(pl.col("ahead") * self.campaigns.further())
        return there.with_columns(usual, self._reached("ahead", left).alias("rank_check"))

    def _reached(self, place: str, able: Mapping[str, pl.Expr]) -> pl.Expr:
        """The strictest check that reaches down to a place; none for what is not worth one."""
        reach, asked = pl.lit(0.0), []
        for check in sorted(Check, reverse=True)[:-1]:
            reach = reach + able[check.name]
            asked.append(pl.when(pl.col(place) <= reach).then(int(check)))
        worth = pl.col("risk") >= self.least_risk
        return pl.when(worth).then(pl.coalesce(*asked, pl.lit(0))).otherwise(0)

    def _with_exploration(self, frame: pl.DataFrame, competing: Competing) -> pl.DataFrame:
        """`explorable`: the chance to be drawn by weight where the blind draw passed by; `explored`: whether it was."""
        sent = pl.max_horizontal("rule_check", "rank_check") >= int(Check.physical)
        weighed = frame.with_columns(pl.when(sent).then(0.0).otherwise(pl.col("weight")).alias("weight"))
        chanced = weighed.with_columns(self.exploration.chance(competing).alias("explorable"))
        drawn = (pl.col("second_draw") < pl.col("explorable")) & ~pl.col("random")
        return chanced.with_columns(drawn.alias("explored"))


def _asked_too(frame: pl.DataFrame, lane: Lane, code: str, where: pl.Expr) -> pl.DataFrame:
    """Ask for a lane beside what the rules ask for, and name why."""
    asked = pl.max_horizontal("rule_check", pl.lit(int(check_of(lane))))
    codes = pl.concat_list("rule_codes", pl.lit(code))
    return frame.with_columns(
        pl.when(where.fill_null(False)).then(asked).otherwise("rule_check").alias("rule_check"),
        pl.when(where.fill_null(False)).then(codes).otherwise("rule_codes").alias("rule_codes"),
    )


def _not_asking(frame: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """Nothing asks for these: no parcel comes under a declaration that was taken back, and none is opened twice."""
    return frame.with_columns(
        *(pl.when(which).then(0).otherwise(pl.col(asked)).alias(asked) for asked in ASKED),
        *(pl.col(drawn) & ~which for drawn in ("random", "explored")),
        pl.when(which).then(0.0).otherwise(pl.col("explorable")).alias("explorable"),
    )
