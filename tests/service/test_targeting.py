"""The story from a message to its decisions: complete, in order, and on nothing but the past."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import permutations
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from features.messages import Refused
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation.decisions import SCHEMA
from service.store.database import Store
from service.store.tables import DECISIONS
from service.targeting import Desk, target
from tests.service.building import MODEL_ID, NOON, declared, message, outcome, results

CONTRACT = {
    "decision_id", "consignment_id", "version", "decided_at", "risk", "rank", "of", "pre_arrival", "clearance",
    "post_clearance", "track", "selection", "selection_probability", "reasons", "party_id", "network_id",
    "data_problems", "mode", "degraded_reasons", "model_id", "model_sha256", "feature_fingerprint", "policy_id",
    "lists_as_of", "history_as_of",
}  # fmt: skip
WORDS = {
    "pre_arrival": {
        "no_risk", "data_incomplete", "request_information", "request_amendment", "request_screening",
        "control_recommended",
    },
    "clearance": {"green", "yellow", "red", "blue"},
    "post_clearance": {"none", "audit", "reassess"},
    "track": {"none", "simplified_destruction", "investigation"},
    "selection": {"risk", "rule", "random", "exploration", "campaign", "none"},
    "mode": {"full", "degraded", "rules_only"},
}  # fmt: skip


def scored(desk: Desk, number: int, version: int = 1) -> dict[str, Any]:
    """The row as it was scored."""
    mine = (DECISIONS.c.consignment_id == f"HAWB{number:09d}") & (DECISIONS.c.version == version)
    with desk.journal.store.reading() as connection:
        return dict(connection.execute(sa.select(DECISIONS.c.row_as_scored).where(mine)).scalar_one())


def test_every_decision_has_every_field_of_the_contract(desk: Desk) -> None:
    (decision,) = target(message(declared(1, consignee=None)), desk).as_json()
    assert set(decision) >= CONTRACT
    assert list(decision) == list(SCHEMA)
    assert 0 <= decision["risk"] <= 1
    assert all(decision[field] in words for field, words in WORDS.items())
    assert (decision["consignment_id"], decision["version"]) == ("HAWB000000001", 1)
    assert (decision["model_id"], decision["model_sha256"]) == (MODEL_ID, desk.model.sha256)
    assert (decision["feature_fingerprint"], decision["policy_id"]) == (desk.model.fingerprint, desk.policy.policy_id)
    assert decision["decided_at"] == "2026-02-03T12:01:00.000000Z"
    assert decision["history_as_of"] is None  # nothing was known yet
    assert {"field": "consignee_name", "problem": "missing"} in decision["data_problems"]
    assert (decision["party_id"], decision["network_id"]) == (None, None)
    assert decision["pre_arrival"] == "request_information"


def eager(desk: Desk) -> Desk:
    """The desk under a policy that uses every check it has, however small the risk."""
    return replace(desk, policy=replace(desk.policy, least_risk=0.0))


def test_what_is_not_green_has_reasons_with_code_and_text(desk: Desk) -> None:
    risky = target(message(*(declared(i) for i in range(40)), competing="message"), eager(desk)).as_json()
    looked_at = [decision for decision in risky if decision["clearance"] != "green"]
    assert looked_at
    for decision in looked_at:
        assert decision["reasons"]
        assert all(reason["code"] and reason["text"] for reason in decision["reasons"])


def test_decisions_come_in_the_order_of_the_consignments(desk: Desk) -> None:
    sent = [declared(number) for number in (5, 3, 9, 1)]
    decided = target(message(*sent), desk).as_json()
    assert [d["consignment_id"] for d in decided] == [s["consignment_id"] for s in sent]


def test_an_empty_message_gives_no_decisions(desk: Desk) -> None:
    empty = message(declared(1))
    decisions = target(type(empty)(empty.table.frame.clear(), name="empty", received_at=NOON), desk)
    assert decisions.rows == []
    assert decisions.refused.is_empty()
    assert decisions.as_frame().is_empty()


def test_a_complete_message_with_a_bad_row_is_refused_as_a_whole(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        target(message(declared(1), declared(2, stream="rail")), desk)
    assert caught.value.faults.select("line", "field").rows() == [(1, "stream")]
    assert "rail" not in str(caught.value)
    assert desk.journal.decisions_on("HAWB000000001") == []


def test_an_incomplete_message_goes_on_without_the_bad_rows_and_says_so(desk: Desk) -> None:
    two_lines = [*declared()["goods"], {"line_no": 2, "description": "belts", "value": -1}]
    sent = message(declared(1), declared(2, stream="rail"), declared(3, goods=two_lines), complete=False)
    decisions = target(sent, desk)
    assert [d["consignment_id"] for d in decisions.as_json()] == ["HAWB000000001", "HAWB000000003"]
    assert decisions.refused["field"].to_list() == ["stream", "value"]
    assert decisions.as_json()[0]["data_problems"] == []
    assert decisions.as_json()[1]["data_problems"] == [
        {"field": "goods", "problem": "a goods line was refused by the gate"}
    ]


def test_consignments_of_one_instant_never_see_each_other(desk: Desk) -> None:
    target(message(*(declared(i) for i in range(4))), desk)
    assert [scored(desk, i)["consignor_consignments_1d"] for i in range(4)] == [0, 0, 0, 0]
    target(message(declared(9), message_id="M2"), desk)
    assert scored(desk, 9)["consignor_consignments_1d"] == 0  # another call, the same instant


def test_a_later_call_sees_the_earlier(desk: Desk) -> None:
    target(message(declared(1), declared(2)), desk)
    later = NOON + timedelta(hours=1)
    decided = target(message(declared(3, lodged_at=later), message_id="M2"), desk).as_json()[0]
    row = scored(desk, 3)
    assert (row["consignor_consignments_1d"], row["consignor_consignments_90d"]) == (2, 2)
    assert row["consignor_days_since_last"] == pytest.approx(1 / 24)
    assert decided["history_as_of"] == "2026-02-03T12:00:00.000000Z"


def test_within_a_message_the_later_see_the_earlier_in_whatever_order_they_stand(desk: Desk) -> None:
    for n, order in enumerate(permutations(range(3))):
        name = f"Sender {n}"
        sent = [
            declared(100 * (n + 1) + i, lodged_at=NOON + timedelta(minutes=i), consignor={"name": name}) for i in order
        ]
        target(message(*sent, message_id=f"M{n}"), desk)
        seen = [scored(desk, 100 * (n + 1) + i)["consignor_consignments_1d"] for i in range(3)]
        assert seen == [0, 1, 2]


def test_an_outcome_is_seen_only_after_it_became_known(desk: Desk) -> None:
    target(message(declared(1)), desk)
    known_at = NOON + timedelta(days=2)
    desk.journal.learn(results(outcome(1, known_at=known_at)))
    for number, moment, hits in ((2, known_at, 0), (3, known_at + timedelta(microseconds=1), 1)):
        target(message(declared(number, lodged_at=moment), message_id=f"M{number}"), desk)
        assert scored(desk, number)["consignor_hits_ever"] == hits


def test_one_call_each_and_one_message_give_the_same_risks(trained_desk: Desk, tmp_path_factory: Any) -> None:
    sent = [
        declared(i, lodged_at=NOON + timedelta(minutes=7 * i), consignor={"name": f"Sender {i % 3}", "country": "CN"})
        for i in range(12)
    ]
    together = target(message(*sent), trained_desk).as_json()
    other = Store(f"sqlite:///{tmp_path_factory.mktemp('other')}/store.db")
    alone = replace(trained_desk, history=StoredHistory(other), journal=Journal(other))
    apart = [target(message(one), alone).as_json()[0] for one in sent]
    other.close()
    assert [d["risk"] for d in apart] == [d["risk"] for d in together]
    assert len({d["risk"] for d in together}) > 1


@pytest.mark.parametrize(
    ("language", "letters"), [("en", r"the risk"), ("fr", r"le risque"), ("zh", r"[\u4e00-\u9fff]")]
)
def test_reasons_speak_the_language_of_the_desk(desk: Desk, language: Any, letters: str) -> None:
    sent = message(*(declared(i) for i in range(20)), competing="message")
    decided = target(sent, replace(eager(desk), language=language)).as_json()
    reasons = [reason for decision in decided for reason in decision["reasons"]]
    of_model = [reason["text"] for reason in reasons if "contribution" in reason]
    assert of_model
    assert all(re.search(letters, text) for text in of_model)


def test_decisions_travel_as_a_frame_without_loss(desk: Desk) -> None:
    decisions = target(message(declared(1), declared(2, consignee=None), competing="message"), desk)
    frame = decisions.as_frame()
    assert frame["risk"].to_list() == [d["risk"] for d in decisions.as_json()]
    assert frame["decided_at"].to_list() == [(NOON + timedelta(minutes=1)).astimezone(UTC)] * 2
    assert frame["data_problems"].list.len().to_list() == [len(d["data_problems"]) for d in decisions.as_json()]
    assert frame["lists_as_of"].dtype == pl.Datetime("us", "UTC")


@pytest.mark.parametrize("digits", ["١٢٣", "１２３", "१२३", "Ⅻ²½"])
def test_digits_of_every_script_are_only_text(desk: Desk, digits: str) -> None:
    """A field may hold any of them: what cannot be read as a number is unknown, and nobody is refused for it."""
    party = {"name": f"{digits} Trading", "address": f"{digits} Road {digits}", "email": f"a{digits}@b{digits}.example"}
    goods = {**declared()["goods"][0], "description": f"shoes AB-{digits}", "hs_code": digits}
    sent = declared(1, consignor={**party, "country": "CN", "phone": digits}, consignee=party, goods=[goods])
    given = target(message({**sent, "seller": {"url": f"https://shop{digits}.example/{digits}"}}), desk)
    assert len(given.rows) == 1
    assert given.rows[0]["risk"] is not None
    assert ("hs_code", "not 2 to 10 digits") in {(p["field"], p["problem"]) for p in given.rows[0]["data_problems"]}
