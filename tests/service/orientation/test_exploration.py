"""Exploration: within its share and the hands there are, the same every time, and with chances that are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.algebra.tables import Table
from features.messages.read_message import Competing
from service.orientation import PolicyFault, load_policy
from service.orientation.columns import Known
from service.orientation.exploration import (
    AGES,
    COMPANY,
    LEAST_COMPANY,
    LEAST_DOUBT,
    LEAST_NEW,
    STEEPNESS,
    WEIGHED,
    Exploration,
    weights,
)
from service.orientation.periods import Period, Periods
from service.scoring import Model
from tests.service.orientation.cases import DAY, QUICK, Case, hands, judged, many_cases, policy_text, rule_text


def exploring(
    share: float, *, physical: int = 2, rate: float = 0.0, seed: int = 7, more: str = "", **how: float
) -> str:
    keys = "".join(f"{name} = {value}\n" for name, value in how.items())
    section = f"[exploration]\nshare = {share}\n{keys}"
    return policy_text(physical, 0, 0, rate=rate, seed=seed, more=section + more)


def varied(count: int, seed: int = 3, office: str = "A") -> list[Case]:
    risk = np.random.default_rng(seed).uniform(0.001, 0.5, count)
    return [Case(f"{office}{i}", r, office) for i, r in enumerate(risk.tolist())]


@QUICK
@given(many_cases(), hands, hands, st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([0.0, 0.3]), st.booleans())
def test_exploring_never_takes_more_than_an_office_has_left_on_a_day(
    model: Model, cases: list[Case], physical: int, gone: int, share: float, rate: float, live: bool
) -> None:
    spent = [("A", DAY, gone, 0, 0)]
    policy = load_policy(exploring(share, physical=physical, rate=rate))
    told = judged(policy, model, cases, competing="day" if live else "message", spent=spent)
    for (office, day), part in told.group_by("office", "day"):
        left = max(0, physical - gone) if (office, day) == ("A", DAY) else physical
        assert (part["clearance"] == "red").sum() <= left
    chances = told["selection_probability"].drop_nulls()
    assert chances.is_between(0.0, 1.0, closed="right").all()


@QUICK
@given(many_cases(), hands, st.booleans(), st.randoms(use_true_random=False))
def test_the_same_consignments_are_explored_in_whatever_order_they_come(
    model: Model, cases: list[Case], physical: int, live: bool, chance: Random
) -> None:
    policy = load_policy(exploring(0.5, physical=physical))
    competing: Competing = "day" if live else "message"
    told = judged(policy, model, cases, competing=competing)
    assert told.equals(judged(policy, model, cases, competing=competing))
    chance.shuffle(cases)
    names = ["name", "clearance", "selection"]
    assert (
        judged(policy, model, cases, competing=competing)
        .select(names)
        .sort("name")
        .equals(told.select(names).sort("name"))
    )


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_share_of_the_checks_that_is_explored_is_the_one_asked_for(model: Model, share: float) -> None:
    cases = [replace(c, day=DAY + timedelta(days=i % 50)) for i, c in enumerate(varied(10_000))]
    told = judged(load_policy(exploring(share, physical=10)), model, cases)
    explored = int((told["selection"] == "exploration").sum())
    wanted = 50 * 10 * share
    assert abs(explored - wanted) < 4.5 * np.sqrt(wanted)
    assert (told["clearance"] == "red").sum() == 500  # what exploring leaves, risk takes


def test_in_calls_the_share_holds_where_the_day_is_as_expected(model: Model) -> None:
    cases = [Case(f"C{i}", 0.01) for i in range(20_000)]
    mean = LEAST_NEW * LEAST_COMPANY * (LEAST_DOUBT + 0.01**STEEPNESS)
    policy = load_policy(exploring(0.5, physical=400, mean_weight=mean).replace("expected = 100", "expected = 20000"))
    told = judged(policy, model, cases, competing="day")
    drawn = told.filter(pl.col("selection") == "exploration")
    assert abs(drawn.height - 200) < 4.5 * np.sqrt(200)
    assert drawn["selection_probability"].unique().to_list() == pytest.approx([0.01])


def totals(model: Model, cases: Sequence[Case], physical: int, share: float, rate: float, tries: int) -> list[float]:
    """The number of consignments that nothing asks to check, as estimated from the draws of many seeds."""
    found = []
    for seed in range(tries):
        text = exploring(share, physical=physical, rate=rate, seed=seed).replace("least = 0.0", "least = 1.0")
        told = judged(load_policy(text), model, cases)
        drawn = told.filter(pl.col("selection").is_in(["random", "exploration"]))
        found.append(float((1.0 / drawn["selection_probability"]).sum()))
    return found


@pytest.mark.parametrize(("physical", "share", "rate"), [(100, 0.2, 0.0), (100, 0.2, 0.01), (12, 0.9, 0.0)])
def test_weighing_by_the_recorded_chance_recovers_the_truth(
    model: Model, physical: int, share: float, rate: float
) -> None:
    cases = varied(1000)
    found = np.array(totals(model, cases, physical, share, rate, 60))
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - 1000) < 4 * error
    assert error < 60


def test_what_rank_or_a_rule_sends_to_a_check_anyway_does_not_compete(model: Model) -> None:
    rule = rule_text("light", '{ consignment_id = { starts_with = "A1" } }', "red")
    told = judged(load_policy(exploring(1.0, physical=30, more=rule)), model, varied(500))
    asked = told.filter((pl.col("rank") <= 30) | pl.col("name").str.starts_with("A1"))
    assert "exploration" not in asked["selection"].to_list()
    assert "exploration" in told["selection"].to_list()


def test_what_is_explored_is_named_and_goes_to_a_physical_check(model: Model) -> None:
    told = judged(load_policy(exploring(0.5, physical=40)), model, varied(2000)).filter(
        pl.col("selection") == "exploration"
    )
    assert told["clearance"].unique().to_list() == ["red"]
    assert told["pre_arrival"].unique().to_list() == ["control_recommended"]
    assert (told["selection_probability"] < 1.0).all()


def test_without_a_section_nothing_is_explored(model: Model) -> None:
    policy = load_policy(policy_text(5, 0, 0))
    assert policy.exploration.share == 0.0
    assert "exploration" not in judged(policy, model, varied(200))["selection"].to_list()


def weighed(**known: float | None) -> float:
    columns = {name: known.get(name) for name in WEIGHED} | {"share_below": known.get("share_below", 0.9)}
    frame = pl.DataFrame({name: [value] for name, value in columns.items()}, schema=dict.fromkeys(columns, pl.Float64))
    return float(weights(Known(Table.of_frame(frame)))[0])


days = st.floats(0, 400, allow_subnormal=False)


@given(
    st.sampled_from(sorted(AGES)),
    days,
    days,
    st.integers(0, 500),
    st.integers(0, 500),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_younger_faster_and_riskier_never_weighs_less(
    who: str, young: float, old: float, few: int, many: int, low: float, high: float
) -> None:
    young, old = sorted((young, old))
    few, many = sorted((few, many))
    low, high = sorted((low, high))
    first, week = AGES[who]
    assert (
        weighed(**{first: young, week: few, "share_below": low})
        >= weighed(**{first: old, week: few, "share_below": low})
        > 0
    )
    assert weighed(**{first: old, week: many, "share_below": low}) >= weighed(
        **{first: old, week: few, "share_below": low}
    )
    assert weighed(**{first: old, week: few, "share_below": high}) >= weighed(
        **{first: old, week: few, "share_below": low}
    )
    assert weighed(**{week: few, "share_below": low}) >= weighed(
        **{first: young, week: few, "share_below": low}
    )  # never seen


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_more_names_with_one_contact_never_weigh_less(less: float, more: float) -> None:
    less, more = sorted((less, more))
    assert weighed(**{COMPANY: more}) >= weighed(**{COMPANY: less}) > 0


def test_a_weight_that_nobody_declared_anything_for_is_small_and_above_zero() -> None:
    assert 0 < weighed() < weighed(consignor_consignments_7d=0.0)


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("share = 1.5", "exploration.share"),
        ("share = true", "exploration.share"),
        ("mean_weight = 0", "exploration.mean_weight"),
        ('mean_weight = "much"', "exploration.mean_weight"),
        ("shares = 0.1", "shares"),
        ("half_life_days = -3", "exploration.half_life_days"),
        ('from = "soon"', "exploration.from"),
        ("share = 0.1\nleast = 0.2", "exploration.least"),
    ],
)
def test_a_fault_of_the_section_names_its_key(section: str, names: str) -> None:
    with pytest.raises(PolicyFault, match="exploration") as caught:
        load_policy(policy_text(more=f"[exploration]\n{section}"))
    assert names in str(caught.value)


def test_the_share_halves_from_its_first_day_on_but_not_below_the_least() -> None:
    exploring_less = Exploration(0.4, DAY, 10.0, 0.05)
    first = (DAY - date(1970, 1, 1)).days
    shares = exploring_less.share_on_days(first + np.array([-5, 0, 10, 20, 400]))
    assert shares.tolist() == pytest.approx([0.4, 0.4, 0.2, 0.1, 0.05])


def test_nothing_competes_where_nothing_weighs() -> None:
    of, days = np.zeros(2, np.int64), np.zeros(2, np.int64)
    hands = {"physical": np.array([3, 3])}
    periods = Periods([Period("A", 0, 24, "day")], [{}], [None], of, days, hands, hands)
    assert Exploration(1.0).chance("message", np.zeros(2), days, periods).tolist() == [0.0, 0.0]
