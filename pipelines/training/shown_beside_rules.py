"""What checks show of a first model beside rules that decide: the figures, their words, and what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHEN = ("today", "a_week_ago")
FIGURES = ("checks", "covered", "share", "low", "found")
ENOUGH = 1 / 3  # of what a model would send must be stood for by drawn checks; of the rest nothing is known


@dataclass(frozen=True, slots=True)
class Shown:
    """What checks show of what a model would send.

    checks: that were drawn of it; covered: the share of it that they stand for. share, low: of them with a finding,
    each counted by its chance, and the lower bound. found: share of all checks of the same days with a finding.
    """

    checks: int = 0
    covered: float = 0.0
    share: float = 0.0
    low: float = 0.0
    found: float = 0.0

    @property
    def better(self) -> bool:
        """Whether what was drawn of it holds more."""
        return self.low > self.found


def shown_better(shown: Sequence[Shown]) -> bool:
    """Whether a model is shown to find more: each time, and today for enough of what it would send."""
    return bool(shown) and all(one.better for one in shown) and shown[0].covered >= ENOUGH


def as_metrics(shown: Sequence[Shown]) -> dict[str, float]:
    """Return the metrics that are logged with a version, for its promotion."""
    return {
        f"beside_rules.{name}_{when}": float(getattr(one, name))
        for when, one in zip(WHEN, shown, strict=True)
        for name in FIGURES
    }


def from_metrics(figures: Mapping[str, float]) -> tuple[Shown, ...]:
    """Return what was shown of a registered version; nothing where it was trained while no rules decided."""
    if f"beside_rules.low_{WHEN[0]}" not in figures:
        return ()
    read = [{name: figures[f"beside_rules.{name}_{when}"] for name in FIGURES} for when in WHEN]
    return tuple(Shown(int(of["checks"]), *(of[name] for name in FIGURES[1:])) for of in read)


def in_words(shown: Sequence[Shown]) -> str:
    """Say what was shown."""
    if not shown:
        return "it was trained while no rules decided"
    return "; ".join(
        f"by what was known {when.replace('_', ' ')}, {one.checks} drawn checks stand for {one.covered:.0%} of what it "
        f"would send; {one.share:.0%} of that had a finding ({one.low:.0%} at least), of all checks {one.found:.0%}"
        for when, one in zip(WHEN, shown, strict=True)
    )
