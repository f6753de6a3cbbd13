"""The first day of a unit without a result: rules decide, everything says so, and a model takes over by a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import polars as pl
import pytest

from features.fault import Fault
from pipelines.synthetic import build_world
from pipelines.training import promotion
from pipelines.training.registry import Registry
from pipelines.training.shown_beside_rules import Shown, as_metrics
from service.serving.serving_bundle import RULES, open_serving
from service.settings import Settings
from tests.pipelines.commands.calling import Ended, call, line_of
from tests.service.processes import serving

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]


@pytest.fixture
def first_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three days of manifests and a home that does not exist yet."""
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    build_world(3, 150, 5, tmp_path / "world")
    return tmp_path


def begin(capsys: pytest.CaptureFixture[str]) -> Ended:
    """Let rules decide."""
    return call(capsys, "promote", "--rules", "--by", "A. Martin", "--reason", "the first day")


def scored(folder: Path, day: str, capsys: pytest.CaptureFixture[str]) -> pl.DataFrame:
    """Score a day; its decisions."""
    manifest = folder / "world" / "manifests" / f"{day}.parquet"
    ended = call(capsys, "score", str(manifest), "--out", str(folder / day), "--no-expectations")
    assert (ended.code, ended.err) == (0, "")
    return pl.read_parquet(folder / day / "orientations.parquet")


def test_a_unit_without_a_result_decides_replays_and_says_that_rules_do(
    first_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = begin(capsys)
    assert begun.code == 0
    assert "without a model" in begun.out
    decided = scored(first_day, DAYS[0], capsys)
    assert set(decided["mode"]) == {"rules_only"}
    assert decided["risk"].null_count() == decided.height
    assert decided["degraded_reasons"].list.len().sum() == 0
    looked_at = decided.filter(pl.col("clearance").is_in(["red", "yellow"]))
    assert looked_at.filter(selection="exploration").height >= 5
    assert looked_at["selection_probability"].is_between(0, 1, closed="right").all()
    assert set(decided["pre_arrival"]) >= {"no_risk", "control_recommended"}
    assert call(capsys, "replay", looked_at["decision_id"][0]).out.endswith("the same, byte for byte\n")
    assert call(capsys, "verify").code == 0
    assert "rules decide without a model since" in call(capsys, "status").out
    assert "report in" in call(capsys, "score", *manifests(first_day)[1:2], "--out", str(first_day / "again")).out


def manifests(folder: Path) -> list[str]:
    return [str(folder / "world" / "manifests" / f"{day}.parquet") for day in DAYS]


def test_no_alarm_rings_because_rules_decide_by_choice(first_day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(capsys)
    for day in DAYS:
        scored(first_day, day, capsys)
    ended = call(capsys, "monitor", "--to", "2026-01-04", "--fail-on-alarm")
    assert ended.code == 0, ended.out
    assert "of them by rules without a model" in ended.out


def test_what_is_still_needed_is_said_before_a_model_can_learn(
    first_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(capsys)
    decided = scored(first_day, DAYS[0], capsys)
    results = first_day / "results.csv"
    checked = decided.filter(pl.col("clearance") != "green")["consignment_id"].unique().sort()[:6].to_list()
    assert len(checked) == 6
    found = ["non_compliant,counterfeit"] * 2 + ["compliant,"] * 4
    lines = [f"{c},2026-01-05T10:00:00Z,{result}" for c, result in zip(checked, found, strict=True)]
    results.write_text("consignment_id,known_at,result,findings\n" + "\n".join(lines) + "\n")
    assert call(capsys, "outcomes", str(results)).code == 0
    refused = line_of(call(capsys, "train"))
    assert "risk: 6 results, 2 findings among them; still needed: 44 more results" in refused
    assert "calibration: with 2 findings" in refused
    assert "28 more findings" in refused
    assert "still needed: 30 more dangerous or criminal, 28 more of the others" in refused
    assert call(capsys, "score", *manifests(first_day)[1:2], "--out", str(first_day / "next")).code == 0


def test_the_service_answers_and_says_by_what(first_day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.service.building import body, declared

    begin(capsys)
    settings = Settings(home=first_day / "home")
    with serving(settings, first_day / "log", TAMIS_ACCESS="open") as (_, client):
        ready = client.get("/readyz").json()
        assert (ready["mode"], ready["degraded_reasons"], ready["bundle"]) == ("rules_only", [], RULES)
        answered = client.post("/v1/consignments", json=body(declared(1)))
        (decision,) = answered.json()["decisions"]
        assert (answered.status_code, decision["mode"], decision["risk"]) == (200, "rules_only", None)
        assert "unscored" in [reason["code"] for reason in decision["reasons"]]
        dossier = client.get(f"/v1/consignments/{decision['consignment_id']}/dossier").json()
        assert json.dumps(dossier).count("rules-only") >= 1
        figures = client.get("/metrics").text
        assert "tamis_" in figures


def test_rules_promoted_again_take_another_policy_and_norms(
    first_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(capsys)
    settings = Settings(home=first_day / "home")
    assert open_serving(settings).model.fits.norms.table.height == 0
    assert call(capsys, "ingest", *manifests(first_day)).code == 0
    policy = first_day / "own.toml"
    policy.write_text('id = "own"\n[capacity.default]\nphysical = 1\ndocuments = 1\naudit = 0\nexpected = 10\n')
    ended = call(capsys, "promote", "--rules", "--policy", str(policy), "--by", "B. Roy", "--reason", "own")
    assert ended.code == 0
    opened = open_serving(settings)
    assert (opened.policy.policy_id, opened.name, opened.refused) == ("own", RULES, {})
    assert opened.model.fits.norms.table.height > 0
    assert opened.model.facts["promoted_by"] == "B. Roy"


@pytest.mark.parametrize("arguments", [("--rules", "1"), ()], ids=["both", "neither"])
def test_a_version_or_rules_is_asked_for(
    arguments: tuple[str, ...], first_day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(capsys, "promote", *arguments, "--by", "A. Martin", "--reason", "r")
    assert ended.code == 2
    assert "either a registered version or --rules" in ended.err
    assert not (first_day / "home" / "bundles").exists()


class Registered:
    """A registry whose one version was judged, and of which checks show so much beside rules."""

    def __init__(self, *shown: Shown) -> None:
        self.figures = {promotion.JUDGED_BY: 0.3} | (as_metrics(shown) if shown else {})

    def version_of(self, _alias: str, _name: str) -> None:
        """No model has ever served."""

    def metrics_of(self, _version: int, _name: str) -> dict[str, float]:
        return self.figures


BETTER, WORSE, LITTLE = (
    Shown(40, 0.5, 0.5, 0.35, 0.2), Shown(40, 0.5, 0.25, 0.14, 0.2), Shown(40, 0.2, 0.5, 0.35, 0.2),
)  # fmt: skip


@pytest.mark.parametrize(
    "shown",
    [(WORSE, BETTER), (BETTER, WORSE), (LITTLE, BETTER), ()],
    ids=["today", "a week ago", "of little", "untold"],
)
def test_a_model_that_is_not_shown_to_find_more_than_the_rules_asks_for_a_word(shown: tuple[Shown, ...]) -> None:
    worse = cast(Registry, Registered(*shown))
    with pytest.raises(Fault, match=r"not shown to beat the rules .* --force-reason TEXT$"):
        promotion._refuse_unproved(worse, 1, "tamis", rules_serve=True)
    promotion._refuse_unproved(worse, 1, "tamis")


def test_a_model_that_is_shown_to_find_more_twice_may_take_over() -> None:
    promotion._refuse_unproved(cast(Registry, Registered(BETTER, LITTLE)), 1, "tamis", rules_serve=True)
