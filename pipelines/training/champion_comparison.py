"""Challenger against champion, on the same later days, which neither was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from features.assemble import assemble
from pipelines.training.ranking_metrics import Flags, Floats, Judged, measure
from pipelines.training.training_frame import TrainingFrame
from service.scoring.model import Model

FEWEST_ROWS, FEWEST_HITS = 100, 5  # with fewer a comparison is meaningless
DRAWS = 400


@dataclass(frozen=True, slots=True)
class ChampionComparison:
    """Figures of both on the same rows.

    difference: average precision of the challenger less that of the champion, and its 95 % interval over resampled
        rows.
    """

    champion: str
    rows: int
    hits: int
    figures: Mapping[str, Mapping[str, float]]
    difference: tuple[float, float, float]

    def as_metrics(self) -> dict[str, float]:
        """Return the metrics that are logged with the challenger, for a later promotion."""
        metrics = {f"{model}.{name}": value for model, of in self.figures.items() for name, value in of.items()}
        return metrics | dict(zip(("contest.difference", "contest.low", "contest.high"), self.difference, strict=True))


def compare_with_champion(
    frame: TrainingFrame, test: Flags, margin: Floats, champion: Model, learned_to: datetime
) -> ChampionComparison | None:
    """Compare both on the test rows lodged after the champion's training data; none where these are too few.

    margin: of the challenger trained before the test, for every labelled row.
    """
    after = frame.facts.select(pl.col("lodged_at") >= learned_to).to_series().to_numpy()
    rows = np.flatnonzero(test & after)
    facts = frame.facts[rows.tolist()]
    hit, value = facts["hit"].to_numpy(), facts["value"].to_numpy()
    if len(hit) < FEWEST_ROWS or not FEWEST_HITS <= hit.sum() < len(hit):
        return None
    asked = frame.labelled.where(pl.col("row").is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
    champion_margin = (
        champion.score(assemble(asked, frame.history, champion.fits, champion.inputs)).frame["margin"].to_numpy()
    )
    figures = {
        "challenger": measure(Judged(margin[rows], hit, value)),
        "champion": measure(Judged(champion_margin, hit, value)),
    }
    return ChampionComparison(
        champion.model_id, len(hit), int(hit.sum()), figures, _difference(margin[rows], champion_margin, hit)
    )


def _difference(challenger_margin: Floats, champion_margin: Floats, hit: Flags) -> tuple[float, float, float]:
    """Compute the difference of average precision, and its interval over resampled rows."""
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(hit), len(hit))
        if hit[drawn].any():
            differences.append(_ap(challenger_margin[drawn], hit[drawn]) - _ap(champion_margin[drawn], hit[drawn]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return _ap(challenger_margin, hit) - _ap(champion_margin, hit), float(low), float(high)


def _ap(margin: Floats, hit: Flags) -> float:
    return float(average_precision_score(hit, margin))
