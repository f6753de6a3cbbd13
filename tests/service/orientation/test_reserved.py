"""Checks reserved for a kind of finding go to what is likeliest of it, before the rank takes the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.backtest.days import midnight
from service.orientation import DecisionContext, Policy, PolicyFault, load_policy
from service.scoring import Model
from service.scoring.by_kind import KindOfFinding
from tests.service.building import NOON
from tests.service.orientation.cases import DAY, Case, judged, policy_text, presented, rule_text

OF_DRUGS = (KindOfFinding("narcotics", 9, 0.2),)


@pytest.fixture
def of_drugs(model: Model) -> Model:
    return replace(model, kinds=OF_DRUGS)


def reserving(checks: int, physical: int = 3, documents: int = 0, more: str = "", least: float = 0.05) -> Policy:
    reserved = f"[reserved.default]\nnarcotics = {checks}\n"
    return load_policy(policy_text(physical, documents, 0, least=least, more=more + reserved))


def a_day() -> list[Case]:
    """Ten of high risk that are no drugs, and four of lower risk that may be."""
    others = [Case(f"O{n}", 0.9 - n / 100, narcotics=0.01) for n in range(10)]
    return [*others, *(Case(f"N{n}", 0.3 + n / 100, narcotics=0.2 + n / 100) for n in range(4))]


def opened(lanes: pl.DataFrame) -> list[str]:
    return sorted(lanes.filter(pl.col("clearance") == "red")["name"])


def test_without_a_reservation_the_rank_takes_all(of_drugs: Model) -> None:
    policy = load_policy(policy_text(3, 0, 0, least=0.05))
    assert opened(judged(policy, of_drugs, a_day())) == ["O0", "O1", "O2"]


def test_reserved_checks_go_to_the_likeliest_of_the_kind_and_the_rest_by_rank(of_drugs: Model) -> None:
    assert opened(judged(reserving(2), of_drugs, a_day())) == ["N2", "N3", "O0"]
    assert opened(judged(reserving(1), of_drugs, a_day())) == ["N3", "O0", "O1"]
    assert opened(judged(reserving(0), of_drugs, a_day())) == ["O0", "O1", "O2"]


def test_each_office_has_what_it_reserves(of_drugs: Model) -> None:
    text = policy_text(2, 0, 0, least=0.05, more="[reserved.A]\nnarcotics = 2\n")
    both = [replace(case, name=f"{office}-{case.name}", office=office) for office in "AB" for case in a_day()]
    assert opened(judged(load_policy(text), of_drugs, both)) == ["A-N2", "A-N3", "B-O0", "B-O1"]


def test_what_a_kind_leaves_over_goes_to_the_others(of_drugs: Model, model: Model) -> None:
    one = [*a_day()[:10], Case("N0", 0.3, narcotics=0.2)]
    few = [replace(case, narcotics=0.0) if case.name.startswith("O") else case for case in one]
    assert opened(judged(reserving(2), of_drugs, few)) == ["N0", "O0", "O1"]
    assert opened(judged(reserving(2), model, a_day())) == ["O0", "O1", "O2"], "the model states no chance of it"


def test_below_the_least_risk_nothing_is_reserved(of_drugs: Model) -> None:
    assert opened(judged(reserving(2, least=0.5), of_drugs, a_day())) == ["O0", "O1", "O2"]


def test_rules_come_before_it_and_take_no_reserved_place(of_drugs: Model) -> None:
    rule = rule_text("r", "{ gross_mass_kg = { above = 4 } }", "red")
    cases = [*a_day(), Case("N9", 0.6, narcotics=0.5, gross_mass_kg=5.0)]
    assert opened(judged(reserving(1, more=rule), of_drugs, cases)) == ["N3", "N9", "O0"]


def test_its_reason_names_the_kind_in_three_languages(of_drugs: Model) -> None:
    given = presented(of_drugs, a_day())
    for language, words in (("en", "reserved"), ("fr", "réservés"), ("zh", "预留")):
        decided = reserving(1).orient(*given, DecisionContext(NOON, "message", [], language=language))  # type: ignore[arg-type]
        (row,) = [row for row in decided.rows if row["consignment_id"] == "N3"]
        (reason,) = [reason for reason in row["reasons"] if reason["code"] == "reserved"]
        assert (reason["evidence"], row["selection"]) == ("narcotics", "risk")
        assert words in reason["text"]
        others = [reason["code"] for other in decided.rows if other is not row for reason in other["reasons"]]
        assert "reserved" not in others


def test_calls_keep_its_checks_all_day(of_drugs: Model) -> None:
    """Of a hundred expected, a drug of rank 8 among all is about the second of its kind, a fifth of what is found."""
    text = policy_text(4, 0, 0, expected=100, least=0.05, more="[reserved.default]\nnarcotics = 2\n")
    plain = load_policy(policy_text(4, 0, 0, expected=100, least=0.05))
    drug, other = Case("N", 0.92, narcotics=0.5), Case("O", 0.965, narcotics=0.0)
    for policy, expected in ((plain, (False, True)), (load_policy(text), (True, False))):
        alone = (judged(policy, of_drugs, [case], competing="day", at=midnight(DAY)) for case in (drug, other))
        found = tuple(bool(opened(lanes)) for lanes in alone)
        assert found == expected


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("[reserved.default]\nNarcotics = 2\n", "no kind of finding"),
        ("[reserved.default]\nnarcotics = -1\n", "whole number"),
        ("[reserved]\ndefault = 2\n", "needs a section"),
    ],
)
def test_a_reservation_that_cannot_be_read_is_refused(section: str, fault: str) -> None:
    with pytest.raises(PolicyFault, match=fault):
        load_policy(policy_text(more=section))


def test_the_order_of_a_message_decides_nothing(of_drugs: Model) -> None:
    cases = a_day()
    shuffled = [cases[place] for place in np.random.default_rng(3).permutation(len(cases))]
    assert opened(judged(reserving(2), of_drugs, shuffled)) == opened(judged(reserving(2), of_drugs, cases))
