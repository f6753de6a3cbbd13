"""Chances by kind of finding in what a policy decides: in decisions, in rules, and what is asked before arrival."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.orientation import DecisionContext, PolicyFault, check_inputs, load_policy
from service.orientation.decisions import frame_of
from service.scoring import Model
from service.scoring.by_kind import KindOfFinding
from tests.service.building import NOON
from tests.service.orientation.cases import Case, judged, policy_text, presented, rule_text

DRUGS = rule_text("drugs", "{ risk_narcotics = { above = 0.2 } }", "yellow")
SCREEN = rule_text("screen", "{ risk_narcotics = { above = 0.2 } }", "green", 'pre_arrival = "request_screening"')


@pytest.fixture
def telling(model: Model) -> Model:
    """A model that tells narcotics from the rest."""
    return replace(model, kinds=(KindOfFinding("narcotics", 9, 0.5),))


CASES = [Case("drugs", 0.4, narcotics=0.3), Case("others", 0.5, narcotics=0.1)]


def test_a_rule_names_the_chance_of_a_kind_and_holds_nowhere_without_it(model: Model, telling: Model) -> None:
    policy = load_policy(policy_text(0, 2, 0, least=1.0, more=DRUGS))
    check_inputs(policy, model.inputs)  # a model of before serves with it
    assert judged(policy, telling, CASES)["clearance"].to_list() == ["yellow", "green"]
    assert judged(policy, model, CASES)["clearance"].to_list() == ["green", "green"]


def test_a_rule_names_no_other_word_for_a_chance() -> None:
    with pytest.raises(PolicyFault, match="risk_Narcotics"):
        load_policy(policy_text(more=rule_text("drugs", "{ risk_Narcotics = { above = 0.2 } }", "yellow")))


def test_the_decision_states_the_chances_beside_the_risk_in_rows_and_in_columns(model: Model, telling: Model) -> None:
    policy = load_policy(policy_text())
    decisions = policy.orient(*presented(telling, CASES), DecisionContext(NOON, "message", []))
    assert [row["risk_by_kind"] for row in decisions.rows] == [{"narcotics": 0.3}, {"narcotics": 0.1}]
    assert decisions.as_frame().equals(frame_of(list(decisions.rows)), null_equal=True)
    before = policy.orient(*presented(model, CASES), DecisionContext(NOON, "message", []))
    assert [row["risk_by_kind"] for row in before.rows] == [None, None]
    assert frame_of([{k: v for k, v in before.rows[0].items() if k != "risk_by_kind"}]).height == 1  # on record before


@pytest.mark.parametrize(("physical", "lane"), [(1, "red"), (0, "green")])
def test_a_screening_that_a_rule_asks_for_is_asked_for_whatever_the_lane(
    telling: Model, physical: int, lane: str
) -> None:
    policy = load_policy(policy_text(physical, 0, 0, more=SCREEN))
    decided = judged(policy, telling, CASES[:1])
    assert (decided["clearance"][0], decided["pre_arrival"][0]) == (lane, "request_screening")


@pytest.mark.parametrize("asked", ["request_amendment", "request_information"])
def test_a_rule_asks_for_an_amendment_or_for_information(telling: Model, asked: str) -> None:
    text = rule_text("ask", "{ risk_narcotics = { above = 0.2 } }", "green", f'pre_arrival = "{asked}"')
    policy = load_policy(policy_text(0, 0, 0, more=text))
    assert judged(policy, telling, CASES)["pre_arrival"].to_list() == [asked, "no_risk"]


def test_a_rule_asks_for_nothing_else_before_arrival() -> None:
    with pytest.raises(PolicyFault, match="rule screen: pre_arrival is none of request_information"):
        load_policy(policy_text(more=SCREEN.replace("request_screening", "do_not_load")))
