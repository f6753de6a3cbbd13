"""Calibration: fitted on margins of rows that the trees did not learn from, and what became known of them.

Steps alone tie what scores differently and say 100 % where a handful of results agree. So results are grouped where
the share of findings rises with the score (isotonic regression); the share of each group is drawn towards a smooth
curve by as much as its results are few, and the chance rises from centre to centre. How far apart the bounds lie
at a centre follows from how many results stand behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import beta
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from service.scoring.calibration import LEAST_SLOPE, Calibration, Knots

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Curve = tuple[float, float]  # slope and intercept of log-odds by margin
PRIOR_RESULTS = (8.0, 40.0, np.inf)  # that the smooth curve counts for in a group; inf: it alone
EVIDENCE = 8.0  # results that the curve counts for in bounds, and in how near to certain a chance may come
SIDE = 0.05  # of the probability outside each bound
LEAST_CHANCE = 1e-6
STEEPEST = 4.0  # beyond the outermost groups: where few results part by score, a fitted slope has no bound


def choose_calibration(margin: Floats, hit: Flags) -> Calibration:
    """Choose the calibration with the least log-loss on every other row when fitted on the rest; none unless better."""
    fit, check = slice(0, None, 2), slice(1, None, 2)
    if len(np.unique(hit[fit])) < 2 or len(np.unique(hit[check])) < 2:
        return Calibration("none")
    losses = [_loss(candidate(margin[fit], hit[fit]), margin[check], hit[check]) for candidate in CANDIDATES]
    return CANDIDATES[int(np.argmin(losses))](margin, hit)


def _loss(calibration: Calibration, margin: Floats, hit: Flags) -> float:
    return float(log_loss(hit, np.clip(calibration.apply(margin), LEAST_CHANCE, 1 - LEAST_CHANCE)))


def _as_it_is(_: Floats, __: Flags) -> Curve:
    return 1.0, 0.0


def _sigmoid(margin: Floats, hit: Flags) -> Curve:
    fitted = LogisticRegression(C=1e6).fit(margin[:, None], hit)
    slope = float(fitted.coef_[0, 0])
    return (slope, float(fitted.intercept_[0])) if slope > LEAST_SLOPE else (1.0, 0.0)


def _candidate(curve: Callable[[Floats, Flags], Curve], prior: float) -> Callable[[Floats, Flags], Calibration]:
    return lambda margin, hit: through_groups(margin, hit, curve(margin, hit), prior)


CANDIDATES = tuple(_candidate(curve, prior) for curve in (_as_it_is, _sigmoid) for prior in reversed(PRIOR_RESULTS))


def through_groups(margin: Floats, hit: Flags, curve: Curve, prior: float) -> Calibration:
    """Fit a rising curve through the groups of margins; `curve` counts for `prior` results in each."""
    slope, intercept = curve
    centre, found, count = _groups(margin, hit)
    smooth = expit(slope * centre + intercept)
    chance = smooth if np.isinf(prior) else (found + prior * smooth + 0.5) / (count + prior + 1.0)
    chance = np.minimum(chance, (count + EVIDENCE + 0.5) / (count + EVIDENCE + 1.0))
    centre, count, chance = _rising(centre, count, chance)
    strength = count + EVIDENCE
    low = beta.ppf(SIDE, chance * strength + 0.5, (1.0 - chance) * strength + 0.5)
    high = beta.ppf(1.0 - SIDE, chance * strength + 0.5, (1.0 - chance) * strength + 0.5)
    lows = np.maximum.accumulate(np.minimum(low, chance))
    highs = np.minimum.accumulate(np.maximum(high, chance)[::-1])[::-1]
    knots = Knots(_plain(centre), _log_odds(chance), _log_odds(lows), _log_odds(highs), min(slope, STEEPEST))
    return Calibration("knots", knots=knots)


def _log_odds(chances: Floats) -> tuple[float, ...]:
    return _plain(logit(np.clip(chances, LEAST_CHANCE, 1 - LEAST_CHANCE)))


def _plain(numbers: Floats) -> tuple[float, ...]:
    return tuple(map(float, numbers))


def _groups(margin: Floats, hit: Flags) -> tuple[Floats, Floats, Floats]:
    """Return centre, findings and results of each group of rows whose share isotonic regression pools."""
    order = np.argsort(margin, kind="stable")
    margin, found = margin[order], hit[order].astype(np.float64)
    share = IsotonicRegression().fit_transform(margin, found)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(share) > 0]))
    count = np.diff(np.append(starts, len(margin))).astype(np.float64)
    return np.add.reduceat(margin, starts) / count, np.add.reduceat(found, starts), count


def _rising(centre: Floats, count: Floats, chance: Floats) -> tuple[Floats, Floats, Floats]:
    """Join neighbours whose chance does not rise, drawn to the curve as it is."""
    drawn = IsotonicRegression().fit_transform(centre, chance, sample_weight=count)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(drawn) > 0]))
    joined = np.add.reduceat(count, starts)
    return np.add.reduceat(centre * count, starts) / joined, joined, drawn[starts]
