"""Chances by kind of finding: from the bundle to the decision; a bundle of before serves on without any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from features.assemble import Rows
from features.catalogue import Input
from pipelines.training.kinds_of_findings import kinds_of
from pipelines.training.train import Learner
from service.scoring import Model, load_bundle
from service.scoring.bundle import BY_KIND, GOLDEN_KIND, MANIFEST, golden_differences, seal
from service.scoring.by_kind import KindOfFinding, chances_of, mixed
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


def kinds_by_code(learner: Learner, named: list[str | None]) -> dict[str, KindOfFinding]:
    rows = np.arange(len(named))
    fitted = learner.fit(rows)
    return {kind.code: kind for kind in kinds_of(learner, fitted, pl.Series(named, dtype=pl.String), rows)}


def chance_of(
    kind: KindOfFinding, asked: npt.NDArray[np.float64], risk: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    before = KindOfFinding("before", 9, 0.5)  # one kind is the same beside others
    both = chances_of((before, kind), asked, risk)
    return both[f"risk_{kind.code}"]


def learner_of(goods: list[float], hit: list[bool]) -> Learner:
    return Learner(np.array(goods)[:, None], np.array(hit), (GOODS,), {})


@pytest.mark.parametrize("findings", [0, 2, 4, 40])
def test_kinds_are_learned_from_as_few_findings_as_there_are(findings: int) -> None:
    others = 40
    goods = [1.0] * findings + [0.0] * others + [0.5] * 60
    named = ["narcotics"] * findings + ["counterfeit"] * others + [None] * 60
    order = np.random.default_rng(0).permutation(len(goods))
    learner = learner_of([goods[i] for i in order], [named[i] is not None for i in order])
    known = kinds_by_code(learner, [named[i] for i in order])
    assert ("narcotics" in known) == (findings >= 3)  # of one or two findings no chance is stated
    risk, asked = np.full(3, 0.6), np.array([[0.0], [0.5], [1.0]])
    of_others = chance_of(known["counterfeit"], asked, risk)
    assert of_others[0] > 0.5 > of_others[1]
    if findings == 4:
        assert known["narcotics"].trees is known["narcotics"].alone is None
        assert known["narcotics"].share == pytest.approx(5 / 46)
    if findings == 40:
        tells = chance_of(known["narcotics"], asked, risk)
        assert tells[2] > 0.4 > 0.2 > tells[0]


def test_no_findings_are_no_kinds() -> None:
    learner = learner_of([float(i % 2) for i in range(60)], [False] * 60)
    assert kinds_by_code(learner, [None] * 60) == {}


def test_chances_of_later_rows_come_to_the_findings_among_them() -> None:
    rng = np.random.default_rng(3)
    names = ["narcotics"] * 30 + ["counterfeit"] * 60 + [None] * 1000

    def drawn() -> tuple[list[float], list[str | None]]:
        named = [names[i] for i in rng.permutation(len(names))]
        return [(name is not None) + (name == "narcotics") + float(rng.normal()) for name in named], named

    goods, named = drawn()
    learner = learner_of(goods, [name is not None for name in named])
    fitted = learner.fit(np.arange(len(named)))
    narcotics = kinds_by_code(learner, named)["narcotics"]
    assert narcotics.trees is not None
    assert narcotics.alone is not None
    later = np.array(drawn()[0])[:, None]
    risk = fitted.calibration.apply(fitted.trees.margins(later))
    chance = chance_of(narcotics, later, risk)
    assert (chance <= risk).all()
    assert chance.sum() == pytest.approx(30, rel=0.3)


def test_an_earlier_bundle_s_trees_say_what_a_finding_would_be() -> None:
    learner = learner_of([float(i % 2) for i in range(200)], [i % 2 == 1 for i in range(200)])
    fitted = learner.fit(np.arange(200))
    earlier = KindOfFinding("cash", 100, 0.5, fitted.trees, fitted.calibration)
    written = json.loads(json.dumps(earlier.as_json()))
    assert not {"alone", "level"} & written.keys()
    asked, risk = np.array([[0.0], [1.0]]), np.array([0.4, 0.2])
    expected = risk * fitted.calibration.apply(fitted.trees.margins(asked))
    assert chance_of(KindOfFinding.from_json(written), asked, risk).tolist() == np.round(expected, 6).tolist()


def test_odds_are_the_geometric_mean_of_both() -> None:
    chance, alone = np.array([0.2, 0.5, 1.0]), np.array([0.0, -2.0, 3.0])
    odds = np.sqrt(np.array([0.25, 1.0]) * np.exp(alone[:2])) * np.exp(-1.0)
    chances = mixed(chance, alone, -1.0)
    assert chances[:2] == pytest.approx(odds / (1 + odds))
    assert chances[2] == pytest.approx(1.0, abs=1e-5)
    many = mixed(np.tile(chance, 99), np.tile(alone, 99), -1.0)
    each = np.concatenate([mixed(chance[i:][:1], alone[i:][:1], -1.0) for i in range(3)])
    assert many.tobytes() == np.tile(each, 99).tobytes()


def test_a_share_stands_for_trees_and_is_kept_as_json() -> None:
    kind = KindOfFinding("cash", 4, 0.25)
    assert KindOfFinding.from_json(json.loads(json.dumps(kind.as_json()))) == kind
    assert chance_of(kind, np.zeros((3, 1)), np.array([1.0, 0.5, 0.0])).tolist() == [0.25, 0.125, 0.0]


def test_a_model_as_trained_and_as_loaded_states_the_same(trained_home: Settings, trained_model: Model) -> None:
    rows = golden_of(trained_home)
    loaded, _ = load_bundle(trained_home.serving, trained_home.keys)
    before, after = trained_model.score(rows).by_kind(), loaded.score(rows).by_kind()
    assert {kind: chance.tobytes() for kind, chance in before.items()} == {k: c.tobytes() for k, c in after.items()}
