"""Explanations: exact contributions of any decision whose bundle is kept, whether or not it serves now."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import INPUTS
from pipelines.commands.replay_output import weight_lines
from service.audit.erasure import erase
from service.audit.explain import explain
from service.audit.replay import Bundles, NotReplayable
from service.scoring import load_bundle
from service.scoring.bundle import RULES_ONLY, seal, unscored
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import MODEL_ID, NOON, declared, message
from tests.service.orientation.cases import policy_text

FORMER = "former-v0"


@pytest.fixture(scope="module")
def bundles(quick_home: Path) -> Bundles:
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


@pytest.mark.parametrize("changes", [{}, {"gross_mass_kg": None, "consignee": None}])
def test_contributions_of_every_input_sum_to_the_margin(
    desk_with: Callable[[str], Desk], store: Store, bundles: Bundles, changes: dict[str, Any]
) -> None:
    desk = desk_with(policy_text(2, 2, 2, least=0.0))
    (given,) = target(message(declared(1, **changes), competing="message"), desk).rows
    explanation = explain(store, bundles, given["decision_id"])
    assert {one.item.name for one in explanation.contributions} == {item.name for item in desk.model.inputs}
    total = explanation.expected_margin + math.fsum(one.contribution for one in explanation.contributions)
    assert total == pytest.approx(explanation.margin, abs=1e-9)
    assert explanation.risk == given["risk"]
    told = {reason["code"]: reason["contribution"] for reason in given["reasons"] if "contribution" in reason}
    found = {one.item.name: one.contribution for one in explanation.contributions}
    assert told
    assert {code: found[code] for code in told if told[code] is not None} == {
        code: share for code, share in told.items() if share is not None
    }


def test_what_a_bundle_decided_that_serves_no_more_is_explained_by_it(
    desk: Desk, store: Store, quick_home: Path, home: Settings
) -> None:
    """The former bundle has other trees; the one that serves cannot tell for it."""
    former = home.bundles / FORMER
    shutil.copytree(home.bundles / MODEL_ID, former)
    text = (former / "model.txt").read_text(encoding="utf-8")
    (former / "model.txt").write_text(text + "\n", encoding="utf-8")
    seal(former, home.keys, {"model_id": FORMER, "promoted_by": "tests"})
    model = load_bundle(former, home.keys)[0]
    assert model.sha256 != desk.model.sha256
    (given,) = target(message(declared(1)), replace(desk, model=model)).rows
    explanation = explain(store, Bundles(home.bundles, home.keys, serving=desk.model), given["decision_id"])
    assert (explanation.model_sha256, explanation.model["model_id"]) == (model.sha256, FORMER)
    shutil.rmtree(former)
    with pytest.raises(NotReplayable, match=r"the bundle that decided .* is not in bundles/"):
        explain(store, Bundles(home.bundles, home.keys, serving=desk.model), given["decision_id"])


def test_the_bundle_that_serves_is_not_loaded_again(desk: Desk, store: Store, tmp_path: Path) -> None:
    (given,) = target(message(declared(1)), desk).rows
    nowhere = Bundles(tmp_path / "none", tmp_path / "none", serving=desk.model)
    assert explain(store, nowhere, given["decision_id"]).risk == given["risk"]


def test_what_cannot_be_explained_says_why(desk: Desk, store: Store, bundles: Bundles) -> None:
    (scored,) = target(message(declared(1)), desk).rows
    (unscored_one,) = target(message(declared(2), message_id="M2"), replace(desk, model=unscored(INPUTS))).rows
    assert unscored_one["model_sha256"] == RULES_ONLY
    with pytest.raises(NotReplayable, match="rules alone"):
        explain(store, bundles, unscored_one["decision_id"])
    with pytest.raises(NotReplayable, match="no such decision"):
        explain(store, bundles, "0" * 32)
    erase(store, ["HAWB000000001"], "A. Martin", "asked for", NOON)
    with pytest.raises(NotReplayable, match="erased"):
        explain(store, bundles, scored["decision_id"])


def test_a_replay_prints_what_weighed_most(desk: Desk, store: Store, bundles: Bundles) -> None:
    (given,) = target(message(declared(1)), desk).rows
    explanation = explain(store, bundles, given["decision_id"])
    head, *parts = weight_lines(explanation)
    assert f"risk {given['risk']:.4f}" in head
    assert sum(float(line.split()[0]) for line in parts) == pytest.approx(explanation.margin, abs=2e-3)
    first = explanation.contributions[0]
    assert first.item.name in parts[1]
