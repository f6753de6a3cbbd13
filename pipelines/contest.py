"""Challenger against champion: the same later days, which taught neither of them anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from features.assemble import assemble
from pipelines.metrics import Flags, Floats, Judged, measure
from pipelines.training_frame import TrainingFrame
from service.scoring.model import Model

FEWEST_ROWS, FEWEST_HITS = 100, 5  # below them a comparison says nothing
DRAWS = 400


@dataclass(frozen=True, slots=True)
class Contest:
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
        """What is logged beside the challenger, for the day on which somebody wants to promote it."""
        told = {f"{who}.{name}": value for who, of in self.figures.items() for name, value in of.items()}
        return told | dict(zip(("contest.difference", "contest.low", "contest.high"), self.difference, strict=True))


def contest(frame: TrainingFrame, test: Flags, margin: Floats, champion: Model, learned_to: datetime) -> Contest | None:
    """Both on those test rows that were lodged after the champion had learned; none where these are too few.

    margin: of the challenger as it was before the test, one a labelled row.
    """
    after = frame.facts.select(pl.col("lodged_at") >= learned_to).to_series().to_numpy()
    rows = np.flatnonzero(test & after)
    facts = frame.facts[rows.tolist()]
    hit, value = facts["hit"].to_numpy(), facts["value"].to_numpy()
    if len(hit) < FEWEST_ROWS or not FEWEST_HITS <= hit.sum() < len(hit):
        return None
    asked = frame.labelled.where(pl.col("row").is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
    theirs = champion.score(assemble(asked, frame.history, champion.fits, champion.inputs)).frame["margin"].to_numpy()
    figures = {
        "challenger": measure(Judged(margin[rows], hit, value)),
        "champion": measure(Judged(theirs, hit, value)),
    }
    return Contest(champion.model_id, len(hit), int(hit.sum()), figures, _difference(margin[rows], theirs, hit))


def _difference(own: Floats, theirs: Floats, hit: Flags) -> tuple[float, float, float]:
    """Of average precision, on the rows and on rows drawn again from them."""
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(hit), len(hit))
        if hit[drawn].any():
            differences.append(_ap(own[drawn], hit[drawn]) - _ap(theirs[drawn], hit[drawn]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return _ap(own, hit) - _ap(theirs, hit), float(low), float(high)


def _ap(margin: Floats, hit: Flags) -> float:
    return float(average_precision_score(hit, margin))
