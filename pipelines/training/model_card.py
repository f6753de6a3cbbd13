"""The model card: intended use, training data, figures on unseen days, and limits of a model."""

from __future__ import annotations

from pipelines.show import counted
from pipelines.training.train import Trained

USE = """\
It ranks postal and express consignments by the chance that an inspection would find something non-compliant. An
officer decides; the score decides nothing by itself. It says nothing about aviation security and never yields
do-not-load. The probabilities hold for consignments like those inspected in the past.
"""


def model_card(trained: Trained, name: str) -> str:
    """Write the card as Markdown."""
    grown = ", ".join(f"{key} {value}" for key, value in trained.parameters.items() if key != "objective")
    stated = {**trained.facts, "grown with": grown}
    facts = "\n".join(f"| {key.replace('_', ' ')} | {value} |" for key, value in stated.items())
    inputs = "\n".join(f"- `{item.name}`: {item.meaning}" for item in trained.model.inputs)
    notes = "\n".join(f"> {note}\n" for note in trained.comparison.notes)
    return (
        f"# Model card: {name}\n\n## Use\n\n{USE}\n## Facts\n\n| fact | value |\n|---|---|\n{facts}\n\n"
        f"## Figures on days it never saw\n\n{_test(trained)}\n\n"
        f"{figures_table(trained.comparison.figures)}\n\n{notes}\n"
        f"## Inputs\n\nFingerprint `{trained.model.fingerprint}`\n\n{inputs}\n"
    )


def _test(trained: Trained) -> str:
    """State how many results the figures rest on, as without that none of them can be judged."""
    figures = next(iter(trained.comparison.figures.values()))
    drawn, hits, low, high = trained.comparison.random_arm
    tested = f"{figures['rows']:.0f} results, {figures['rows'] * figures['hit_rate']:.0f} of them findings."
    if not drawn:
        return f"They rest on {tested} None of these consignments was drawn at random."
    found = counted(hits, "finding")
    return f"They rest on {tested} Drawn at random: {drawn}, with {found}: {low:.1%} to {high:.1%} (95 %)."


SHOWN = ("precision_at_1%", "precision_at_5%", "recall_at_5%", "value_recall_at_5%", "average_precision", "auc",
         "calibration_error")  # fmt: skip


def figures_table(figures: object) -> str:
    """Tabulate rankings against measures in Markdown."""
    assert isinstance(figures, dict)  # noqa: S101
    head = "| ranking | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " |\n|---|" + "---|" * len(SHOWN)
    rows = [
        f"| {ranking} | " + " | ".join(f"{of.get(name, float('nan')):.3f}" for name in SHOWN) + " |"
        for ranking, of in figures.items()
    ]
    return "\n".join([head, *rows]).replace("nan", "–")
