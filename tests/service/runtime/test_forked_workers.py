"""What idle workers hold: two share what they loaded, and one alone keeps only what calls touch."""

from __future__ import annotations

from service.settings import Settings
from tests.bench.memory import measured

MOST = 250  # megabytes of an idle worker, its share of what it shares included


def test_an_idle_worker_of_two_holds_at_most_250_megabytes(home: Settings) -> None:
    watching, *others = [held for kind, held in measured(home.home, 2) if kind == "process"]
    assert len(others) == 3, "the process that workers are forked from, and two workers"
    assert watching["resident"] < 100
    assert all(held["proportional"] <= MOST for held in others)
    assert all(held["own"] <= MOST // 2 for held in others), "what is loaded is not shared"


def test_one_idle_worker_alone_holds_at_most_250_megabytes_in_full(home: Settings) -> None:
    (alone,) = [held for kind, held in measured(home.home, 1) if kind == "process"]
    assert alone["resident"] <= MOST
