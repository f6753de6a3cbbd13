"""The gate of innocents at a desk: four findings on one move neither the risk nor the lane of a stranger."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from features.catalogue import INPUTS
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.scoring import Model
from service.scoring.trees import Trees
from service.store.database import Store
from service.targeting import Desk, target
from tests.features.parties.innocents import KINDS, Kind, Sender, stranger
from tests.service.building import NOON, declared, message, outcome, results

FINDINGS = 4
READS = ("identifiers_hits", "identifiers_hits_90d", "network_hits_ever", "network_hits_90d")
PAIRS = 2  # of each kind
Pair = tuple[Sequence[Sender], Sender]  # a group of which the first is found out, and one of it who has done nothing


@pytest.fixture(scope="module")
def suspicious(model: Model) -> Model:
    """A model that learned one thing: whoever is near a finding is guilty."""
    names, rng = [item.name for item in INPUTS], np.random.default_rng(28)
    inputs = np.zeros((4_000, len(names)))
    near = rng.integers(0, 2, len(inputs)) * rng.integers(1, 5, len(inputs))
    for name in READS:
        inputs[:, names.index(name)] = np.where(rng.random(len(inputs)) < 0.5, near, 0)
    guilty = (inputs > 0).any(axis=1).astype(float)
    data = lgb.Dataset(inputs, guilty, feature_name=names)
    booster = lgb.train({"objective": "binary", "verbose": -1, "num_leaves": 8, "seed": 1}, data, num_boost_round=60)
    return replace(model, trees=Trees.of(booster))


@pytest.fixture
def desk_linking(desk: Desk, store: Store, tmp_path: Path, suspicious: Model) -> Desk:
    """A live desk that links, with the suspicious model."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    return replace(desk, model=suspicious, parties=StoredParties(store, switch), journal=Journal(store, switch))


def sent(number: int, sender: Sender, lodged_at: datetime) -> dict[str, Any]:
    party = {
        name: sender[f"consignor_{name}"]
        for name in ("name", "address", "city", "postcode", "country", "phone", "email", "id")
        if sender[f"consignor_{name}"]
    }
    goods = [{**declared()["goods"][0], "description": f"goods {sender['article']}"}]
    shop = {name: sender[name] for name in ("seller_account", "seller_url") if sender[name]}
    return declared(number, lodged_at=lodged_at, consignor=party, goods=goods, **shop)


def risks_after(desk: Desk, pairs: Sequence[Pair]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what is decided of the second of each pair after findings on the first, and of one who shares nothing."""
    before, numbers = [], iter(range(1, 10**6))
    found = []
    for group, _ in pairs:
        before += [sent(next(numbers), other, NOON - timedelta(days=2)) for other in group[1:]]
        for minute in range(FINDINGS):
            before.append(sent(next(numbers), group[0], NOON + timedelta(minutes=minute)))
            found.append(outcome(len(before), known_at=NOON + timedelta(hours=1), result="non_compliant"))
    target(message(*before, message_id="before", received_at=NOON + timedelta(hours=2)), desk)
    desk.journal.learn(results(*found))
    late = NOON + timedelta(days=1)
    last = [stranger(random.Random(5)), *(innocent for _, innocent in pairs)]
    decided = target(
        message(*(sent(next(numbers), sender, late) for sender in last), message_id="after", received_at=late), desk
    )
    alone, *others = decided.rows
    return others, alone


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_four_findings_on_one_move_no_stranger(kind: Kind, desk_linking: Desk) -> None:
    pairs = [((group[0], *group[2:]), group[1]) for group in _groups(kind)]
    others, alone = risks_after(desk_linking, pairs)
    for other in others:
        assert abs(other["risk"] - alone["risk"]) < 0.01
        assert other["network_id"] not in {one["network_id"] for one in others if one is not other}
        if "random" not in (other["selection"], alone["selection"]):
            assert other["clearance"] == alone["clearance"]


def _groups(kind: Kind) -> list[list[Sender]]:
    rng = random.Random(f"served {kind.name}")
    groups: list[list[Sender]] = []
    while len(groups) < PAIRS:
        groups += kind.groups(rng, 1)
    return groups


@pytest.mark.parametrize(
    "shared",
    [
        {"consignor_phone": "+8619516073747"},
        {"consignor_email": "jiaqi.chen837@inbox.com"},
        {"seller_account": "jade_sport"},
        {"seller_url": "https://jadesport380.com"},
        {"consignor_id": "GB123456782"},
    ],
    ids=lambda shared: next(iter(shared)),
)
def test_four_findings_on_an_offender_move_his_other_name(shared: Sender, desk_linking: Desk) -> None:
    rng = random.Random(3)
    one, other = (stranger(rng) | {"consignor_country": "CN"} | shared for _ in range(2))
    (decided,), alone = risks_after(desk_linking, [((one,), other)])
    assert decided["risk"] - alone["risk"] > 0.1
