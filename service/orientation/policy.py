"""The policy: who is looked at, with the hands there are. A pure function of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import polars_hash as plh

from features.consignment import Consignments
from features.messages import Problems
from features.messages.reading import Competing
from service.orientation.decisions import Decisions, Stamp, decide
from service.orientation.lanes import Lane, PreArrival, Track
from service.orientation.rules import Rule
from service.scoring import Scores
from service.scoring.explanation import Language

CHECKS = ("physical", "documents", "audit")
REQUESTED_FIELDS = ("hs_code", "consignor_name", "consignor_address", "consignee_name", "consignee_address")


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
    history_as_of: the latest fact that the history held.
    """

    decided_at: datetime
    competing: Competing
    spent: pl.DataFrame
    history_as_of: datetime | None = None
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as loaded from its file.

    random_rate: share of all consignments drawn by chance, before anything else.
    least_risk: below it no model score asks for a check, however much capacity is left.
    """

    policy_id: str
    default: Capacity
    offices: Mapping[str, Capacity]
    random_rate: float
    seed: int
    least_risk: float
    vague_share: float
    rules: tuple[Rule, ...]
    text: str

    def orient(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> Decisions:
        """The decision on every consignment, its reasons in words."""
        texts = {rule.code: rule.reason for rule in self.rules}
        stamp = Stamp(moment.decided_at, moment.language, self.policy_id, texts, moment.history_as_of)
        return decide(consignments, self.lanes(consignments, scores, problems, moment), scores, problems, stamp)

    def lanes(self, consignments: Consignments, scores: Scores, problems: Problems, moment: Moment) -> pl.DataFrame:
        """One row a consignment: `row`, rank, of, the orientations at three moments, the selection, and its causes.

        Chance comes first, then rules, then risk; each takes from the checks of its office and day until they are
        spent. What a rule, chance or rank asked for and capacity refused is named in `dropped`.
        """
        known = consignments.frame.hstack(scores.frame.drop("row"))
        features = scores.rows.frame.select(c for c in scores.rows.frame.columns if c not in known.columns)
        asked = self._ask(known.hstack(features), moment)
        return self._worded(_give(asked), problems).sort("row")

    def _ask(self, known: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        """What chance, rules and rank ask for, beside what the office can still do today."""
        held = known.select(rule.holds().alias(str(i)) for i, rule in enumerate(self.rules))
        drawn = known.select(_draw(self.seed).alias("draw"), _tie().alias("tie"))
        vague = "wording_vague_share"
        if vague not in known.columns:  # a model without this input: nothing is known of the wording
            known = known.with_columns(pl.lit(None, pl.Float64).alias(vague))
        known = known.with_columns(pl.col("office").fill_null("unknown"), pl.col("lodged_at").dt.date().alias("day"))
        frame = known.select("row", "office", "day", "margin", "risk", "share_below", vague)
        frame = frame.hstack(held).hstack(drawn).with_columns(pl.col("draw").lt(self.random_rate).alias("random"))
        frame = self._with_capacity(frame, moment)
        return self._with_rank(self._with_rules(frame), moment.competing)

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

    def _with_rank(self, frame: pl.DataFrame, competing: Competing) -> pl.DataFrame:
        """`rank` among `of`: within the message, or where the score would stand on an ordinary day of the office."""
        if competing == "message":
            order = pl.struct(-pl.col("margin"), "tie").rank("ordinal").over("office", "day")
            ranked = frame.with_columns(order.cast(pl.Int64).alias("rank"), pl.len().over("office", "day").alias("of"))
        else:
            above = ((1.0 - pl.col("share_below")) * pl.col("expected")).floor().cast(pl.Int64)
            of = pl.max_horizontal("expected", pl.lit(1, pl.Int64))
            ranked = frame.with_columns(pl.min_horizontal(above + 1, of).alias("rank"), of.alias("of"))
        worth = pl.col("risk") >= self.least_risk
        first, second = pl.col("physical"), pl.col("physical") + pl.col("documents")
        third = second + pl.col("audit")
        lane = pl.when(pl.col("rank") <= first).then(3).when(pl.col("rank") <= second).then(2)
        lane = lane.when(pl.col("rank") <= third).then(1)
        return ranked.with_columns(pl.when(worth).then(lane.otherwise(0)).otherwise(0).alias("rank_lane"))

    def _chance(self) -> pl.Expr:
        """The chance with which anything was looked at blindly: the rate, less what capacity refused of the draws."""
        drawn = pl.col("random").sum().over("office", "day")
        given = _by_chance().sum().over("office", "day")
        share = pl.when(drawn > 0).then(given / drawn).otherwise(1.0)
        chance = share * self.random_rate
        return pl.when(chance > 0).then(chance)

    def _worded(self, given: pl.DataFrame, problems: Problems) -> pl.DataFrame:
        requested = problems.found.filter(pl.col("field").is_in(REQUESTED_FIELDS))["row"].unique()
        incomplete = problems.found["row"].unique()
        pre_arrival = (
            pl.when(pl.col("lane") == Lane.red)
            .then(pl.lit(PreArrival.control_recommended.name))
            .when((pl.col("wording_vague_share") >= self.vague_share) | pl.col("row").is_in(requested.implode()))
            .then(pl.lit(PreArrival.request_information.name))
            .when(pl.col("row").is_in(incomplete.implode()))
            .then(pl.lit(PreArrival.data_incomplete.name))
            .otherwise(pl.lit(PreArrival.no_risk.name))
        )
        looked_at = pl.col("lane") >= Lane.yellow
        by_chance = _by_chance()
        by_rule = looked_at & (pl.col("rule_lane") >= pl.col("lane"))
        selection = pl.when(by_chance).then(pl.lit("random")).when(by_rule).then(pl.lit("rule"))
        chance = pl.when(looked_at & ~by_chance).then(1.0).otherwise(self._chance())
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


def _by_chance() -> pl.Expr:
    """Whether a check was given because chance asked for it: a physical one, or one that nothing else asked for."""
    others = pl.max_horizontal("rule_lane", "rank_lane")
    return (
        pl.col("random") & (pl.col("lane") >= Lane.yellow) & ((pl.col("lane") == Lane.red) | (others < pl.col("lane")))
    )


def _give(asked: pl.DataFrame) -> pl.DataFrame:
    """Hand out the checks, strictest lane first; what one lane cannot take asks for the next.

    Draws are served in the order of the draw, never of the score: with few hands, chance must stay blind.
    """
    frame = asked.with_columns(
        pl.max_horizontal(pl.when("random").then(3).otherwise(0), "rule_lane", "rank_lane").alias("wanted"),
        pl.when("random").then(0).when(pl.col("rule_lane") >= pl.col("rank_lane")).then(1).otherwise(2).alias("turn"),
        pl.lit(0).alias("lane"),
    ).sort("turn", pl.when("random").then(pl.col("draw")).otherwise(-pl.col("margin")), "tie")
    for lane, kind in ((Lane.red, "physical"), (Lane.yellow, "documents"), (Lane.blue, "audit")):
        asks = (pl.col("lane") == 0) & (pl.col("wanted") >= int(lane))
        turn = asks.cast(pl.Int64).cum_sum().over("office", "day")
        taken = asks & (turn <= pl.col(f"{kind}_left"))
        frame = frame.with_columns(pl.when(taken).then(int(lane)).otherwise(pl.col("lane")).alias("lane"))
    return frame.with_columns((pl.col("lane") < pl.col("wanted")).alias("dropped"))


def _draw(seed: int) -> pl.Expr:
    """A number in [0, 1) for each consignment version: the same on every machine, unknown without the seed."""
    text = pl.concat_str(pl.lit(f"{seed}"), "consignment_id", pl.col("version").cast(pl.String), separator="\x1f")
    return (_hash(text) // 2**11).cast(pl.Float64) * 2.0**-53


def _tie() -> pl.Expr:
    """Breaks ties of equal scores by something no sender controls the order of."""
    return _hash(pl.concat_str("consignment_id", pl.col("version").cast(pl.String), separator="\x1f"))


def _hash(text: pl.Expr) -> pl.Expr:
    return plh.concat_str(text).nchash.xxhash64()
