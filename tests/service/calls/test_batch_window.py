"""Whether a group is held for others, by a clock of the test: only who comes in a burst is waited for."""

from __future__ import annotations

import random
from bisect import insort
from dataclasses import dataclass, field

import pytest

from service.calls.batch_window import LONGEST, BatchWindow

PASS, EACH = 0.15, 0.002  # seconds that a group takes, and what each call adds


@dataclass
class Bench:
    """Groups as `CallBatcher` makes them, of calls whose moments are known."""

    due: list[float]
    crowd: BatchWindow = field(default_factory=BatchWindow)
    now: float = 0.0
    whole_at: float = 0.0
    sizes: list[int] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)

    def group(self) -> int:
        """Form a group, decide it, and tell the crowd; how many were in it."""
        began = self.now = max(self.now, self.due[0])
        there = here = sum(at <= began for at in self.due)
        hold = self.crowd.wait_seconds(there)
        for at in self.due[there:]:
            if self.crowd.is_complete(here) or at > began + hold:
                break
            here, self.now = here + 1, at
        if hold and not self.crowd.is_complete(here):
            self.now = began + hold
        if hold:
            self.crowd.held(here - there, self.now - began, here, self.now - self.whole_at)
        self.whole_at, took = self.now, PASS + EACH * here
        del self.due[:here]
        self.now += took
        self.crowd.answered(here, sum(at <= self.now for at in self.due), took)
        self.sizes.append(here)
        self.holds.append(hold)
        return here


def test_callers_who_come_again_in_a_burst_end_up_in_one_group() -> None:
    chance = random.Random(7)
    bench = Bench(sorted(chance.uniform(0, 0.3) for _ in range(24)))
    for _ in range(60):
        for _ in range(bench.group()):
            insort(bench.due, bench.now + chance.uniform(0.01, 0.06))
    assert bench.sizes[-50:] == [24] * 50


@pytest.mark.slow
def test_groups_are_seldom_held_for_calls_that_come_by_themselves() -> None:
    chance, at, due = random.Random(7), 0.0, []
    for _ in range(20_000):
        at += chance.expovariate(30)
        due.append(at)
    bench = Bench(due)
    while len(bench.due) > 100:
        bench.group()
    assert len(bench.sizes) > 2_000
    assert sum(hold > 0 for hold in bench.holds) < 0.15 * len(bench.holds)


def test_who_calls_alone_is_not_held_and_nobody_for_longer_than_a_tenth_of_a_second() -> None:
    crowd = BatchWindow()
    assert crowd.wait_seconds(1) == 0.0
    crowd.answered(1, 0, 5.0)
    assert crowd.wait_seconds(1) == 0.0
    crowd.answered(1, 3, 5.0)
    assert crowd.wait_seconds(1) == LONGEST
    crowd.answered(2, 2, 0.06)
    assert crowd.wait_seconds(1) == 0.03


def test_a_window_that_appears_later_is_found() -> None:
    """After five minutes of calls that come by themselves, holding is tried again before long."""
    chance, at, due = random.Random(3), 0.0, []
    while at < 300:
        at += chance.expovariate(30)
        due.append(at)
    bench = Bench(due)
    while len(bench.due) > 24:
        bench.group()
    begun = len(bench.sizes)
    for _ in range(200):
        for _ in range(bench.group()):
            insort(bench.due, bench.now + chance.uniform(0.01, 0.06))
    assert bench.sizes[begun + 120 :] == [len(bench.due)] * 80
