"""The policy: who is looked at, with the hands there are. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from features.consignment import Consignments
from features.messages import Problems
from features.messages.quality import to_be_asked
from features.messages.reading import Competing
from service.orientation.decisions import Basis, Decisions, Stamp, decide
from service.orientation.exploration import WEIGHED, Exploration, weight
from service.orientation.giving import draw, give, owed_to, served, tie
from service.orientation.lanes import Lane, PostClearance, PreArrival, Track
from service.orientation.rules import Rule
from service.scoring import Scores
from service.scoring.explanation import Language

CHECKS = ("physical", "documents", "audit")
VAGUE = "wording_vague_share"
HISTORY = "history"  # what a decision lacked, in the words of its degraded reasons
GIVEN_AGAIN = {HISTORY, "model"}  # what lacks one of these is decided again once it is back
UNKNOWN_PAST = "unknown-past"
PAST_UNKNOWN = {
    "en": "The past of the sender could not be looked up, so it counts as a new one",
    "fr": "Le passé de l'expéditeur n'a pas pu être consulté : il est traité comme nouveau",
    "zh": "无法查询寄件人历史，按新寄件人处理",
}


@dataclass(frozen=True, slots=True)
class Capacity:
    """Checks that one office can make in one day, by kind, and the consignments it expects."""

    physical: int
    documents: int
    audit: int
    expected: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of one message: when it is decided, what it competes with, what the day has spent.

    spent: `office`, `day`, `physical`, `documents`, `audit`: checks already given out.
    history_as_of: the latest fact that the history held. lists_as_of: when a watch list last changed. lost: what could
    not be read, such as `history`.
    """

    decided_at: datetime
    competing: Competing
    spent: pl.DataFrame
    history_as_of: datetime | None = None
    language: Language = "en"
    lists_as_of: datetime | None = None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as loaded from its file.

    random_rate: share of all consignments drawn blindly, before anything else.
    exploration: what is drawn by weight, after it.
    least_risk: below it no model score asks for a check, however much capacity is left.
    unknown_past: the lane that is asked for while history cannot be read, as then every sender may be a new one.
    """

    policy_id: str
    default: Capacity
    offices: Mapping[str, Capacity]
    random_rate: float
    exploration: Exploration
    seed: int
    least_risk: float
    vague_share: float
    rules: tuple[Rule, ...]
    text: str
    unknown_past: Lane = Lane.yellow

    def orient(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> Decisions:
        """The decision on every consignment, its reasons in words."""
        texts = {rule.code: rule.reason for rule in self.rules} | {UNKNOWN_PAST: PAST_UNKNOWN}
        stamp = Stamp(
            moment.decided_at, moment.language, self.policy_id, texts, moment.history_as_of, moment.lists_as_of,
            moment.lost,
        )  # fmt: skip
        decided = decide(consignments, self.lanes(consignments, scores, problems, moment), scores, problems, stamp)
        return replace(decided, basis=self._basis(scores, moment))

    def _basis(self, scores: Scores, moment: Moment) -> Basis:
        spent = moment.spent.with_columns(pl.col("day").cast(pl.String)).to_dicts()
        return Basis(
            moment.decided_at, moment.competing, moment.language, self.text, scores.model.sha256, spent,
            moment.history_as_of, moment.lists_as_of, moment.lost,
        )  # fmt: skip

    def lanes(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> pl.DataFrame:
        """One row a consignment: `row`, rank, of, the orientations at three moments, the selection, and its causes.

        Blind chance comes first, then exploration, rules and risk; each takes from the checks of its office and day
        until they are spent. What was asked for and capacity refused is named in `dropped`.
        """
        known = consignments.frame.hstack(scores.frame.drop("row"))
        features = scores.rows.frame.select(c for c in scores.rows.frame.columns if c not in known.columns)
        asked = self._ask(known.hstack(features), moment)
        worded = self._worded(give(asked), problems).sort("row")
        waits = pl.col("post_clearance").eq("none") & ~pl.col("withdrawn") & (pl.col("clearance") != Lane.red.name)
        again = waits & bool({*moment.lost} & GIVEN_AGAIN)
        reassess = pl.when(again).then(pl.lit(PostClearance.reassess.name)).otherwise(pl.col("post_clearance"))
        return worded.with_columns(reassess.alias("post_clearance"))

    def _ask(self, known: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        """What chance, rules and rank ask for, beside what the office can still do today."""
        held = known.select(rule.holds().alias(str(i)) for i, rule in enumerate(self.rules))
        drawn = known.select(
            draw(self.seed).alias("draw"), draw(self.seed, "exploration").alias("second_draw"), tie().alias("tie")
        )
        lacking = [name for name in (VAGUE, *WEIGHED) if name not in known.columns]  # a model without these inputs
        known = known.with_columns(pl.lit(None, pl.Float64).alias(name) for name in lacking)
        known = known.with_columns(pl.col("office").fill_null("unknown"), pl.col("lodged_at").dt.date().alias("day"))
        withdrawn = pl.col("purpose").eq("cancellation").fill_null(False).alias("withdrawn")
        frame = known.select(
            "row", "office", "day", "margin", "risk", "share_below", VAGUE, withdrawn, weight().alias("weight")
        )
        frame = frame.hstack(held).hstack(drawn).with_columns(pl.col("draw").lt(self.random_rate).alias("random"))
        ruled = self._with_rules(self._with_capacity(frame, moment))
        if HISTORY in moment.lost and self.unknown_past > Lane.green:
            ruled = self._with_unknown_past(ruled)
        frame = self._with_rank(ruled, moment.competing)
        return self._without_withdrawn(self._with_exploration(frame, moment.competing))

    @staticmethod
    def _without_withdrawn(frame: pl.DataFrame) -> pl.DataFrame:
        """Nothing asks for what was withdrawn: no parcel comes under a declaration that was taken back."""
        withdrawn = pl.col("withdrawn")
        return frame.with_columns(
            *(pl.when(withdrawn).then(0).otherwise(pl.col(lane)).alias(lane) for lane in ("rule_lane", "rank_lane")),
            *(pl.col(drawn) & ~withdrawn for drawn in ("random", "explored")),
            pl.when(withdrawn).then(0.0).otherwise(pl.col("explorable")).alias("explorable"),
        )

    def _with_capacity(self, frame: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        rows = [
            (office, *(getattr(capacity, kind) for kind in (*CHECKS, "expected")))
            for office, capacity in ((o, self.offices.get(o, self.default)) for o in frame["office"].unique())
        ]
        names = {"office": pl.String, **dict.fromkeys((*CHECKS, "expected"), pl.Int64)}
        capacity = pl.DataFrame(rows, schema=names, orient="row")
        beside = frame.join(capacity, on="office", how="left", maintain_order="left").join(
            moment.spent, on=["office", "day"], how="left", maintain_order="left", suffix="_spent"
        )
        left = [(pl.col(k) - pl.col(f"{k}_spent").fill_null(0)).clip(0).alias(f"{k}_left") for k in CHECKS]
        return beside.with_columns(left)

    def _with_rules(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`rule_lane` and `rule_track`: the strictest that any rule asks for; the order of rules does not matter."""
        lanes = [pl.when(pl.col(str(i))).then(int(rule.lane)).otherwise(0) for i, rule in enumerate(self.rules)]
        tracks = [pl.when(pl.col(str(i))).then(int(rule.track)).otherwise(0) for i, rule in enumerate(self.rules)]
        codes = [pl.when(pl.col(str(i))).then(pl.lit(rule.code)) for i, rule in enumerate(self.rules)]
        return frame.with_columns(
            pl.max_horizontal(pl.lit(0), *lanes).alias("rule_lane"),
            pl.max_horizontal(pl.lit(0), *tracks).alias("rule_track"),
            pl.concat_list(codes).list.drop_nulls().alias("rule_codes")
            if codes
            else pl.lit([], dtype=pl.List(pl.String)).alias("rule_codes"),
        ).drop(str(i) for i in range(len(self.rules)))

    def _with_unknown_past(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Ask for the lane of senders whose past cannot be looked up, beside what the rules ask for."""
        return frame.with_columns(
            pl.max_horizontal("rule_lane", pl.lit(int(self.unknown_past))),
            pl.concat_list("rule_codes", pl.lit(UNKNOWN_PAST)).alias("rule_codes"),
        )

    def _with_rank(self, frame: pl.DataFrame, competing: Competing) -> pl.DataFrame:
        """`rank` among `of`: within the message, or where the score would stand on an ordinary day of the office."""
        if competing == "message":
            order = pl.struct(-pl.col("margin"), "tie").rank("ordinal").over("office", "day")
            ranked = frame.with_columns(order.cast(pl.Int64).alias("rank"), pl.len().over("office", "day").alias("of"))
        else:
            above = ((1.0 - pl.col("share_below")) * pl.col("expected")).floor().cast(pl.Int64)
            of = pl.max_horizontal("expected", pl.lit(1, pl.Int64))
            ranked = frame.with_columns(pl.min_horizontal(above + 1, of).alias("rank"), of.alias("of"))
        scored = pl.col("margin").is_not_null()
        ranked = ranked.with_columns(pl.when(scored).then(pl.col("rank")), pl.when(scored).then(pl.col("of")))
        worth = pl.col("risk") >= self.least_risk
        first, second = pl.col("physical"), pl.col("physical") + pl.col("documents")
        third = second + pl.col("audit")
        lane = pl.when(pl.col("rank") <= first).then(3).when(pl.col("rank") <= second).then(2)
        lane = lane.when(pl.col("rank") <= third).then(1)
        return ranked.with_columns(pl.when(worth).then(lane.otherwise(0)).otherwise(0).alias("rank_lane"))

    def _with_exploration(self, frame: pl.DataFrame, competing: Competing) -> pl.DataFrame:
        """`explorable`: the chance to be drawn by weight where the blind draw passed by; `explored`: whether it was."""
        sent = pl.max_horizontal("rule_lane", "rank_lane") >= int(Lane.red)
        weighed = frame.with_columns(pl.when(sent).then(0.0).otherwise(pl.col("weight")).alias("weight"))
        chanced = weighed.with_columns(self.exploration.chance(competing).alias("explorable"))
        drawn = (pl.col("second_draw") < pl.col("explorable")) & ~pl.col("random")
        return chanced.with_columns(drawn.alias("explored"))

    def _chance(self) -> pl.Expr:
        """The chance to be looked at by either draw, less what capacity refused of the draws."""
        by_weight = (1.0 - self.random_rate) * pl.col("explorable") * served("explored")
        chance = self.random_rate * served("random") + by_weight
        return pl.when((chance > 0) & ~pl.col("withdrawn")).then(chance)

    def _worded(self, given: pl.DataFrame, problems: Problems) -> pl.DataFrame:
        requested = to_be_asked(problems.found)
        incomplete = problems.found["row"].unique()
        pre_arrival = (
            pl.when("withdrawn")
            .then(pl.lit(PreArrival.no_risk.name))
            .when(pl.col("lane") == Lane.red)
            .then(pl.lit(PreArrival.control_recommended.name))
            .when((pl.col(VAGUE) >= self.vague_share) | pl.col("row").is_in(requested.implode()))
            .then(pl.lit(PreArrival.request_information.name))
            .when(pl.col("row").is_in(incomplete.implode()))
            .then(pl.lit(PreArrival.data_incomplete.name))
            .when(pl.col("margin").is_null())  # nothing has scored it: nobody may say that there is no risk
            .then(pl.lit(PreArrival.data_incomplete.name))
            .otherwise(pl.lit(PreArrival.no_risk.name))
        )
        looked_at = pl.col("lane") >= Lane.yellow
        blindly, by_weight = owed_to("random"), owed_to("explored")
        by_rule = looked_at & (pl.col("rule_lane") >= pl.col("lane"))
        selection = pl.when(blindly).then(pl.lit("random")).when(by_weight).then(pl.lit("exploration"))
        selection = selection.when(by_rule).then(pl.lit("rule"))
        sent = (pl.col("lane") == Lane.red) & (pl.max_horizontal("rule_lane", "rank_lane") >= int(Lane.red))
        certain = looked_at & (~blindly & ~by_weight | sent)  # drawn or not, what was sent anyway was sure of its check
        chance = pl.when(certain).then(1.0).otherwise(self._chance())
        return given.with_columns(
            pre_arrival.alias("pre_arrival"),
            pl.col("lane").replace_strict({int(x): x.name for x in Lane}, return_dtype=pl.String).alias("clearance"),
            pl.when(pl.col("lane") == Lane.blue).then(pl.lit("audit")).otherwise(pl.lit("none"))
            .alias("post_clearance"),
            pl.when(looked_at).then(pl.col("rule_track")).otherwise(0)
            .replace_strict({int(x): x.name for x in Track}, return_dtype=pl.String).alias("track"),
            selection.when(looked_at).then(pl.lit("risk")).otherwise(pl.lit("none")).alias("selection"),
            chance.alias("selection_probability"),
        )  # fmt: skip
