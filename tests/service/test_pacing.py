"""Live pacing: what is left of a day's checks reaches to its end, is used up, never exceeded, and well spent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from service.orientation import load_policy
from service.scoring import Model
from service.store import Store
from tests.service.pacing_world import Floats, Office, a_day, best_of, first_come, greedy
from tests.service.test_policy import policy_text

DAYS = int(os.environ.get("TAMIS_PACED_DAYS", "6"))
CHECKS, EXPECTED, LEAST, AT_ONCE = 60, 2_000, 0.01, 8


def test_a_day_that_nobody_could_foresee_is_paced(model: Model, tmp_path: Path) -> None:
    """Volume off by up to one half, waves an hour off, mix drifting; the peers see the same days."""
    office = Office(
        load_policy(policy_text(CHECKS, 0, 0, EXPECTED, least=LEAST)), model, Store(f"sqlite:///{tmp_path / 's.db'}")
    )
    rng, best, able = np.random.default_rng(11), 0.0, 0
    found: dict[str, list[Floats]] = {"paced": [], "greedy threshold": [], "first come": []}
    for nth in range(DAYS):
        day = a_day(nth, EXPECTED, rng)
        best, able = best + best_of(day, CHECKS), able + min(CHECKS, len(day.margin))
        found["paced"].append(office.live(day, AT_ONCE, f"{nth}"))
        found["greedy threshold"].append(greedy(day, CHECKS, EXPECTED))
        found["first come"].append(first_come(day, CHECKS, LEAST))
    told = {how: (sum(map(len, each)) / able, sum(e.sum() for e in each) / best) for how, each in found.items()}
    _tell(told)
    assert all(len(each) <= CHECKS for each in found["paced"]), "more than there was"
    used, caught = told["paced"]
    assert used >= 0.97
    assert caught >= (0.95 if DAYS >= 100 else 0.92), "a few days say less"
    assert caught > max(told["greedy threshold"][1], told["first come"][1])


def _tell(told: dict[str, tuple[float, float]]) -> None:
    table = Table("how", "checks used", "of the best in hindsight", title=f"{DAYS} days", box=None)
    for how, (used, caught) in told.items():
        table.add_row(how, f"{used:.3f}", f"{caught:.3f}")
    Console().print(table)
