"""Burden intervals hold the truth of worlds, a planted bias is shown within four weeks, and few cases prove nothing.

The long form, forty worlds, runs with TAMIS_BURDEN_WORLDS=40 (`make prove`).
"""

from __future__ import annotations

import os
from functools import cache

import polars as pl
import pytest

from service.oversight.burden import (
    LEAST_SHOWN,
    ORIGINS,
    REST,
    SEEN,
    Counts,
    Group,
    burden_of,
    burden_share,
    standing_after_all,
)
from service.oversight.gap_parts import UNASKED
from service.oversight.looked_at import DECIDED, OFFICER, RESULTS, seen_of
from tests.service.oversight.burden_worlds import Known, known_world, true_burden

WORLDS = int(os.environ.get("TAMIS_BURDEN_WORLDS", "3"))
MAY_MISS = WORLDS // 20  # two of forty
COUNTRY = "GB"  # that the regime of these worlds has no rule of thumb for


@cache
def world(seed: int, times: float = 1.0, per_day: int = 500) -> Known:
    return known_world(seed, country=COUNTRY, times=times, per_day=per_day)


def misses(known: Known) -> list[str]:
    """Where an interval does not hold what came, or what was to be expected."""
    wrong = []
    for origin, groups in burden_of(known.seen).items():
        truth = true_burden(known, origin)
        for group in groups:
            shares = truth.get(group.name, ())  # of what stands together no truth is kept
            if not all(group.burden.low <= share <= group.burden.high for share in shares):
                wrong.append(f"{origin} {group.name}: {shares} beside {group.burden}")
    return wrong


def test_all_intervals_of_a_world_hold_its_truth() -> None:
    wrong = {seed: missed for seed in range(1, WORLDS + 1) if (missed := misses(world(seed)))}
    assert len(wrong) <= MAY_MISS, wrong


def test_inspectors_who_look_at_one_country_twice_as_often_are_shown_within_four_weeks() -> None:
    shown, seeds = 0, range(101, 101 + max(1, WORLDS // 4))
    for seed in seeds:
        biased, usual = (_of(world(seed, times, 1_000)) for times in (2.0, 1.0))
        shown += biased.verdict.startswith("more")
        if usual.verdict != "none":  # that country is treated otherwise by the regime's own rules of thumb
            assert (truly_more(world(seed, 1.0, 1_000)) > 1.0) == usual.verdict.startswith("more")
        assert (biased.burden.value or 0.0) > 1.4 * (usual.burden.value or 0.0)
        assert (
            next(iter(biased.parts)) == "risk"
        )  # what was doubled most: nearly all of the regime's checks are by score
    assert shown >= len(seeds) * 0.9


def truly_more(known: Known) -> float:
    """How many times as often as all others the compliant ones of the country were to be looked at."""
    clean = known.seen.join(known.truth, on="consignment_id", maintain_order="left").filter(~pl.col("illicit"))
    here = pl.col("dispatch_country") == COUNTRY
    inside, outside = (clean.filter(side)["chance"].mean() for side in (here, ~here))
    return float(inside) / float(outside)  # type: ignore[arg-type]


def _of(known: Known) -> Group:
    return next(group for group in burden_of(known.seen)["dispatch_country"] if group.name == COUNTRY)


def rows(*given: tuple[int, str, bool, str | None, bool | None]) -> pl.DataFrame:
    """SEEN of so many consignments dispatched from a country: looked at, by what, with what result."""
    every = [
        {"dispatch_country": country, "looked_at": looked_at, "by": by, "hit": hit, "rules": None}
        for count, country, looked_at, by, hit in given
        for _ in range(count)
    ]
    same = dict.fromkeys(set(ORIGINS) - {"dispatch_country"}, "one")
    return pl.DataFrame([{"consignment_id": f"C{n}", **same, **row} for n, row in enumerate(every)], schema=SEEN)


def group_of(seen: pl.DataFrame, name: str) -> Group:
    return next(group for group in burden_of(seen)["dispatch_country"] if group.name == name)


def test_few_cases_are_no_gap_and_many_are() -> None:
    few = rows((60, "CN", False, None, None), (3, "CN", True, "risk", False), (400, "US", False, None, None),
               (4, "US", True, "risk", False))  # fmt: skip
    assert group_of(few, "CN").verdict == "none"
    many = rows((600, "CN", False, None, None), (60, "CN", True, "risk", False), (4000, "US", False, None, None),
                (40, "US", True, "risk", False))  # fmt: skip
    assert (group_of(many, "CN").verdict, group_of(many, "US").verdict) == ("more_not_shown", "less")


@pytest.mark.parametrize(
    ("hits_here", "hits_there", "verdict"), [(60, 5, "more_finds_more"), (2, 30, "more_finds_less")]
)
def test_what_is_found_stands_beside_a_gap(hits_here: int, hits_there: int, verdict: str) -> None:
    seen = rows((600, "CN", False, None, None), (90, "CN", True, "risk", False), (hits_here, "CN", True, "risk", True),
                (4000, "US", False, None, None), (60, "US", True, "risk", False),
                (hits_there, "US", True, "risk", True))  # fmt: skip
    assert group_of(seen, "CN").verdict == verdict


def test_small_groups_stand_together() -> None:
    seen = rows((LEAST_SHOWN, "CN", False, None, None), (5, "US", False, None, None), (7, "GB", True, "risk", False))
    groups = {group.name: group.consignments for group in burden_of(seen)["dispatch_country"]}
    assert groups == {"CN": LEAST_SHOWN, REST: 12}


def test_nothing_looked_at_and_nothing_drawn_say_nothing() -> None:
    group = group_of(rows((300, "CN", False, None, None)), "CN")
    assert (group.burden.value, group.burden.low) == (0.0, 0.0)
    assert (group.hit_rate.value, group.prevalence.value) == (None, None)
    assert group.ratio.value is None
    blank = burden_share(Counts(0, 0, 0, 0, 0, 0), Counts(0, 0, 0, 0, 0, 0), 1.96)
    assert (blank.value, blank.low, blank.high) == (None, 0.0, 1.0)


def test_what_awaits_its_result_counts_with_the_hit_rate() -> None:
    whole = Counts(1_000, 100, 50, 50, 0, 0)
    awaiting = burden_share(Counts(1_000, 100, 0, 0, 0, 0), whole, 1.96)
    assert awaiting.value == pytest.approx(0.05)
    assert awaiting.low < 0.04
    assert awaiting.high > 0.06


def test_comparisons_are_counted_together() -> None:
    assert standing_after_all([0.04, 0.9, 0.5], 0.05) == [False, False, False]
    assert standing_after_all([0.01, 0.02, 0.03], 0.05) == [True, True, True]
    assert standing_after_all([0.03, 0.001, 0.9], 0.05) == [False, True, False]


def test_parts_add_up_to_the_gap_and_rules_are_named() -> None:
    seen = rows((600, "CN", False, None, None), (60, "CN", True, "rule", False), (30, "CN", True, "risk", False),
                (4000, "US", False, None, None), (40, "US", True, "random", False))  # fmt: skip
    ruled = pl.when(pl.col("by") == "rule").then(pl.lit(["gifts", "night"])).alias("rules")
    parts = group_of(seen.with_columns(ruled), "CN").parts
    assert parts == pytest.approx(
        {"rule: gifts": 30 / 690, "rule: night": 30 / 690, "risk": 30 / 690, "random": -40 / 4040}
    )
    assert sum(parts.values()) == pytest.approx(90 / 690 - 40 / 4040)


def test_who_looked_and_what_was_never_there() -> None:
    same = dict.fromkeys(ORIGINS, "one")
    declared = pl.DataFrame([{"consignment_id": name, **same} for name in "abcdefg"])
    decided = pl.DataFrame(
        [("a", "red", False, "risk", None), ("b", "red", True, "none", None), ("c", "red", False, "risk", None),
         ("d", "green", False, "none", None), ("e", "green", False, "none", None), ("f", "blue", False, "risk", None)],
        schema=DECIDED, orient="row",
    )  # fmt: skip
    results = pl.DataFrame(
        [("a", "compliant", "clearance", "unknown"), ("c", "not_presented", "clearance", "risk"),
         ("d", "non_compliant", "clearance", "unknown"), ("f", "non_compliant", "post_clearance", "risk"),
         ("g", "compliant", "clearance", "random")],
        schema=RESULTS, orient="row",
    )  # fmt: skip
    seen = {row["consignment_id"]: (row["by"], row["hit"]) for row in seen_of(declared, decided, results).to_dicts()}
    assert seen == {
        "a": ("risk", False), "b": (OFFICER, None), "c": (None, None), "d": (UNASKED, True), "e": (None, None),
        "f": (None, None), "g": ("random", False),
    }  # fmt: skip
