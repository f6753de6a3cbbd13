"""A draw by weight that uses all checks: chances as stated, no check left over, the same in any order of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import INPUTS
from service.orientation import Policy, load_policy
from service.orientation.context import ONE_BY_ONE
from service.orientation.even_draw import filled, taken_evenly
from service.orientation.periods import Period, Periods
from service.scoring.bundle import unscored
from tests.service.orientation.cases import QUICK, Case, judged, policy_text, rule_text
from tests.service.orientation.test_indicators import START, indicator

RULES_ALONE = unscored(INPUTS)


def periods_of(of: list[int]) -> Periods:
    each = [Period(f"{place}", 0, 24, "day") for place in range(max(of) + 1)]
    return Periods(each, [], [], np.array(of), np.zeros(len(of), np.int64), {}, {})


def drawing(physical: int = 4, more: str = "") -> Policy:
    return load_policy(policy_text(physical=physical, documents=0, audit=0, more=START + indicator(points=6) + more))


def a_day(odd: int, plain: int, office: str = "A") -> list[Case]:
    pieces = [9.0] * odd + [1.0] * plain
    return [Case(f"{office}{n}", np.nan, office=office, pieces=p) for n, p in enumerate(pieces)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=40), st.integers(0, 9))
@QUICK
def test_chances_add_up_to_the_checks_and_rise_with_the_weight(rows: list[tuple[int, int]], checks: int) -> None:
    periods = periods_of([of for of, _ in rows])
    weight = np.array([2.0**points for _, points in rows])
    chance = filled(weight, np.ones(len(rows), np.bool_), np.full(len(rows), float(checks)), periods)
    for place in range(len(periods.each)):
        inside = periods.of == place
        if inside.any():
            assert chance[inside].sum() == pytest.approx(min(checks, inside.sum()))
            order = np.argsort(weight[inside], kind="stable")
            assert (np.diff(chance[inside][order]) >= -1e-12).all()


def test_each_is_taken_with_the_chance_stated_and_every_draw_has_the_same_size() -> None:
    rng = np.random.default_rng(1)
    chance = filled(
        np.ldexp(1.0, rng.integers(0, 9, 40)), np.ones(40, np.bool_), np.full(40, 7.0), periods_of([0] * 40)
    )
    taken = np.zeros(40)
    for _ in range(4_000):
        one = taken_evenly(chance, np.ones(40, np.bool_), rng.integers(0, 2**63, 40, np.uint64), rng.random(40),
                           periods_of([0] * 40))  # fmt: skip
        assert one.sum() == 7
        taken += one
    assert taken / 4_000 == pytest.approx(chance, abs=0.035)
    assert (taken[chance >= 1.0] == 4_000).all()


def test_a_batch_uses_all_the_checks_of_each_office_and_day() -> None:
    both = [*a_day(3, 60, "A"), *a_day(40, 60, "B")]
    for seed in range(20):
        lanes = judged(replace(drawing(), seed=seed), RULES_ALONE, both)
        assert lanes.filter(pl.col("clearance") == "red").group_by("office").len().sort("office").rows() == [
            ("A", 4), ("B", 4)
        ]  # fmt: skip
        assert not lanes["dropped"].any()
    oddest = lanes.filter(pl.col("name").is_in(["A0", "A1", "A2"]))
    assert oddest["selection_probability"].to_list() == [1.0] * 3  # capped; what they leave goes to the others
    assert lanes.filter(pl.col("office") == "A")["explorable"].sum() == pytest.approx(4)


def test_blind_draws_and_rules_take_their_checks_first() -> None:
    rule = rule_text("r", '{ stream = "postal" }', "red")
    text = policy_text(physical=9, documents=0, audit=0, rate=0.02, more=START + indicator() + rule)
    cases = [Case("r1", np.nan, stream="postal"), Case("r2", np.nan, stream="postal"), *a_day(5, 100)]
    seen = 0
    for seed in range(40):
        lanes = judged(replace(load_policy(text), seed=seed), RULES_ALONE, cases)
        assert (lanes["clearance"] == "red").sum() == 9
        assert lanes["selection"].to_list()[:2] in (["rule"] * 2, ["random", "rule"], ["rule", "random"])
        seen += int((lanes["selection"] == "random").sum())
    assert seen > 20


def test_what_is_withdrawn_takes_no_check_from_the_others() -> None:
    cases = [*a_day(0, 10), Case("gone", np.nan, pieces=9.0, purpose="cancellation")]
    for seed in range(10):
        lanes = judged(replace(drawing(3), seed=seed), RULES_ALONE, cases)
        assert (lanes["clearance"] == "red").sum() == 3
        assert lanes["clearance"][-1] == "green"


def test_the_order_of_a_message_decides_nothing() -> None:
    cases = [*a_day(10, 90, "A"), *a_day(5, 40, "B")]
    there, back = (judged(drawing(), RULES_ALONE, each) for each in (cases, cases[::-1]))
    names = [set(lanes.filter(pl.col("clearance") == "red")["name"]) for lanes in (there, back)]
    assert names[0] == names[1]


def test_decisions_of_before_are_given_again_one_by_one() -> None:
    before = judged(drawing(), RULES_ALONE, a_day(4, 196), edition=ONE_BY_ONE)
    total = 4 * 64 + 196
    assert before["explorable"].to_list()[:4] == pytest.approx([4 * 64 / total] * 4)
    assert before["explored"].to_list() == (before["second_draw"] < before["explorable"]).to_list()
