"""A model against the obvious baselines on the same test days, and unbiased figures of the random sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.intervals import wilson
from pipelines.training.ranking_metrics import Flags, Floats, Judged, measure
from pipelines.training.training_frame import TrainingFrame

LEAKING_AUC = 0.95  # a look-up table that ranks repeated tuples this well indicates a leak of labels
SENDER_RULE = "sender history rule"
TAMIS = "Tamis"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of several rankings on the same test rows.

    figures: name of the ranking → its measures; unseen: the same where the look-up tuple was never seen before.
    random_arm: consignments drawn at random in the test, hits among them, and the 95 % interval of their share.
    """

    figures: Mapping[str, Mapping[str, float]]
    unseen: Mapping[str, Mapping[str, float]]
    notes: Sequence[str]
    random_arm: tuple[int, int, float, float]

    def unjudged(self) -> str | None:
        """Return why no ranking can be judged on these rows; None where one can be."""
        if not math.isnan(self.figures[TAMIS]["average_precision"]):
            return None
        found = "no non-compliant finding" if not self.figures[TAMIS]["hit_rate"] else "non-compliant findings alone"
        return (
            f"cannot be judged: the test period holds {found}; import more control results, or choose an earlier "
            "--test-from, and train again"
        )


def compare(
    frame: TrainingFrame, test: Flags, margin: Floats, risk: Floats, *, lookup: Sequence[str] = (), caution: str = ""
) -> Comparison:
    """Measure the model, the sender's hit rate and, where columns are named, a look-up table on them."""
    facts = frame.facts.filter(pl.Series(test))
    hit, value = facts["hit"].to_numpy(), facts["value"].to_numpy()
    rankings: dict[str, tuple[Floats, Floats | None]] = {
        TAMIS: (margin[test], risk[test]),
        SENDER_RULE: (sender_rule(frame, test), None),
    }
    notes = [caution] if caution else []
    seen = np.ones(len(hit), dtype=np.bool_)
    if lookup:
        scores, seen = look_up(frame.facts, test, lookup)
        rankings[_table_name(lookup)] = (scores, scores)
    figures = {name: measure(Judged(s, hit, value, p)) for name, (s, p) in rankings.items()}
    unseen: dict[str, dict[str, float]] = {}
    if lookup:
        only = ~seen
        unseen = {
            name: measure(Judged(s[only], hit[only], value[only], None if p is None else p[only]))
            for name, (s, p) in rankings.items()
        }
        on_seen = measure(Judged(rankings[_table_name(lookup)][0][seen], hit[seen], value[seen]))
        notes += _leak_note(on_seen["auc"], seen, lookup)
    return Comparison(figures, unseen, notes, _random_arm(facts))


def _table_name(lookup: Sequence[str]) -> str:
    return f"look-up table of {len(lookup)} columns"


def sender_rule(frame: TrainingFrame, test: Flags) -> Floats:
    """Rank test rows by the hit rate of their sender so far; unknown senders last."""
    rate = frame.rows.frame["consignor_hit_rate"].to_numpy()[test]
    return np.nan_to_num(rate.astype(np.float64), nan=0.0)


def look_up(facts: pl.DataFrame, test: Flags, columns: Sequence[str]) -> tuple[Floats, Flags]:
    """Return hit rates of earlier rows with the same values in `columns`, and whether there was any such row."""
    key = pl.struct(columns)
    before = facts.filter(~pl.Series(test))
    overall = float(before["hit"].mean())  # type: ignore[arg-type]
    table = before.group_by(key.alias("tuple")).agg(pl.col("hit").mean().alias("rate"))
    asked = facts.filter(pl.Series(test)).select(key.alias("tuple"))
    rates = asked.join(table, on="tuple", how="left", maintain_order="left", nulls_equal=True)["rate"]
    return rates.fill_null(overall).to_numpy(), rates.is_not_null().to_numpy()


def _leak_note(auc: float, seen: Flags, lookup: Sequence[str]) -> list[str]:
    if not auc >= LEAKING_AUC:
        return []
    return [
        f"This data set leaks: on the {seen.mean():.0%} of test rows whose ({', '.join(lookup)}) occurred before, a "
        f"look-up table reaches an AUC of {auc:.3f}. Only the rows never seen before say anything about a model."
    ]


def _random_arm(facts: pl.DataFrame) -> tuple[int, int, float, float]:
    drawn = facts.filter(pl.col("selection") == "random")
    hits = int(drawn["hit"].sum())
    return (drawn.height, hits, *wilson(hits, drawn.height))
