"""Ranking metrics: precision, recall and value at the top, and the calibration error of probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SHARES = (0.005, 0.01, 0.02, 0.05, 0.10)
BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """Scored rows whose result is known.

    score: higher is riskier. probability: calibrated, or none. hit: non-compliant. value: euro at stake.
    """

    score: Floats
    hit: Flags
    value: Floats
    probability: Floats | None = None


def measure(judged: Judged) -> dict[str, float]:
    """Compute all figures by name; NaN where undefined."""
    from sklearn.metrics import average_precision_score, roc_auc_score  # of the extra `train`: intervals do without

    figures: dict[str, float] = {"rows": float(len(judged.hit)), "hit_rate": _mean(judged.hit)}
    figures |= at_the_top(judged)
    both = 0 < judged.hit.sum() < len(judged.hit)
    figures["average_precision"] = float(average_precision_score(judged.hit, judged.score)) if both else float("nan")
    figures["auc"] = float(roc_auc_score(judged.hit, judged.score)) if both else float("nan")
    if judged.probability is not None:
        figures["calibration_error"] = calibration_error(judged.probability, judged.hit)
    return figures


def at_the_top(judged: Judged) -> dict[str, float]:
    """Compute precision, recall and recall of value when the riskiest share of all rows is inspected."""
    order = np.argsort(-judged.score, kind="stable")
    hits, value = judged.hit[order], np.where(judged.hit, judged.value, 0.0)[order]
    figures: dict[str, float] = {}
    for share in SHARES:
        top = max(1, round(share * len(order))) if len(order) else 0
        name = f"{share:.1%}".replace(".0%", "%")
        figures[f"precision_at_{name}"] = _mean(hits[:top])
        figures[f"recall_at_{name}"] = _part(float(hits[:top].sum()), float(hits.sum()))
        figures[f"value_recall_at_{name}"] = _part(float(value[:top].sum()), float(value.sum()))
    return figures


def calibration_error(probability: Floats, hit: Flags | Floats) -> float:
    """Compute the mean distance of predicted from observed hit rate over ten bins of equal size.

    hit: what was found, or the chance of each row that it would be.
    """
    if not len(hit):
        return float("nan")
    bins = np.array_split(np.argsort(probability, kind="stable"), BINS)
    gaps = [abs(probability[b].mean() - hit[b].mean()) * len(b) for b in bins if len(b)]
    return float(sum(gaps) / len(hit))


def _mean(values: Flags) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _part(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds and half the width of its 95 % interval; no width where there is one seed."""

    mean: float
    half: float
    seeds: int

    def as_json(self) -> dict[str, float | int | None]:
        """Return the interval with null in place of NaN."""
        return {
            "mean": None if math.isnan(self.mean) else self.mean,
            "half": None if math.isnan(self.half) else self.half,
            "seeds": self.seeds,
        }


def interval(values: Sequence[float | None]) -> Interval:
    """Compute the mean of figures over seeds with Student's interval; seeds without a figure are left out."""
    known = np.array([v for v in values if v is not None and not math.isnan(v)], dtype=np.float64)
    if not len(known):
        return Interval(math.nan, math.nan, 0)
    if len(known) == 1:
        return Interval(float(known[0]), math.nan, 1)
    half = student.ppf(0.975, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known))
    return Interval(float(known.mean()), float(half), len(known))
