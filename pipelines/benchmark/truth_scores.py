"""Evaluation of a ranking by the truth: day by day as a batch, and as a live threshold."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.benchmark.world_evidence import Evidence
from pipelines.training.ranking_metrics import Floats, calibration_error

TOP, WIDE = 0.01, 0.05
LATE = "late_wave"  # begins within the judged days: without any earlier result
THRESHOLD_DAYS = 14  # a live call is compared with the scores of that many days before


def judge(evidence: Evidence, margin: Floats, risk: Floats | None = None) -> dict[str, float]:
    """Compute the figures of a ranking of the judged rows; NaN where undefined."""
    judged = evidence.frame.filter(pl.col("judged")).with_columns(pl.Series("margin", margin))
    place = pl.col("margin").rank("ordinal", descending=True).over("day") / pl.len().over("day")
    judged = judged.with_columns(place.alias("place"))
    figures = {
        "precision at 1 %": _share(judged, pl.col("place") <= TOP),
        "actors found per 1,000 checks at 1 %": _actors(judged),
        "recall at 1 %": _found(judged, TOP),
        "recall at 5 %": _found(judged, WIDE),
        "late scheme: recall at 1 %": _found(judged.filter(pl.col("scheme") == LATE), TOP),
        "late scheme: recall at 5 %": _found(judged.filter(pl.col("scheme") == LATE), WIDE),
        "senders never seen: recall at 5 %": _found(judged.filter("new_sender"), WIDE),
    }
    figures |= _live(judged)
    if risk is not None:
        figures["calibration error"] = calibration_error(risk, judged["illicit"].to_numpy())
    schemes = judged.filter("illicit")["scheme"].unique().sort()
    return figures | {f"recall at 1 %: {name}": _found(judged.filter(scheme=name), TOP) for name in schemes}


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
