"""Evaluation of a ranking by the truth: day by day as a batch, and as a live threshold."""

from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from pipelines.benchmark.world_evidence import Evidence
from pipelines.synthetic.family import held_back_of
from pipelines.training.ranking_metrics import Flags, Floats, calibration_error

TOP, WIDE = 0.01, 0.05
THRESHOLD_DAYS = 14  # a live call is compared with the scores of that many days before


def judge(evidence: Evidence, margin: Floats, risk: Floats | None = None) -> dict[str, float]:
    """Compute the figures of a ranking of the judged rows; NaN where undefined."""
    judged = evidence.frame.filter(pl.col("judged")).with_columns(pl.Series("margin", margin))
    place = pl.col("margin").rank("ordinal", descending=True).over("day") / pl.len().over("day")
    judged = judged.with_columns(place.alias("place"))
    late = judged.filter(pl.col("scheme") == held_back_of(evidence.world))
    figures = {
        "precision at 1 %": _share(judged, pl.col("place") <= TOP),
        "precision at 5 %": _share(judged, pl.col("place") <= WIDE),
        "average precision": _average_precision(judged),
        "actors found per 1,000 checks at 1 %": _actors(judged),
        "recall at 1 %": _found(judged, TOP),
        "recall at 5 %": _found(judged, WIDE),
        "held-back scheme: recall at 1 %": _found(late, TOP),
        "held-back scheme: recall at 5 %": _found(late, WIDE),
        "senders never seen: recall at 5 %": _found(judged.filter("new_sender"), WIDE),
    }
    figures |= _live(judged)
    if risk is not None:
        illicit = judged["illicit"].to_numpy()
        figures["calibration error"] = calibration_error(risk, illicit)
        figures["calibration error against findings"] = calibration_error(risk, _findable(evidence, illicit))
    schemes = judged.filter("illicit")["scheme"].unique().sort()
    return figures | {f"recall at 1 %: {name}": _found(judged.filter(scheme=name), TOP) for name in schemes}


def _average_precision(judged: pl.DataFrame) -> float:
    """Compute the average precision of the places within each day, all days together."""
    illicit = judged["illicit"].to_numpy()
    return float(average_precision_score(illicit, -judged["place"].to_numpy())) if illicit.any() else float("nan")


def _findable(evidence: Evidence, illicit: Flags) -> Floats:
    """Return the chance that an inspection reports a finding: it misses some, and accuses some of the others."""
    regime, share = evidence.world.inspection, float(illicit.mean())
    found = 1 - regime.missed_share
    wrong = regime.false_alarm_share / (1 - regime.false_alarm_share) * found * share / max(1 - share, 1e-9)
    return np.where(illicit, found, wrong)


def _share(judged: pl.DataFrame, chosen: pl.Expr) -> float:
    return float(judged.filter(chosen)["illicit"].mean() or 0.0)  # type: ignore[arg-type]


def _actors(judged: pl.DataFrame) -> float:
    """Count distinct actors with a finding, per thousand checks at the top."""
    checked = judged.filter(pl.col("place") <= TOP)
    return 1000.0 * checked.filter("illicit")["actor_id"].n_unique() / max(checked.height, 1)


def _found(judged: pl.DataFrame, share: float) -> float:
    illicit = judged.filter("illicit")
    return float((illicit["place"] <= share).mean()) if illicit.height else float("nan")  # type: ignore[arg-type]


def _live(judged: pl.DataFrame) -> dict[str, float]:
    """Simulate calls against a threshold: the highest hundredth of the two weeks before."""
    day, margin = judged["day"].to_numpy(), judged["margin"].to_numpy()
    chosen = np.zeros(len(day), dtype=np.bool_)
    for today in range(THRESHOLD_DAYS, int(day.max()) + 1):
        before = margin[(day < today) & (day >= today - THRESHOLD_DAYS)]
        chosen |= (day == today) & (margin > np.quantile(before, 1 - TOP))
    asked = day >= THRESHOLD_DAYS
    hits = judged["illicit"].to_numpy()[chosen]
    return {
        "live: precision": float(hits.mean()) if len(hits) else float("nan"),
        "live: share chosen": float(chosen.sum() / max(asked.sum(), 1)),
    }
