"""The policy: never more checks than hands, chance that knows no score, rules that any order gives alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.messages.quality import CONSIGNMENT_CHECKS, LINE_CHECKS
from features.messages.raw import NO_HOUSE
from features.messages.read_message import REFUSED_LINE, Competing
from features.messages.required_elements import stages
from pipelines.training.standard_policy import standard_policy
from service.orientation import PolicyFault, load_policy
from service.orientation.lanes import Check
from service.orientation.rule_conditions import CONDITIONS
from service.scoring import Model
from tests.service.orientation.cases import DAY, QUICK, Case, hands, judged, many_cases, policy_text, rule_text

KINDS = {"red": "physical", "yellow": "documents", "blue": "audit"}


RULES = rule_text("postal", '{ stream = "postal" }', "red") + rule_text(
    "heavy", "{ gross_mass_kg = { above = 2 } }", "yellow"
)


@QUICK
@given(many_cases(), hands, hands, hands, st.sampled_from([0.0, 0.3, 1.0]), st.booleans(), st.booleans(), st.data())
def test_never_more_checks_than_an_office_has_left_on_a_day(
    model: Model, cases: list[Case], physical: int, documents: int, audit: int,
    rate: float, rules: bool, live: bool, data: st.DataObject,
) -> None:  # fmt: skip
    office_a = "[capacity.A]\nphysical = 1"
    text = policy_text(physical, documents, audit, 10, rate, more=office_a + "\n" + (RULES if rules else ""))
    spent = [
        (office, DAY, *data.draw(st.tuples(hands, hands, hands), label=f"spent at {office}"))
        for office in data.draw(st.sampled_from([[], ["A"], ["A", "unknown"]]))
    ]
    told = judged(load_policy(text), model, cases, competing="day" if live else "message", spent=spent)
    there = {(office, day): of for office, day, *of in spent}
    for (office, day), part in told.group_by("office", "day"):
        able = (1 if office == "A" else physical, documents, audit)
        used = there.get((office, day), [0, 0, 0])
        for lane, hands_there, gone in zip(KINDS, able, used, strict=True):
            assert (part["clearance"] == lane).sum() <= max(0, hands_there - gone)


@QUICK
@given(many_cases(), hands, hands, hands, st.booleans(), st.sampled_from([0.0, 0.4]))
def test_among_equals_the_riskier_is_never_treated_more_lightly(
    model: Model, cases: list[Case], physical: int, documents: int, audit: int, live: bool, least: float
) -> None:
    policy = load_policy(policy_text(physical, documents, audit, 10, least=least))
    told = judged(policy, model, cases, competing="day" if live else "message")
    for _, part in told.group_by("office", "day"):
        ordered = part.sort("risk", descending=True)
        by_risk = ordered.group_by("risk", maintain_order=True).agg(
            pl.col("lane").min().alias("least"), pl.col("lane").max().alias("most")
        )
        assert all(above >= below for above, below in zip(by_risk["least"][:-1], by_risk["most"][1:], strict=True))
    assert told.filter(pl.col("risk") < least)["lane"].to_list() == [0] * int((told["risk"] < least).sum())


def test_all_hands_are_used_where_there_is_work(model: Model) -> None:
    told = judged(load_policy(policy_text(2, 3, 4)), model, [Case(f"C{i}", (i + 1) / 100) for i in range(50)])
    assert dict(told["clearance"].value_counts().iter_rows()) == {
        "red": 2, "yellow": 3, "blue": 4, "green": 41,
    }  # fmt: skip
    assert told.sort("risk", descending=True)["clearance"][:9].to_list() == ["red"] * 2 + ["yellow"] * 3 + ["blue"] * 4
    assert told.filter(pl.col("clearance") == "blue")["post_clearance"].to_list() == ["audit"] * 4
    assert told.filter(pl.col("clearance") == "red")["pre_arrival"].unique().to_list() == ["control_recommended"]
    assert told.filter(pl.col("lane") >= 2)["selection"].unique().to_list() == ["risk"]
    assert told.filter(pl.col("lane") < 2)["selection"].unique().to_list() == ["none"]


def test_rank_in_a_message_counts_from_the_riskiest_of_its_office_and_day(model: Model) -> None:
    cases = [Case("a", 0.1), Case("b", 0.9), Case("c", 0.5), Case("d", 0.7, office="B"), Case("e", 0.2, office="B")]
    told = judged(load_policy(policy_text()), model, cases)
    assert told["rank"].to_list() == [3, 1, 2, 1, 2]
    assert told["of"].to_list() == [3, 3, 3, 2, 2]


def test_rank_of_a_call_is_where_it_would_stand_on_an_ordinary_day(model: Model) -> None:
    told = judged(load_policy(policy_text()), model, [Case("a", 0.999), Case("b", 0.5)], competing="day")
    assert told["rank"].to_list() == [1, 51]
    assert told["of"].to_list() == [100, 100]


def test_rank_is_never_beyond_the_number_it_is_a_rank_of(model: Model) -> None:
    told = judged(load_policy(policy_text()), model, [Case("a", 1e-300)], competing="day")
    assert told["rank"][0] <= told["of"][0]


def test_random_draws_keep_their_share_whatever_the_scores_are(model: Model) -> None:
    count, rate = 50_000, 0.02
    policy = load_policy(policy_text(count, 0, 0, rate=rate, least=1.0))
    rng = np.random.default_rng(3)
    risk = rng.uniform(0.001, 0.999, count)
    ids = [f"RR{i:09d}CN" for i in range(count)]
    told = judged(policy, model, [Case(name, r) for name, r in zip(ids, risk.tolist(), strict=True)])
    drawn = told.filter(pl.col("selection") == "random")
    sigma = np.sqrt(count * rate * (1 - rate))
    assert abs(drawn.height - count * rate) < 4.5 * sigma
    assert set(drawn["clearance"]) == {"red"}
    assert set(drawn["selection_probability"]) == {rate}
    assert set(told["selection_probability"]) == {rate}  # the chance with which anything green was looked at
    assert abs(drawn["risk"].mean() - risk.mean()) < 4.5 * risk.std() / np.sqrt(drawn.height)
    other = judged(policy, model, [Case(name, r) for name, r in zip(ids, risk[::-1].tolist(), strict=True)])
    assert other.filter(pl.col("selection") == "random")["name"].to_list() == drawn["name"].to_list()


def test_another_seed_draws_others(model: Model) -> None:
    cases = [Case(f"C{i}") for i in range(2000)]
    drawn = [
        set(
            judged(load_policy(policy_text(2000, rate=0.1, least=1.0, seed=seed)), model, cases)
            .filter(pl.col("selection") == "random")["name"]
        )
        for seed in (1, 2)
    ]  # fmt: skip
    assert drawn[0] != drawn[1]
    assert len(drawn[0] & drawn[1]) < 60  # 20 by chance


def test_with_few_hands_the_random_arm_is_still_blind_to_the_score(model: Model) -> None:
    rng = np.random.default_rng(3)
    risk = rng.uniform(0.001, 0.999, 4000)
    cases = [Case(f"C{i}", r) for i, r in enumerate(risk.tolist())]
    told = judged(load_policy(policy_text(200, 0, 0, rate=0.5, least=1.0)), model, cases)
    drawn = told.filter(pl.col("selection") == "random")
    assert drawn.height == 200
    assert abs(drawn["risk"].mean() - risk.mean()) < 4.5 * risk.std() / np.sqrt(200)


def test_what_chance_asked_for_is_never_put_down_to_risk(model: Model) -> None:
    told = judged(load_policy(policy_text(0, 5, 0, rate=1.0, least=1.0)), model, [Case("a")])
    assert told["clearance"].to_list() == ["yellow"]
    assert told["selection"].to_list() != ["risk"]


def _by_name(told: pl.DataFrame) -> pl.DataFrame:
    codes = pl.col("rule_codes").list.sort()
    return told.with_columns(codes).drop("row").sort("name")


@QUICK
@given(many_cases(), hands, hands, st.sampled_from([0.0, 0.3]), st.booleans(), st.randoms(use_true_random=False))
def test_order_of_consignments_and_of_rules_changes_nothing(
    model: Model, cases: list[Case], physical: int, documents: int, rate: float, live: bool, random: Any
) -> None:
    rules = [
        rule_text("postal", '{ stream = "postal" }', "red"),
        rule_text("heavy", "{ gross_mass_kg = { above = 2 } }", "yellow"),
        rule_text("light", "{ gross_mass_kg = { below = 2 } }", "blue", 'track = "investigation"'),
    ]
    competing: Competing = "day" if live else "message"
    told = judged(load_policy(policy_text(physical, documents, rate=rate, more="\n".join(rules))), model, cases,
                  competing=competing)  # fmt: skip
    again = judged(load_policy(policy_text(physical, documents, rate=rate, more="\n".join(rules))), model, cases,
                   competing=competing)  # fmt: skip
    assert told.equals(again)
    random.shuffle(cases)
    random.shuffle(rules)
    other = judged(load_policy(policy_text(physical, documents, rate=rate, more="\n".join(rules))), model, cases,
                   competing=competing)  # fmt: skip
    assert _by_name(told).equals(_by_name(other))


def test_the_strictest_rule_wins_and_all_that_hold_are_named(model: Model) -> None:
    rules = rule_text("b", '{ stream = "express" }', "blue", 'track = "investigation"')
    rules += rule_text("r", '{ stream = "express" }', "red", 'track = "simplified_destruction"')
    rules += rule_text("y", '{ stream = "express" }', "yellow") + rule_text("not", '{ stream = "postal" }', "red")
    told = judged(load_policy(policy_text(least=1.0, more=rules)), model, [Case("a")])
    assert told["clearance"].to_list() == ["red"]
    assert told["selection"].to_list() == ["rule"]
    assert told["selection_probability"].to_list() == [1.0]
    assert told["track"].to_list() == ["investigation"]
    assert sorted(told["rule_codes"][0]) == ["b", "r", "y"]


def test_a_rule_that_no_hand_is_left_for_is_marked_dropped(model: Model) -> None:
    rule = rule_text("r", '{ stream = "express" }', "red")
    told = judged(load_policy(policy_text(1, 1, 1, least=1.0, more=rule)), model, [Case(f"C{i}") for i in range(5)])
    assert dict(told["clearance"].value_counts().iter_rows()) == {
        "red": 1, "yellow": 1, "blue": 1, "green": 2,
    }  # fmt: skip
    assert told["dropped"].to_list() == (told["clearance"] != "red").to_list()
    assert told.filter("dropped")["wanted"].unique().to_list() == [int(Check.physical)]


def test_rank_that_the_day_has_spent_the_hands_for_is_marked_dropped(model: Model) -> None:
    told = judged(
        load_policy(policy_text(1, 1, 1)), model, [Case("a", 0.999)], competing="day", spent=[("A", DAY, 1, 1, 1)]
    )
    assert told["clearance"].to_list() == ["green"]
    assert told["dropped"].to_list() == [True]
    elsewhere = judged(
        load_policy(policy_text(1, 1, 1)), model, [Case("a", 0.999, office="B")], competing="day",
        spent=[("A", DAY, 1, 1, 1), ("B", DAY + timedelta(days=1), 1, 1, 1)],
    )  # fmt: skip
    assert elsewhere["clearance"].to_list() == ["red"]
    assert elsewhere["dropped"].to_list() == [False]


def test_track_goes_only_with_red_and_yellow(model: Model) -> None:
    rule = rule_text("r", '{ stream = "express" }', "red", 'track = "investigation"')
    told = judged(load_policy(policy_text(1, 1, 1, least=1.0, more=rule)), model, [Case(f"C{i}") for i in range(5)])
    assert set(told.filter(pl.col("lane") >= 2)["track"]) == {"investigation"}
    assert set(told.filter(pl.col("lane") < 2)["track"]) == {"none"}


@pytest.mark.parametrize(
    ("more", "holds"),
    [
        ('office = "A"', [True, False, False]),
        ('office = "unknown"', [False, False, True]),
        ("from = 2026-02-03", [True, True, True]),
        ("from = 2026-02-04", [False, False, False]),
        ("until = 2026-02-03", [True, True, True]),
        ("until = 2026-02-02", [False, False, False]),
        ("from = 2026-02-01\nuntil = 2026-02-10", [True, True, True]),
    ],
)
def test_a_rule_holds_at_its_office_from_its_first_day_to_its_last(model: Model, more: str, holds: list[bool]) -> None:
    policy = load_policy(policy_text(9, least=1.0, more=rule_text("r", '{ stream = "express" }', "red", more)))
    told = judged(policy, model, [Case("a"), Case("b", office="B"), Case("c", office=None)])
    assert (told["clearance"] == "red").to_list() == holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("{ gross_mass_kg = 1 }", [True, False, False]),
        ("{ gross_mass_kg = { is_not = 1 } }", [False, True, False]),
        ("{ gross_mass_kg = { in = [1.0, 2.0] } }", [True, False, False]),
        ("{ gross_mass_kg = { below = 5 } }", [True, False, False]),
        ("{ gross_mass_kg = { above = 1 } }", [False, True, False]),
        ("{ gross_mass_kg = { above = 0, below = 5 } }", [True, False, False]),
        ("{ gross_mass_kg = { missing = true } }", [False, False, True]),
        ("{ gross_mass_kg = { missing = false } }", [True, True, False]),
        ('{ consignment_id = { starts_with = "on" } }', [True, False, False]),
        ('{ consignment_id = { starts_with = ["on", "tw"] } }', [True, True, False]),
        ('{ consignment_id = { matches = "^t" } }', [False, True, True]),
        ('{ consignment_id = { matches = "^t" }, gross_mass_kg = { above = 1 } }', [False, True, False]),
    ],
)
def test_every_condition_means_what_it_says_and_unknown_is_never_true(
    model: Model, when: str, holds: list[bool]
) -> None:
    policy = load_policy(policy_text(9, least=1.0, more=rule_text("r", when, "red")))
    cases = [Case("one", gross_mass_kg=1.0), Case("two", gross_mass_kg=9.0), Case("three", gross_mass_kg=None)]
    assert (judged(policy, model, cases)["clearance"] == "red").to_list() == holds
    assert all(word in CONDITIONS for word in ("is", "is_not", "in", "below", "above", "starts_with"))


def test_a_list_of_whole_numbers_may_be_compared_with_a_number(model: Model) -> None:
    policy = load_policy(policy_text(9, least=1.0, more=rule_text("r", "{ gross_mass_kg = { in = [1, 2] } }", "red")))
    assert judged(policy, model, [Case("a", gross_mass_kg=1.0)])["clearance"].to_list() == ["red"]


def test_a_rule_can_ask_for_a_missing_office(model: Model) -> None:
    policy = load_policy(policy_text(9, least=1.0, more=rule_text("r", "{ office = { missing = true } }", "red")))
    assert judged(policy, model, [Case("a", office=None)])["clearance"].to_list() == ["red"]


def test_what_is_vague_or_incomplete_is_asked_for_unless_a_control_is_recommended(model: Model) -> None:
    policy = load_policy(policy_text(1, 0, 0, more="").replace("least = 0.0", "least = 0.0\nvague_share = 0.5"))
    cases = [Case("red", 0.9), Case("vague", vague=0.5), Case("no hs"), Case("odd"), Case("fine", vague=None)]
    problems = [(0, "hs_code", "missing"), (2, "hs_code", "missing"), (3, "value", "missing")]
    told = judged(policy, model, cases, problems=problems)
    assert told["pre_arrival"].to_list() == [
        "control_recommended", "request_information", "request_information", "data_incomplete", "no_risk",
    ]  # fmt: skip


ODD_AND_COMPLETE = (  # data problems of declarations that lack nothing which the law asks for
    ("ioss", "not the form of an IOSS number (IM and ten digits)"),
    ("product_code", "the check digit of the GTIN is wrong"),
    ("consignment_id", "the S10 check digit is wrong"),
    ("office", "no place is known by this code"),
    ("lodged_at", "not stated; the time of arrival stands"),
    ("consignor_phone", "not the form of a telephone number"),
    ("nature", "an unknown nature of the transaction; taken for other"),
)
LACKING = (
    ("hs_code", "missing", "request_information"),
    ("description", "says nothing about the goods", "request_information"),
    ("consignment_id", "missing; called by its place in the message", "request_information"),
    ("consignee_address", "missing", "request_information"),
    ("value", "missing", "data_incomplete"),
    ("currency", "missing beside a value", "data_incomplete"),
    ("goods", "a goods line was refused by the gate", "data_incomplete"),
    ("gross_mass_kg", "less than the net mass", "request_amendment"),
    ("hs_code", "no heading of HS 2022", "request_amendment"),
    ("consignor_country", "not a country code of ISO 3166", "request_amendment"),
)


@pytest.mark.parametrize(("field", "problem"), ODD_AND_COMPLETE)
def test_a_data_problem_alone_makes_no_declaration_incomplete(model: Model, field: str, problem: str) -> None:
    policy = load_policy(policy_text(0, 0, 0, more=""))
    told = judged(policy, model, [Case("odd")], problems=[(0, field, problem)])
    assert told["pre_arrival"].to_list() == ["no_risk"]
    before = judged(policy, model, [Case("odd")], problems=[(0, field, problem)], edition=1)
    assert before["pre_arrival"].to_list() == ["data_incomplete"]  # as a decision of that day said, and says again


@pytest.mark.parametrize(("field", "problem", "orientation"), LACKING)
def test_what_the_law_asks_for_and_is_lacking_is_told(model: Model, field: str, problem: str, orientation: str) -> None:
    policy = load_policy(policy_text(0, 0, 0, more=""))
    problems = [(0, field, problem), (0, *ODD_AND_COMPLETE[0])]
    assert judged(policy, model, [Case("odd")], problems=problems)["pre_arrival"].to_list() == [orientation]


def test_every_problem_that_stands_for_a_lack_can_be_found() -> None:
    found = {(check.field, check.problem) for check in (*CONSIGNMENT_CHECKS, *LINE_CHECKS)}
    found |= {("consignment_id", NO_HOUSE), ("description", "missing"), ("goods", REFUSED_LINE)}
    assert {pair for stage in stages() for pair in stage.lacking} <= found


def test_an_office_states_only_what_differs() -> None:
    policy = load_policy(policy_text(1, 2, 3, 50, more="[capacity.B]\naudit = 9"))
    assert (policy.capacity.offices["B"].physical, policy.capacity.offices["B"].documents) == (1, 2)
    assert (policy.capacity.offices["B"].audit, policy.capacity.offices["B"].expected) == (9, 50)


def test_the_standard_policy_loads_and_says_its_rules_in_all_languages() -> None:
    policy = load_policy(standard_policy())
    assert policy.policy_id
    assert 0 < policy.random_rate < 1
    assert policy.rules
    assert all(set(rule.reason) == {"en", "fr", "zh"} for rule in policy.rules)


GOOD = policy_text(more=rule_text("r", '{ stream = "postal" }', "red"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (GOOD + "[capacities]\n", ["capacities"]),
        (GOOD.replace('id = "test"', ""), ["id"]),
        (GOOD.replace("physical = 2", "physical = -1"), ["capacity.default.physical"]),
        (GOOD.replace("physical = 2", "physical = true"), ["capacity.default.physical"]),
        (GOOD.replace("physical = 2", "physical = 1.5"), ["capacity.default.physical"]),
        (GOOD.replace("physical = 2\n", ""), ["capacity.default.physical"]),
        (GOOD.replace("physical = 2", "hands = 2"), ["capacity.default", "hands"]),
        (GOOD + "[capacity.B]\naudit = -3", ["capacity.B.audit"]),
        (GOOD + "[capacity]\nB = 3\n", []),
        (GOOD.replace("[capacity.default]", "[capacity.A]"), ["capacity.default"]),
        (GOOD.replace("rate = 0.0", "rate = 1.5"), ["random.rate"]),
        (GOOD.replace("rate = 0.0", "rate = -0.1"), ["random.rate"]),
        (GOOD.replace("rate = 0.0", "rate = nan"), ["random.rate"]),
        (GOOD.replace("rate = 0.0", 'rate = "much"'), ["random.rate"]),
        (GOOD.replace("least = 0.0", "least = 2"), ["risk.least"]),
        (GOOD.replace("least = 0.0", "vague_share = 7"), ["risk.vague_share"]),
        (GOOD.replace('{ stream = "postal" }', '{ strem = "postal" }'), ["rule r", "strem"]),
        (GOOD.replace('"postal"', '{ equals = "postal" }'), ["rule r", "stream", "equals"]),
        (GOOD.replace('lane = "red"', 'lane = "orange"'), ["rule r", "lane", "orange"]),
        (GOOD.replace('lane = "red"', 'lane = "red"\ntrack = "jail"'), ["rule r", "track", "jail"]),
        (GOOD.replace('lane = "red"', ""), ["rule r", "lane"]),
        (GOOD.replace('author = "me"', ""), ["rule r", "author"]),
        (GOOD.replace('reason = "r"', ""), ["rule r", "reason"]),
        (GOOD.replace("when = ", "wen = "), ["rule r", "wen"]),
        (GOOD + 'from = "2026-03-01"', ["rule r", "from"]),
        (GOOD + "until = 20260301", ["rule r", "until"]),
        (GOOD + rule_text("r", '{ stream = "express" }', "red"), ["code"]),
        (GOOD + "[random\n", ["TOML"]),
    ],
)
def test_a_fault_of_the_policy_file_names_its_place(text: str, names: list[str]) -> None:
    with pytest.raises(PolicyFault) as caught:
        load_policy(text)
    assert all(name in str(caught.value) for name in names)
    assert "\n" not in str(caught.value).strip()


UNNOTICED: dict[str, Callable[[str], str]] = {
    "an unknown key of random": lambda text: text.replace("rate = 0.0", "rat = 0.5"),
    "an unknown key of risk": lambda text: text.replace("least = 0.0", "lest = 0.5"),
    "a share that is a truth value": lambda text: text.replace("rate = 0.0", "rate = true"),
    "a seed that is no number": lambda text: text.replace("seed = 7", 'seed = "abc"'),
    "a section that is no section": lambda text: text.split("[random]")[0].replace(
        "[capacity", "random = 3\n[capacity"
    ),
    "rules that are no list": lambda text: text.replace("[[rules]]", "[rules]"),
    "conditions that are no table": lambda text: text.replace('{ stream = "postal" }', '"postal"'),
    "a pattern that is none": lambda text: text.replace('"postal"', '{ matches = "(" }'),
    "a bound of another type": lambda text: text.replace('stream = "postal"', 'gross_mass_kg = { above = "heavy" }'),
    "a text condition on a number": lambda text: text.replace('stream = "postal"', 'pieces = { starts_with = "1" }'),
    "no words to start with": lambda text: text.replace('"postal"', "{ starts_with = [] }"),
    "a column without a condition": lambda text: text.replace('"postal"', "{}"),
    "a reason without English": lambda text: text.replace('reason = "r"', 'reason = { fr = "r" }'),
    "an office that is a list": lambda text: text + 'office = ["A", "B"]',
    "a rule that ends before it starts": lambda text: text + "from = 2026-02-02\nuntil = 2026-02-01",
    "two rules of one code, by name": lambda text: text + rule_text("r", '{ stream = "express" }', "red"),
}


@pytest.mark.parametrize("fault", UNNOTICED)
def test_a_policy_that_cannot_work_is_refused_when_it_is_loaded(fault: str) -> None:
    text = UNNOTICED[fault](GOOD)
    assert text != GOOD
    with pytest.raises(PolicyFault, match=r"random|risk|rule|code") as caught:
        load_policy(text)
    if "by name" in fault:
        assert "'r'" in str(caught.value) or "rule r" in str(caught.value)
