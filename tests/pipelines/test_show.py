"""What a command shows while it works."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipelines import show


def watched(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    told = StringIO()
    console = Console(file=told, force_terminal=True, width=100)
    monkeypatch.setattr(show, "CONSOLE", console)
    return told


def test_a_bar_goes_on_within_one_manifest_and_estimates_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    told = watched(monkeypatch)
    with show.progress("manifests", 1) as advance:
        for share in (0.2, 0.5, 7.0):
            advance.part(share)
            done = advance._bar.tasks[0]
            assert done.completed == min(share, 1.0)
            advance._bar.refresh()
        assert done.time_remaining == 0
        advance("day.parquet: 3 consignments decided")
        assert done.completed == 1
    assert "manifests" in told.getvalue()
    assert "day.parquet: 3 consignments decided" in told.getvalue()


def test_of_many_only_the_last_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = watched(monkeypatch)
    with show.progress("days", 20) as advance:
        for day in range(20):
            advance(f"day {day}")
    assert "20 days; the last: day 19" in told.getvalue()
    assert "day 7" not in told.getvalue()
