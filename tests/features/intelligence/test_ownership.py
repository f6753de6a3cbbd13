"""Owners of owners answer, several where there are several; circles end, and long or wide lists cost little."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence.ownership import Ownership
from features.intelligence.statements import Unreadable

EDGES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30)


def owners_of(edges: list[tuple[int, int]]) -> Ownership:
    owners = Ownership()
    for owner, owned in edges:
        owners.add(str(owner), str(owned))
    return owners


def by_search(edges: list[tuple[int, int]], thing: int) -> set[str]:
    """Every owner that can be reached and that whoever it can reach can reach again; one of each circle, the least."""
    above: dict[int, set[int]] = {}
    for owner, owned in edges:
        if owner != owned:
            above.setdefault(owned, set()).add(owner)

    def reached(start: int) -> set[int]:
        seen, waiting = {start}, [start]
        while waiting:
            for owner in above.get(waiting.pop(), ()):
                if owner not in seen:
                    seen.add(owner)
                    waiting.append(owner)
        return seen

    tops = [one for one in reached(thing) if all(one in reached(other) for other in reached(one))]
    return {min(map(str, reached(one))) for one in tops}


@given(EDGES, st.integers(0, 8))
def test_heads_are_those_that_a_search_finds(edges: list[tuple[int, int]], thing: int) -> None:
    assert set(owners_of(edges).heads(str(thing))) == by_search(edges, thing)


def test_a_chain_of_a_hundred_thousand_is_followed_in_a_second() -> None:
    began = time.monotonic()
    owners = owners_of([(n, n + 1) for n in range(100_000)])
    assert owners.heads("100000") == ("0",)
    circles = owners_of([pair for n in range(50_000) for pair in ((n, n + 50_000), (n + 50_000, n), (n, n + 1))])
    assert circles.heads("50000") == ("0",)
    assert time.monotonic() - began < 10


def test_a_web_of_owners_is_refused_before_it_costs() -> None:
    rng = random.Random(1)
    owners = Ownership()
    for layer in range(300):
        for n in range(300):
            for _ in range(3):
                owners.add(f"{layer} {rng.randrange(300)}", f"{layer + 1} {n}")
    began = time.monotonic()
    try:
        heads = owners.heads("300 0")
    except Unreadable:
        heads = ()
    assert len(heads) <= 300
    assert time.monotonic() - began < 20


def test_too_many_owners_handed_on_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.intelligence.ownership.MOST_WORK", 50)
    owners = Ownership()
    for n in range(20):
        owners.add(f"owner {n}", "hub")
    for n in range(5):
        owners.add("hub", f"{n}")
        owners.add("other", f"{n}")
    with pytest.raises(Unreadable, match="too many owners"):
        owners.heads("0")
