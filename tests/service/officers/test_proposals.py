"""Four eyes: what one proposes another decides; an approved policy decides, and the one before can come back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.fault import Fault
from pipelines.training.standard_policy import standard_policy
from service.audit.verify import verify_record
from service.console.four_eyes_pages import carry_out, promote
from service.officers.proposals import STUCK, conclude, decide, proposals, propose
from service.record.audit_log import walked
from service.scoring.bundle import MANIFEST, SINCE
from service.serving.policy_activation import activate_policy
from service.serving.serving_bundle import open_serving, roll_back
from service.settings import Settings
from service.store.database import Store
from tests.service.building import MODEL_ID, NOON, RULE


def test_another_person_decides_once(either_store: Store, tmp_path: Path) -> None:
    number = propose(either_store, "policy", standard_policy() + RULE, "a scheme", "ana", NOON)
    with pytest.raises(Fault, match="four-eyes"):
        decide(either_store, number, True, "ana", NOON)
    assert decide(either_store, number, True, "bob", NOON)["state"] == "under way"
    with pytest.raises(Fault, match="already been decided"):
        decide(either_store, number, False, "eve", NOON)
    conclude(either_store, number, False, "the disk was full", NOON)
    assert decide(either_store, number, True, "eve", NOON)["decided_by"] == "eve"  # what failed can be tried again
    assert decide(either_store, number, True, "bob", NOON + 2 * STUCK)["decided_by"] == "bob"  # and what was cut short
    conclude(either_store, number, True, "done", NOON)
    told = proposals(either_store, "policy")[0]
    assert (told["state"], told["proposed_by"], told["decided_by"]) == ("done", "ana", "bob")
    with either_store.reading() as connection:
        noted = [entry["subject"].split("-")[2] for entry in walked(connection)]
    assert noted == ["proposed", "approved", "failed", "approved", "approved", "done"]
    assert verify_record(either_store, tmp_path / "none", tmp_path / "keys").holds


@pytest.mark.parametrize(
    ("kind", "content", "reason", "why"),
    [
        ("policy", "rules = 3", "x", "needs an id"),
        ("policy", standard_policy(), " ", "reason"),
        ("promotion", "1; rm", "x", "version"),
        ("promotion", "--help", "x", "version"),
        ("revolution", "1", "x", "kind"),
    ],
)
def test_what_cannot_be_is_not_put_forward(store: Store, kind: str, content: str, reason: str, why: str) -> None:
    with pytest.raises(Fault, match=why):
        propose(store, kind, content, reason, "ana", NOON)
    assert proposals(store, "policy") == proposals(store, "promotion") == []


def test_a_policy_that_was_approved_serves_and_the_one_before_can_come_back(home: Settings, store: Store) -> None:
    number = propose(store, "policy", standard_policy() + RULE, "a scheme", "ana", NOON)
    carry_out(store, home, decide(store, number, True, "bob", NOON))
    assert proposals(store, "policy")[0]["state"] == "done"
    serving = open_serving(home)
    assert [rule.code for rule in serving.policy.rules][-1] == "perfume-by-post"
    assert serving.model.facts["promoted_by"] == "ana, approved by bob"
    assert serving.model.model_id == MODEL_ID
    roll_back(home, "ana", "it held too much")
    assert "perfume-by-post" not in [rule.code for rule in open_serving(home).policy.rules]


def test_the_same_policy_twice_is_one_bundle(home: Settings, store: Store) -> None:
    text = standard_policy() + RULE
    first = activate_policy(home, store, text, "a", "b", NOON)
    assert activate_policy(home, store, text, "a", "b", NOON) == first
    assert open_serving(home).name == first.name
    activate_policy(home, store, standard_policy(), "a", "b", NOON)
    assert activate_policy(home, store, text, "c", "d", NOON) == first  # and back to it
    assert open_serving(home).model.facts["promoted_by"] == "c"


def test_a_model_under_another_policy_is_the_same_model(home: Settings, store: Store) -> None:
    before = home.serving
    after = activate_policy(home, store, standard_policy() + RULE, "a", "b", NOON)
    of_model = {file.name for file in before.iterdir()} - {"policy.toml", MANIFEST}
    assert of_model >= set(SINCE)  # chances by kind, and what words and senders of the flow are like
    for name in of_model:
        assert (after / name).read_bytes() == (before / name).read_bytes(), name


def test_what_goes_wrong_is_told_beside_the_proposal_and_changes_nothing(home: Settings, store: Store) -> None:
    number = propose(store, "policy", standard_policy() + RULE, "a scheme", "ana", NOON)
    decided = decide(store, number, True, "bob", NOON)
    before = open_serving(home).name
    shutil.rmtree(home.keys)
    carry_out(store, home, decided)
    assert proposals(store, "policy")[0]["state"] == "failed"
    assert proposals(store, "policy")[0]["told"]
    assert home.serving.name == before


def test_a_version_that_nobody_registered_is_not_promoted(home: Settings) -> None:
    done, told = promote(home, "7", "ana, approved by bob", "better")
    assert not done
    assert "no version 7" in told
