"""Pictures of a training: how its chances and its order did on unseen days, and what the trees look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import shap
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve

from features.assemble import Rows
from features.intervals import wilson
from pipelines.training.evaluation import SENDER_RULE, TAMIS
from pipelines.training.ranking_metrics import BINS, Flags, Floats
from pipelines.training.train import Trained
from service.scoring.model import Model

SHOWN_INPUTS = 20
MOST_EXPLAINED = 2_000  # rows of an ordinary day; more dots hide one another
LEAST_BIN = 25  # control results of a bin of chances; with fewer its interval reaches everywhere
COLOURS = {TAMIS: "#1f5fa8", SENDER_RULE: "#b5651d"}
GREY = "#6b6b6b"


def pictures_of(trained: Trained, ordinary: Rows) -> dict[str, Figure]:
    """Draw everything that is worth a look, by file name; what a test without findings cannot show is left out.

    ordinary: model rows of ordinary days, inspected or not, that the importance of inputs is read from.
    """
    judged = trained.tested
    drawn = {}
    if judged.hit.any() and not judged.hit.all():
        drawn = {
            "calibration.png": calibration(judged.risk, judged.hit),
            "cumulative_gain.png": cumulative_gain(judged.rankings, judged.hit),
            "precision_recall.png": precision_recall(judged.rankings, judged.hit),
        }
    if trained.model.trees is None or not len(ordinary):
        return drawn
    scores = trained.model.score(ordinary)
    chosen = np.random.default_rng(0).permutation(len(ordinary))[:MOST_EXPLAINED]
    shares = scores.contributions(chosen)
    return drawn | {
        "feature_importance.png": feature_importance(trained.model, shares[:, :-1]),
        "shap_beeswarm.png": beeswarm(trained.model, shares, scores.matrix[chosen]),
    }


def calibration(risk: Floats, hit: Flags) -> Figure:
    """Draw stated chances against what was found, in bins of equal size with their 95 % intervals."""
    figure, axes = _empty("Do the stated chances hold?", "stated chance of a finding", "share with a finding")
    bins = [
        b for b in np.array_split(np.argsort(risk, kind="stable"), max(1, min(BINS, len(hit) // LEAST_BIN))) if len(b)
    ]
    stated = np.array([risk[b].mean() for b in bins])
    found = np.array([hit[b].mean() for b in bins])
    edges = np.array([wilson(int(hit[b].sum()), len(b)) for b in bins])
    reach = float(max(edges.max(), stated.max()))
    axes.plot([0, reach], [0, reach], color=GREY, linestyle="--", linewidth=1, label="as stated")
    spread = np.abs(edges.T - found)
    axes.errorbar(stated, found, yerr=spread, fmt="o", color=COLOURS[TAMIS], capsize=3, label="found, 95 %")
    axes.set_xlim(0, reach * 1.02)
    axes.set_ylim(0, reach * 1.02)
    _noted(figure, axes, f"{len(bins)} bins of {len(hit) // len(bins)} control results or one more")
    return figure


def cumulative_gain(rankings: Mapping[str, Floats], hit: Flags) -> Figure:
    """Draw the share of findings that checking the riskiest share of all rows would have met."""
    figure, axes = _empty("What checking the riskiest finds", "share of rows checked", "share of findings met")
    share = np.arange(len(hit) + 1) / len(hit)
    for name, score in rankings.items():
        met = np.concatenate([[0], np.cumsum(hit[np.argsort(-score, kind="stable")])]) / hit.sum()
        axes.plot(share, met, color=COLOURS.get(name), label=name)
    perfect = np.minimum(share * len(hit) / hit.sum(), 1.0)
    axes.plot(share, perfect, color=GREY, linestyle=":", linewidth=1, label="all findings first")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="by chance")
    _noted(figure, axes, _results(hit))
    return figure


def precision_recall(rankings: Mapping[str, Floats], hit: Flags) -> Figure:
    """Draw precision against recall of each ranking."""
    figure, axes = _empty(
        "Precision and recall", "recall: share of findings met", "precision: share of checks that find"
    )
    for name, score in rankings.items():
        precision, recall, _ = precision_recall_curve(hit, score)
        label = f"{name}, average precision {average_precision_score(hit, score):.3f}"
        axes.step(recall, precision, where="post", color=COLOURS.get(name), label=label)
    axes.axhline(hit.mean(), color=GREY, linestyle="--", linewidth=1, label=f"by chance, {hit.mean():.3f}")
    axes.set_ylim(0, 1.02)
    _noted(figure, axes, _results(hit))
    return figure


def feature_importance(model: Model, shares: Floats) -> Figure:
    """Draw the inputs that move margins most, beside what their splits gained in training.

    shares: rows × inputs, the contribution of each input to the margin of each row.
    """
    assert model.trees is not None  # noqa: S101
    moved = np.abs(shares).mean(axis=0)
    gain = np.asarray(model.trees.booster.feature_importance(importance_type="gain"), dtype=np.float64)
    first = np.argsort(-moved, kind="stable")[:SHOWN_INPUTS][::-1]
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = [model.inputs[place].name for place in first]
    left.barh(names, moved[first], color=COLOURS[TAMIS])
    left.set_xlabel("mean |SHAP value|, log-odds, on ordinary days")
    right.barh(names, gain[first] / max(gain.sum(), 1e-12), color=COLOURS[SENDER_RULE])
    right.set_xlabel("share of the gain of all splits, in training")
    figure.suptitle(f"The {len(first)} inputs that move scores most, of {len(model.inputs)}")
    return figure


def beeswarm(model: Model, shares: Floats, matrix: Floats) -> Figure:
    """Draw how each input moved each row, coloured by its value; categories, which have no order, in one colour.

    shares: rows × inputs + 1, the last column the expected margin; matrix: rows × inputs as the trees saw them.
    """
    ordered = np.array([item.kind == "number" for item in model.inputs]) & ~np.isnan(matrix).all(axis=0)
    explained = shap.Explanation(
        values=shares[:, :-1],
        base_values=shares[:, -1],
        data=np.where(ordered, matrix, 0.0),
        feature_names=[item.name for item in model.inputs],
    )
    figure = Figure(figsize=(10, 0.42 * SHOWN_INPUTS + 1.5), layout="constrained")
    axes = figure.subplots()
    shap.plots.beeswarm(
        explained, max_display=SHOWN_INPUTS, ax=axes, show=False, plot_size=None, group_remaining_features=False
    )
    axes.tick_params("y", labelsize=9)
    axes.set_xlabel("SHAP value: log-odds added (right) or taken (left)", fontsize=10)
    axes.set_title(f"How inputs move {len(shares):,} consignments of ordinary days")
    return figure


def _empty(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _noted(figure: Figure, axes: Axes, note: str) -> None:
    """Write below a picture what it rests on, as without that it cannot be judged."""
    axes.legend(frameon=False, fontsize=9)
    figure.supxlabel(note, fontsize=9, color=GREY)


def _results(hit: npt.NDArray[np.bool_]) -> str:
    return f"{len(hit):,} control results of unseen days, {int(hit.sum()):,} of them findings"
