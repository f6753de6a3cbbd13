"""Chances by kind of finding: from the bundle to the decision; a bundle of before serves on without any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.assemble import Rows
from features.catalogue import Input
from pipelines.training.kinds_of_findings import kinds_of
from pipelines.training.train import Learner
from service.scoring import Model, load_bundle
from service.scoring.bundle import BY_KIND, GOLDEN_KIND, MANIFEST, golden_differences, seal
from service.scoring.by_kind import KindOfFinding
from service.settings import Settings

GOODS = Input("goods", "number", {"en": "goods", "fr": "goods", "zh": "goods"})


def golden_of(home: Settings) -> Rows:
    return Rows.of_frame(pl.read_parquet(home.serving / "golden.parquet"))


def test_a_trained_model_states_a_chance_of_each_kind_that_never_exceeds_the_risk(trained_home: Settings) -> None:
    model, _ = load_bundle(trained_home.serving, trained_home.keys)
    scores = model.score(golden_of(trained_home))
    risk, by_kind = scores.frame["risk"].to_numpy(), scores.by_kind()
    assert "counterfeit" in by_kind  # the tiny world has two findings or none of the others
    assert all((chance >= 0).all() and (chance <= risk + 1e-6).all() for chance in by_kind.values())
    assert [kind.findings for kind in model.kinds] == sorted((k.findings for k in model.kinds), reverse=True)
    one = model.score(Rows.of_frame(golden_of(trained_home).frame[3:4]))
    assert {kind: chance[0] for kind, chance in one.by_kind().items()} == {k: c[3] for k, c in by_kind.items()}


def test_a_bundle_made_before_serves_without_chances_by_kind(trained_home: Settings, tmp_path: Path) -> None:
    bundle = tmp_path / "bundles" / "before"
    shutil.copytree(trained_home.serving, bundle)
    golden = pl.read_parquet(bundle / "golden.parquet")
    kinds = [name for name in golden.columns if name.startswith(GOLDEN_KIND) and name not in OF_BEFORE]
    assert kinds
    golden.drop(kinds).write_parquet(bundle / "golden.parquet")
    (bundle / BY_KIND).unlink()
    seal(bundle, trained_home.keys, {"model_id": "before"})
    assert BY_KIND not in json.loads((bundle / MANIFEST).read_text())["files"]
    model, _ = load_bundle(bundle, trained_home.keys)
    assert model.kinds == ()
    assert model.score(golden_of(trained_home)).by_kind() == {}


OF_BEFORE = ("golden_margin", "golden_severity")


def test_the_proof_finds_a_chance_that_is_another(trained_home: Settings, tmp_path: Path) -> None:
    bundle = tmp_path / "bundles" / "other"
    shutil.copytree(trained_home.serving, bundle)
    assert golden_differences(bundle) == 0
    kinds = json.loads((bundle / BY_KIND).read_text())
    kinds[0] |= {"trees": None, "share": 0.123}
    (bundle / BY_KIND).write_text(json.dumps(kinds))
    assert golden_differences(bundle) > 0


def learner_of(goods: list[float], hit: list[bool]) -> Learner:
    return Learner(np.array(goods)[:, None], np.array(hit), (GOODS,), {})


@pytest.mark.parametrize("findings", [0, 2, 6, 40])
def test_kinds_are_learned_from_as_few_findings_as_there_are(findings: int) -> None:
    others = 40
    goods = [1.0] * findings + [0.0] * others + [0.5] * 60
    named = ["narcotics"] * findings + ["counterfeit"] * others + [None] * 60
    order = np.random.default_rng(0).permutation(len(goods))
    learner = learner_of([goods[i] for i in order], [named[i] is not None for i in order])
    known = {
        kind.code: kind
        for kind in kinds_of(learner, pl.Series([named[i] for i in order], dtype=pl.String), np.arange(len(goods)))
    }
    assert ("narcotics" in known) == (findings >= 3)  # of one or two findings no chance is stated
    assert known["counterfeit"].given_a_finding(np.array([[0.0]]))[0] > 0.5
    if findings == 6:
        assert known["narcotics"].trees is None
        assert known["narcotics"].share == pytest.approx(7 / 48)
    if findings == 40:
        tells = known["narcotics"].given_a_finding(np.array([[0.0], [1.0]]))
        assert tells[1] > 0.8 > 0.2 > tells[0]


def test_no_findings_are_no_kinds() -> None:
    learner = learner_of([0.0, 1.0], [False, False])
    assert kinds_of(learner, pl.Series([None, None], dtype=pl.String), np.arange(2)) == ()


def test_a_share_stands_for_trees_and_is_kept_as_json() -> None:
    kind = KindOfFinding("cash", 4, 0.25)
    assert KindOfFinding.from_json(json.loads(json.dumps(kind.as_json()))) == kind
    assert kind.given_a_finding(np.zeros((3, 1))).tolist() == [0.25] * 3


def test_a_model_as_trained_and_as_loaded_states_the_same(trained_home: Settings, trained_model: Model) -> None:
    rows = golden_of(trained_home)
    loaded, _ = load_bundle(trained_home.serving, trained_home.keys)
    before, after = trained_model.score(rows).by_kind(), loaded.score(rows).by_kind()
    assert {kind: chance.tobytes() for kind, chance in before.items()} == {k: c.tobytes() for k, c in after.items()}
