"""Results that contradict themselves or the record are refused with a sentence, whatever way they come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from pipelines.batch.archive import Archive
from pipelines.batch.ingest import ingest_outcomes
from service.api.bodies import outcome_rows
from service.app import create
from service.desk import Desk
from service.journal import Journal
from service.record.result_checks import EARLY, gate_results
from service.settings import Settings
from service.targeting import target
from tests.service.building import NOON, body, declared, in_full, message, outcome

EARLIER = NOON - timedelta(days=40)
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "compliant with a finding": ({"result": "compliant", "findings": "counterfeit"}, "findings", "beside the result"),
    "non-compliant without": ({"findings": None}, "findings", "missing beside the result"),
    "non-compliant with separators alone": ({"findings": " ; "}, "findings", "missing beside the result"),
    "an unknown word": ({"findings": "conterfiet"}, "findings", "unknown word"),
    "one unknown among known": ({"findings": "counterfeit;cigarettes; dangerous"}, "findings", "unknown word"),
    "known before lodged": ({"known_at": EARLIER}, "known_at", EARLY),
}
ACCEPTED: tuple[dict[str, Any], ...] = (
    {"findings": "counterfeit; dangerous;"},
    {"result": "compliant", "findings": None},
    {"result": "not_presented", "findings": None},
    {"known_at": NOON},
)


@pytest.fixture
def lodged(desk: Desk) -> Desk:
    """A desk that has decided one consignment."""
    target(message(declared(1)), desk)
    return desk


def rows(*results: dict[str, Any]) -> pl.DataFrame:
    return outcome_rows({"outcomes": [in_full(result) for result in results]})[0]


@pytest.mark.parametrize("case", REFUSED)
def test_the_gate_refuses_with_field_reason_and_remedy(lodged: Desk, case: str) -> None:
    changes, field, reason = REFUSED[case]
    gated = gate_results(rows(outcome(1, **changes), outcome(1)), lodged.journal.store)
    (refused,) = gated.refused.to_dicts()
    assert (gated.accepted.height, refused["line"], refused["field"]) == (1, 0, field)
    assert reason in refused["reason"]
    assert refused["remedy"]
    assert "cigarettes" not in refused["reason"] + refused["remedy"]


def test_the_gate_lets_through_what_says_one_thing(lodged: Desk) -> None:
    gated = gate_results(rows(*(outcome(1, **changes) for changes in ACCEPTED)), lodged.journal.store)
    assert (gated.accepted.height, gated.refused.height) == (len(ACCEPTED), 0)
    early = rows(outcome(1, known_at=EARLIER))
    assert gate_results(early, lodged.journal.store, {"HAWB000000001"}).refused.is_empty()  # judged apart
    unknown = gate_results(rows(outcome(2, known_at=EARLIER)), lodged.journal.store)
    assert unknown.accepted.height == 1  # nothing is known of when it was lodged


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_and_a_call_refuse_alike(home: Settings, tmp_path: Path, case: str) -> None:
    changes, field, reason = REFUSED[case]
    result = outcome(1, **changes)
    with TestClient(create(home.model_copy(update={"access": "open"}))) as client:
        assert client.post("/v1/consignments", json=body(declared(1))).status_code == 200
        answer = client.post("/v1/outcomes", json={"outcomes": [result]})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["pointer"], reason in error["reason"]) == (f"/outcomes/0/{field}", True)
        journal = Journal(client.app.state.desk.journal.store)  # type: ignore[attr-defined]
        file = tmp_path / "results.csv"
        pl.DataFrame([result]).write_csv(file)
        account, received = ingest_outcomes(file, Archive(home.archive), journal)
    assert (received.recorded, account.refused["field"].to_list()) == (0, [field])
    assert reason in account.refused["reason"][0]


def test_of_several_results_of_a_stage_it_is_said_that_the_last_known_counts(lodged: Desk) -> None:
    def learn(*results: dict[str, Any]) -> tuple[int, int]:
        received = lodged.journal.learn(gate_results(rows(*results), lodged.journal.store).accepted)
        return received.recorded, received.superseding

    compliant = {"result": "compliant", "findings": None}
    assert learn(outcome(1)) == (1, 0)
    assert learn(outcome(1)) == (0, 0)  # the same once more
    assert learn(outcome(1, stage="clearance", known_at=NOON + timedelta(days=2), **compliant)) == (1, 1)
    assert learn(outcome(1, stage="post_clearance", known_at=NOON + timedelta(days=3))) == (1, 0)
    assert learn(outcome(2), outcome(2, known_at=NOON + timedelta(days=5), **compliant)) == (2, 1)
