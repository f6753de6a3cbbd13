"""Commands that learn and judge, where there is no model yet or nothing to judge one by."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.fault import Fault
from pipelines.cli import app
from pipelines.synthetic import build_world
from pipelines.training import promotion
from pipelines.training.evaluation import TAMIS, Comparison
from tests.pipelines.commands.calling import call, line_of

NAN = float("nan")
CAPACITY = "[capacity.default]\nphysical = 2\ndocuments = 0\naudit = 0\nexpected = 50\n"
RULE = """
[[rules]]
code = "odd"
reason = {{en = "odd", fr = "odd", zh = "odd"}}
author = "A. Martin"
when = {{ {feature} = {{ above = 0 }} }}
lane = "yellow"
"""


@pytest.fixture
def archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that holds two days of manifests and no model."""
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    build_world(2, 60, 1, tmp_path / "world")
    manifests = sorted(map(str, (tmp_path / "world" / "manifests").glob("*.parquet")))
    app(["ingest", *manifests], standalone_mode=False)
    return tmp_path


def test_a_backtest_without_a_model_ranks_by_the_sender_and_knows_what_rules_ask(
    archived: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(capsys, "backtest")
    assert (ended.code, ended.err) == (0, "")
    assert (archived / "home" / "reports" / "backtest" / "backtest.json").exists()


def test_a_policy_that_names_no_feature_is_refused_before_a_day_is_replayed(
    archived: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = archived / "policy.toml"
    policy.write_text('id = "p"\n' + CAPACITY + RULE.format(feature="serial_nowhere"), encoding="utf-8")
    ended = call(capsys, "backtest", "--policy", str(policy))
    assert ended.code == 1
    assert "serial_nowhere" in line_of(ended)


class FakeRegistry:
    """A registry that holds one champion and the figures of its versions."""

    def __init__(self, figures: dict[str, float], champion: int | None) -> None:
        self.figures, self.champion = figures, champion

    def version_of(self, _alias: str, _name: str) -> int | None:
        return self.champion

    def metrics_of(self, _version: int, _name: str) -> dict[str, float]:
        return self.figures

    def parameters_of(self, _version: int, name: str) -> dict[str, str]:
        return {"contest_champion": f"{name}-v{self.champion}"}


JUDGED = {promotion.JUDGED_BY: 0.4}
WORSE = JUDGED | {"contest.difference": -0.1, "contest.low": -0.2, "contest.high": 0.1}


@pytest.mark.parametrize(
    ("figures", "champion", "said"),
    [({"Tamis.hit_rate": 0.0}, None, "version 2 cannot be judged"), (WORSE, 1, "version 2 did worse than version 1")],
)
def test_a_version_that_is_not_proved_asks_for_a_word(
    figures: dict[str, float], champion: int | None, said: str
) -> None:
    with pytest.raises(Fault, match=f"{said}.*--force-reason TEXT$"):
        promotion._refuse_unproved(FakeRegistry(figures, champion), 2, "tamis")  # type: ignore[arg-type]  # a stand-in


@pytest.mark.parametrize(("figures", "champion"), [(JUDGED, None), ({}, 2), (WORSE | {"contest.difference": 0.1}, 1)])
def test_the_first_the_serving_and_the_better_version_need_none(
    figures: dict[str, float], champion: int | None
) -> None:
    promotion._refuse_unproved(FakeRegistry(figures, champion), 2, "tamis")  # type: ignore[arg-type]  # a stand-in


@pytest.mark.parametrize(
    ("rate", "precision", "said"),
    [(0.0, NAN, "holds no non-compliant finding"), (1.0, NAN, "non-compliant findings alone"), (0.1, 0.4, None)],
)
def test_a_test_period_without_both_results_judges_nothing(rate: float, precision: float, said: str | None) -> None:
    figures = {TAMIS: {"hit_rate": rate, "average_precision": precision}}
    why = Comparison(figures, {}, [], (0, 0, 0.0, 1.0)).unjudged()
    assert (why is None) if said is None else (why is not None and said in why and "--test-from" in why)
