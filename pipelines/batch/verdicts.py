"""The history of verdicts on manifests, one line each, and a page of it that needs no network and no script."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.moments import iso
from pipelines.batch.expectation_suite import STANDARD, Suite
from pipelines.batch.expectations import Judgement, asked_of_every_manifest
from pipelines.batch.report import environment

HISTORY, PAGE = "expectations.jsonl", "expectations.html"
SHOWN = 200  # manifests on the page, the latest first


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of the manifests of one run.

    profile: with which the next one can be compared (`reference_of`).
    """

    at: str
    files: list[str]
    held: bool
    expectations: list[dict[str, Any]]
    profile: Mapping[str, Any]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The expectations that did not hold."""
        return [expectation for expectation in self.expectations if not expectation["held"]]


def keep(
    reports: Path,
    files: Sequence[str],
    judgement: Judgement,
    profile: Mapping[str, Any],
    at: datetime,
    suite: Suite = STANDARD,
) -> Path:
    """Add a verdict to the history of a home, and write its page anew; the path of the page."""
    reports.mkdir(parents=True, exist_ok=True)
    found = [asdict(expectation) for expectation in judgement.expectations]
    line = json.dumps(asdict(Verdict(iso(at), list(files), judgement.held, found, profile)), ensure_ascii=False)
    with (reports / HISTORY).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    return write_page(reports, suite)


def write_page(reports: Path, suite: Suite = STANDARD) -> Path:
    """Write the page of the suite and of the verdicts that are kept; returns its path."""
    reports.mkdir(parents=True, exist_ok=True)
    page = reports / PAGE
    temporary = page.with_name(f".{PAGE}.{os.getpid()}")
    temporary.write_text(page_of(history(reports), suite), encoding="utf-8")
    temporary.replace(page)
    return page


def history(reports: Path) -> list[Verdict]:
    """Return all verdicts of a home, the earliest first; a line that a full disk cut short is passed over."""
    path = reports / HISTORY
    if not path.exists():
        return []
    verdicts = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            verdicts.append(Verdict(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return verdicts


def page_of(verdicts: Sequence[Verdict], suite: Suite = STANDARD) -> str:
    """Write the page: what is expected, what did not hold most often, and every manifest with what was seen."""
    latest = list(reversed(verdicts))[:SHOWN]
    judged = Counter(expectation["what"] for verdict in latest for expectation in verdict.expectations)
    failed = Counter(expectation["what"] for verdict in latest for expectation in verdict.failed)
    often = sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    asked = [(what, judged[what] - failed[what], judged[what]) for what in asked_of_every_manifest(suite)]
    template = environment().get_template("verdicts.html.j2")
    return template.render(
        verdicts=latest, often=often, held=sum(v.held for v in latest), asked=asked,
        compares=suite.against_last, limits=suite.limits,
    )  # fmt: skip
