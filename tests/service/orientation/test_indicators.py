"""Indicators: what is odd draws the checks while no model scores, each with its chance on record; never afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.catalogue import INPUTS
from pipelines.training.standard_policy import standard_policy
from service.orientation import PolicyFault, load_policy
from service.orientation.indicators import MOST_POINTS
from service.scoring import Model
from service.scoring.bundle import unscored
from service.targeting import Desk, target
from tests.service.building import declared, message
from tests.service.orientation.cases import Case, judged, policy_text, rule_text

START = "[start]\nshare = 1.0\n"
RULES_ALONE = unscored(INPUTS)


def indicator(code: str = "odd", when: str = "{ pieces = { above = 5 } }", points: object = 6, more: str = "") -> str:
    return (
        f'[[indicators]]\ncode = "{code}"\nwhen = {when}\npoints = {points}\nauthor = "me"\n'
        f'reason = {{ en = "{code} in words", fr = "{code} en mots" }}\n{more}\n'
    )


def day_of(odd: int, plain: int, risk: float = np.nan) -> list[Case]:
    """Consignments of nine pieces, and of one; without a risk, as no model scored them."""
    return [Case(f"O{n}", risk, pieces=9.0) for n in range(odd)] + [Case(f"P{n}", risk) for n in range(plain)]


def test_what_is_odd_is_drawn_first_and_nothing_is_excluded() -> None:
    policy = load_policy(policy_text(physical=4, documents=0, audit=0, more=START + indicator(points=6)))
    told = judged(policy, RULES_ALONE, day_of(4, 196))
    odd, plain = told[:4], told[4:]
    total = 4 * 64 + 196
    assert odd["explorable"].to_list() == pytest.approx([4 * 64 / total] * 4)
    assert plain["explorable"].to_list() == pytest.approx([4 / total] * 196)
    drawn = sum(judged(replace(policy, seed=seed), RULES_ALONE, day_of(4, 196))["explored"].sum() for seed in range(60))
    assert drawn / 60 == pytest.approx(4, abs=0.8)


def test_the_checks_that_rules_need_are_set_aside_before_any_is_drawn() -> None:
    rule = rule_text("r", '{ stream = "postal" }', "red")
    policy = load_policy(policy_text(physical=2, documents=0, audit=0, more=START + indicator() + rule))
    cases = [Case("a", np.nan, stream="postal"), Case("b", np.nan, stream="postal"), *day_of(3, 0)]
    told = judged(policy, RULES_ALONE, cases)
    assert told["clearance"].to_list()[:2] == ["red", "red"]
    assert told["explorable"].to_list() == [0.0] * 5
    assert told["selection"].to_list()[:2] == ["rule", "rule"]


def test_points_add_up_and_are_exact_powers_of_two() -> None:
    other = indicator("heavy", "{ gross_mass_kg = { above = 2 } }", 3)
    policy = load_policy(policy_text(physical=1, more=START + indicator() + other))
    pieces_and_mass = {"both": (9.0, 3.0), "one": (9.0, 1.0), "none": (None, 1.0)}
    cases = [Case(n, np.nan, pieces=p, gross_mass_kg=kg) for n, (p, kg) in pieces_and_mass.items()]
    assert judged(policy, RULES_ALONE, cases)["weight"].to_list() == [512.0, 64.0, 1.0]


def test_single_calls_are_drawn_by_the_mean_weight_of_an_ordinary_day() -> None:
    more = "[start]\nshare = 0.5\nmean_weight = 4.0\n" + indicator()
    policy = load_policy(policy_text(physical=10, expected=200, more=more))
    told = judged(policy, RULES_ALONE, day_of(1, 1), competing="day")
    assert told["explorable"].to_list() == pytest.approx([min(1.0, 0.5 * 10 * 64 / 800), 0.5 * 10 / 800])


def test_once_a_model_scores_indicators_rest(model: Model) -> None:
    plain, with_them = (load_policy(policy_text(physical=3, more=more)) for more in ("", START + indicator()))
    cases = day_of(4, 20, risk=0.3)
    before, after = (judged(policy, model, cases) for policy in (plain, with_them))
    assert before.equals(after, null_equal=True)


def test_reasons_name_what_is_odd_in_the_language_of_the_installation(desk: Desk) -> None:
    text = policy_text(physical=5, more=START + indicator(when="{ value_eur = { above = 0 } }", points=MOST_POINTS))
    by_rules = replace(desk, model=RULES_ALONE, policy=load_policy(text), language="fr")
    (row,) = target(message(declared(1)), by_rules).as_json()
    assert (row["clearance"], row["selection"], row["mode"]) == ("red", "exploration", "rules_only")
    assert row["selection_probability"] == 1.0
    assert [reason["code"] for reason in row["reasons"]] == [
        "indicator.odd", "unscored", "exploration", "track.simplified_destruction",
    ]  # fmt: skip
    assert row["reasons"][0]["text"] == "odd en mots"
    assert row["reasons"][1]["text"].startswith("Aucun modèle ne décide encore")


@pytest.mark.parametrize(
    ("lost", "pre_arrival", "post_clearance", "said"),
    [
        ((), "no_risk", "none", "No model decides yet"),
        (("model",), "data_incomplete", "reassess", "No model could be loaded"),
    ],
)
def test_rules_by_choice_lack_nothing_and_rules_for_want_of_a_model_claim_nothing(
    desk: Desk, lost: tuple[str, ...], pre_arrival: str, post_clearance: str, said: str
) -> None:
    by_rules = replace(desk, model=RULES_ALONE, policy=load_policy(policy_text(physical=0)), lacking=lost)
    (row,) = target(message(declared(1)), by_rules).as_json()
    assert (row["mode"], row["degraded_reasons"], row["risk"]) == ("rules_only", list(lost), None)
    assert (row["pre_arrival"], row["post_clearance"]) == (pre_arrival, post_clearance)
    assert row["reasons"][0]["text"].startswith(said)


FAULTS: list[tuple[str, str]] = [
    (indicator(points=0), r"indicator odd\.points: needs a whole number, one or more"),
    (indicator(points=MOST_POINTS + 1), r"indicator odd\.points: needs a whole number up to 20"),
    (indicator(points=1.5), r"indicator odd\.points"),
    (indicator(more='lane = "red"'), "indicator odd: has points and no lane"),
    (indicator(when="{ nowhere = 1 }"), "odd: no consignment column or feature is called 'nowhere'"),
    (indicator() + indicator(), "indicator odd: two indicators have the same code"),
    ("indicators = 3", "indicators: each needs a table of its own"),
    ("[start]\nshare = 2", r"start\.share: needs a number from 0 to 1"),
    ("[start]\nmean_weight = 0", r"start\.mean_weight: needs a number above 0"),
    ("[start]\nhalf = 1", "start: unknown key 'half'"),
]


@pytest.mark.parametrize(("more", "said"), FAULTS)
def test_a_fault_names_the_indicator_and_the_key(more: str, said: str) -> None:
    first, rest = ("", more) if more.startswith("[") else (more, "")
    with pytest.raises(PolicyFault, match=said):
        load_policy(f"{first}\n{policy_text()}" + rest)


def test_the_standard_policy_words_its_indicators_in_all_languages() -> None:
    policy = load_policy(standard_policy())
    assert policy.indicators.draw.share == 1.0
    assert len(policy.indicators.listed) >= 8
    for each in policy.indicators.listed:
        assert set(each.rule.reason) == {"en", "fr", "zh"}
        assert each.points <= MOST_POINTS


def test_holding_names_the_heaviest_first() -> None:
    more = START + indicator("light", points=1) + indicator("weighty", points=9)
    policy = load_policy(policy_text(more=more))
    known: Any = judged_known(policy)
    points, codes = policy.indicators.holding(known)
    assert points.tolist() == [10, 0]
    assert codes == {0: ["weighty", "light"]}
    assert points.dtype == np.int64


def judged_known(policy: Any) -> Any:
    """What a policy knows of one odd case and one plain one."""
    from tests.service.orientation.cases import presented

    consignments, scores, _ = presented(RULES_ALONE, [Case("a", pieces=9.0), Case("b", pieces=1.0)])
    return policy.known(consignments, scores)
