"""How many control results of which kind are still needed for what: risk, its calibration, and severity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

LEAST_RESULTS = 50  # labelled consignments below which no trees are grown
LEAST_GRAVE = 30  # findings of each kind, grave and not: with fewer, severity cannot be learned
LEAST_CALIBRATED = 30  # findings from which the stated chance is off by no more than a third or so
NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Results:
    """Control results by kind: all, those with a finding, and findings recorded as grave and as not grave."""

    results: int
    findings: int
    grave: int
    not_grave: int

    @classmethod
    def of(cls, labelled: pl.DataFrame) -> Results:
        """Count labelled consignments (`hit`, `grave`; null where neither danger nor a link was recorded)."""
        grave = labelled["grave"]
        return cls(labelled.height, int(labelled["hit"].sum()), int(grave.sum() or 0), int((~grave).sum() or 0))

    def can_learn(self) -> bool:
        """Whether there are enough results, of both kinds, for a first model."""
        return self.results >= LEAST_RESULTS and 0 < self.findings < self.results

    def sentences(self) -> list[str]:
        """Return a sentence each for risk, calibration and severity: what is there, and what is still needed."""
        return [self._risk(), self._calibration(), self._severity()]

    def _risk(self) -> str:
        known = f"risk: {_counted(self.results, 'result')}, {_counted(self.findings, 'finding')} among them"
        needed = [_more(LEAST_RESULTS - self.results, "result")] if self.results < LEAST_RESULTS else []
        if not self.findings:
            needed.append("a first non-compliant finding")
        elif self.findings == self.results:
            needed.append("compliant results too")
        return f"{known}; still needed: {' and '.join(needed)}" if needed else f"{known}; enough to learn from"

    def _calibration(self) -> str:
        if not self.findings:
            return f"calibration: still needed: {_more(LEAST_CALIBRATED, 'finding')}"
        off = NORMAL_95 / math.sqrt(self.findings)
        known = f"calibration: with {_counted(self.findings, 'finding')} the mean of the stated chances is known "
        known += f"to ±{off:.0%}" if off < 1 else "no better than to twice its size"
        if self.findings >= LEAST_CALIBRATED:
            return f"{known}; enough to state chances"
        return f"{known}; still needed: {_more(LEAST_CALIBRATED - self.findings, 'finding')}"

    def _severity(self) -> str:
        known = f"severity: {self.grave:,} dangerous or criminal findings, {self.not_grave:,} that are neither"
        lacking = {"dangerous or criminal": LEAST_GRAVE - self.grave, "of the others": LEAST_GRAVE - self.not_grave}
        needed = [f"{count:,} more {kind}" for kind, count in lacking.items() if count > 0]
        return f"{known}; still needed: {', '.join(needed)}" if needed else f"{known}; enough to learn from"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _more(count: int, word: str) -> str:
    return f"{count:,} more {word}{'' if count == 1 else 's'}"
