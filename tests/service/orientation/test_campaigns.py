"""Campaigns: the first of a network are opened for the rest, which waits, and is decided again on what they reveal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.parties import Linked
from features.parties.graph import Graph
from service.audit.replay import Bundles, replay
from service.calls.reassessment import reassess
from service.desk import Desk, networks_of
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import PolicyFault, load_policy
from service.scoring import Model
from service.settings import Settings
from service.store.database import Store
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome
from tests.service.calls.learning import learned
from tests.service.orientation.cases import QUICK, Case, hands, judged, many_cases, policy_text
from tests.service.record.tallies import as_counted, as_decided

CAMPAIGNS = "[campaigns]\nchecks = {checks}\nworth = {worth}\n"


def campaigning(checks: int = 1, worth: float = 0.2, physical: int = 2, documents: int = 0, **how: Any) -> str:
    return policy_text(physical, documents, 0, more=CAMPAIGNS.format(checks=checks, worth=worth), **how)


NETWORKED = [Case("n1", 0.9, network="N"), Case("n2", 0.89, network="N"), Case("n3", 0.88, network="N")]
ALONE = [Case("a", 0.7, network="A"), Case("b", 0.6, network=None)]


def test_a_network_does_not_take_what_others_are_worth_more(model: Model) -> None:
    plain = judged(load_policy(policy_text(2, 0, 0)), model, NETWORKED + ALONE)
    assert plain.filter(pl.col("clearance") == "red")["name"].to_list() == ["n1", "n2"]
    told = judged(load_policy(campaigning()), model, NETWORKED + ALONE)
    assert told.filter(pl.col("clearance") == "red")["name"].to_list() == ["n1", "a"]
    assert told["selection"].to_list() == ["campaign", "none", "none", "risk", "none"]
    assert told["held"].to_list() == [False, True, True, False, False]
    assert told["post_clearance"].to_list() == ["none", "reassess", "reassess", "none", "none"]


def test_what_is_left_over_goes_to_the_network_after_all(model: Model) -> None:
    told = judged(load_policy(campaigning(physical=4)), model, NETWORKED + ALONE)
    assert told.filter(pl.col("clearance") == "red")["name"].to_list() == ["n1", "n2", "a", "b"]
    assert told["held"].to_list() == [False, False, True, False, False]


@pytest.mark.parametrize("competing", ["message", "day"])
def test_checks_that_are_still_awaited_count(model: Model, competing: Any) -> None:
    policy = load_policy(campaigning(physical=1, expected=10))
    held = judged(policy, model, [NETWORKED[0], ALONE[0]], competing=competing, opened={"N": 1, "other": 5})
    assert held["held"].to_list() == [True, False]
    free = judged(policy, model, [NETWORKED[0], ALONE[0]], competing=competing, opened={"other": 5})
    assert free["clearance"].to_list()[0] == "red"


def test_a_finding_asks_for_what_was_held_back_and_names_itself(model: Model) -> None:
    policy = load_policy(campaigning(physical=3))
    told = judged(policy, model, [Case(f"n{i}", 0.2, network="N") for i in range(3)], found=("N",), opened={"N": 1})
    assert told["clearance"].to_list() == ["red"] * 3
    assert [list(codes) for codes in told["rule_codes"]] == [["network-finding"]] * 3
    assert told["selection"].to_list() == ["rule"] * 3


@QUICK
@given(many_cases(), hands, hands, st.integers(0, 2), st.booleans(), st.data())
def test_campaigns_never_take_more_than_there_is_and_let_alone_what_stands_alone(
    model: Model, cases: list[Case], physical: int, documents: int, checks: int, live: bool, data: st.DataObject
) -> None:
    for case in cases:
        case.network = data.draw(st.sampled_from([None, "N", "M"]))
    text = campaigning(checks, 0.1, physical, documents)
    told = judged(load_policy(text), model, cases, competing="day" if live else "message", opened={"M": 1})
    for _, part in told.group_by("office", "begins"):
        assert (part["clearance"] == "red").sum() <= physical
        assert (part["clearance"] == "yellow").sum() <= documents
    assert not told.filter(pl.col("network").is_null())["held"].any()
    if not checks:
        assert not told["held"].any()
        assert "campaign" not in told["selection"].to_list()


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("[campaigns]\nchecks = -1", "campaigns.checks"),
        ("[campaigns]\nworth = 2", "campaigns.worth"),
        ('[campaigns]\ncarried = "orange"', "campaigns.carried"),
        ("[campaigns]\nsiblings = 2", "siblings"),
    ],
)
def test_a_section_that_cannot_be_used_names_its_key(section: str, names: str) -> None:
    with pytest.raises(PolicyFault, match=names):
        load_policy(policy_text(more=section))


def test_the_finding_of_one_is_carried_to_those_that_waited(model: Model, home: Settings, store: Store) -> None:
    """Three of one network: one is opened, two wait; its result opens them too, on record and as a replay gives it."""
    policy = load_policy(campaigning(physical=1, worth=0.0001, expected=3, least=0.0))
    desk = Desk(Linked(Graph()), StoredHistory(store), model, policy, Journal(store))
    given = target(message(*(declared(i) for i in range(1, 4)), competing="message"), desk)
    other = target(message(declared(9, consignor={"name": "Quite Another", "country": "CN"}), message_id="M2"), desk)
    waiting = [row["consignment_id"] for row in given.rows if row["post_clearance"] == "reassess"]
    opened = [row["consignment_id"] for row in given.rows if row["clearance"] == "red"]
    assert (len(opened), len(waiting)) == (1, 2)
    assert given.declared is not None
    assert other.declared is not None
    assert networks_of(given.declared) != networks_of(other.declared)
    assert reassess(desk, NOON + timedelta(hours=2)) == 0, "nothing is known yet"
    learned(desk, outcome(int(opened[0][-9:]), known_at=NOON + timedelta(days=2)))
    assert reassess(desk, NOON + timedelta(days=3)) == 1, "that day has one pair of hands too"
    amended = [new for new, *_ in map(desk.journal.decisions_on, waiting) if new["assessment"] == 2]
    for new in amended:
        assert (new["clearance"], new["pre_arrival"]) == ("red", "control_recommended")
        assert "rule.network-finding" in [reason["code"] for reason in new["reasons"]]
        assert replay(store, Bundles(home.bundles, home.keys), new["decision_id"]).identical
    assert as_counted(store).equals(as_decided(store))
    assert reassess(desk, NOON + timedelta(days=4)) == 0
