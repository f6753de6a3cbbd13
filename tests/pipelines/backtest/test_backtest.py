"""Replays: nothing is known of what was not selected, nothing of today, and the same seed gives the same figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from features.fault import Fault
from features.outcome import OUTCOME_COLUMNS
from pipelines.backtest import Plan, entries_of, over_archive, over_worlds, replay_days
from pipelines.backtest import policy_comparison as contest
from pipelines.backtest.arms import Arm, sender_rule, tamis
from pipelines.backtest.backtest_figures import by_scheme, differences, figures, never_seen_before, spans_of
from pipelines.backtest.days import ACCOUNT, Day, WorldDay, archive_days, midnight, world_days
from pipelines.backtest.replay_days import Seat, replay
from pipelines.backtest.replay_desk import Past
from pipelines.batch.archive import Archive
from pipelines.cli import app
from pipelines.synthetic.world_settings import load_world
from pipelines.training.ranking_metrics import interval
from service.scoring import Model
from service.targeting import target
from tests.worlds import SmallWorld

START = date(2026, 1, 5)
DAYS, PER_DAY, START_UP = 21, 200, 14
OFFICES = {"FRCDG1": 10, "FRLIO1": 3}
PLAN = Plan(START_UP, 7)


def some_days(days: int = DAYS, seed: int = 1) -> Iterator[Day]:
    return world_days(load_world(), days, PER_DAY, seed, START)


def replayed(days: Iterator[Day], past: Past, arm: Arm | None = None, more: str = "") -> pl.DataFrame:
    policy = contest.with_checks(contest.bare_policy("test", more), OFFICES)
    first = Seat(sender_rule(Archive(Path()), midnight(START)), contest.start_up_policy(OFFICES, 0.06))
    return replay(days, arm or Arm("tamis", tamis), policy, first, PLAN, past, seed=1)


class Closed:
    """A day whose truth explodes unless its inspectors or its judge are at work."""

    def __init__(self, day: Any) -> None:
        self.day, self.manifest = day.day, day.manifest
        self._within, self._truth, day._truth = day, day._truth, Explosive()
        self.chosen: set[str] = set()

    def inspect(self, chosen: pl.DataFrame) -> pl.DataFrame:
        self.chosen |= set(chosen["consignment_id"])
        return self._open(lambda: self._within.inspect(chosen))

    def account(self, chosen: Sequence[str]) -> pl.DataFrame:
        return self._open(lambda: self._within.account(chosen))

    def _open(self, work: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        self._within._truth = self._truth
        try:
            return work()
        finally:
            self._within._truth = Explosive()


class Explosive:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the truth was asked for {name}")


def test_an_arm_learns_only_the_results_of_what_it_selected() -> None:
    past, days = Past(), []

    def watched() -> Iterator[Day]:
        for day in some_days():
            days.append(Closed(day))
            yield days[-1]

    ledger = replayed(watched(), past)
    past.until(datetime(2030, 1, 1, tzinfo=UTC))
    revealed = past.archive.outcomes()
    selected = set().union(*(day.chosen for day in days))
    assert set(revealed["consignment_id"]) == selected
    assert revealed.height == ledger["inspected"].sum() == DAYS * 13
    assert set(past.archive.consignments().frame.columns).isdisjoint({"illicit", "scheme", "actor_id"})
    assert set(revealed.columns) == {column.name for column in OUTCOME_COLUMNS}


def test_nothing_of_today_or_later_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    past, seen = Past(), []

    def watched() -> Iterator[Day]:
        for day in some_days():
            yield day
            latest = max(past.archive.consignments().frame["lodged_at"].to_list())
            assert latest < midnight(day.day + timedelta(days=1))

    def watching(archive: Archive, end: datetime) -> Model:
        assert max(archive.consignments().frame["lodged_at"].to_list()) < end
        assert max(archive.outcomes()["known_at"].to_list()) < end
        as_of = past.history.as_of()
        assert as_of is not None
        assert as_of < int(end.timestamp() * 1e6)
        seen.append(end)
        return tamis(archive, end)

    def guarded(message: Any, desk: Any) -> Any:
        today = midnight(date.fromisoformat(message.name))
        as_of = desk.history.as_of()
        assert as_of is None or as_of < int(today.timestamp() * 1e6)
        return target(message, desk)

    monkeypatch.setattr(replay_days, "target", guarded)
    replayed(watched(), past, Arm("watching", watching))
    assert seen == [midnight(START + timedelta(days=START_UP))]


def test_the_same_seed_gives_the_same_ledger_and_another_one_another() -> None:
    more = "[exploration]\nshare = 0.3\n"
    first = replayed(some_days(17), Past(), more=more)
    assert first.equals(replayed(some_days(17), Past(), more=more))
    assert not first["illicit"].equals(replayed(some_days(3, seed=2), Past())["illicit"])


@pytest.mark.parametrize("cold", [True, False])
def test_arms_share_their_start_and_have_the_same_checks_after_it(cold: bool) -> None:
    entries = entries_of("random,exploitation", [])
    ledger = over_worlds(entries, days=16, per_day=100, seeds=[1], plan=Plan(START_UP, 7, cold), capacity=8)
    start = ledger.filter(pl.col("nth") < START_UP)
    parts = [start.filter(pl.col("arm") == arm).drop("arm") for arm in ("random", "exploitation")]
    assert parts[0].equals(parts[1])
    inspected = ledger.group_by("arm", "nth").agg(pl.col("inspected").sum())
    assert inspected.filter((pl.col("nth") >= START_UP) | cold)["inspected"].unique().to_list() == [8]


def test_in_the_start_up_the_regime_inspects_whatever_is_selected() -> None:
    days = world_days(load_world(), 2, PER_DAY, 1, START, regime_days=1)
    first = next(days)
    given = first.inspect(chosen_of([]))
    assert given.height == first.account([])["inspected"].sum() > 0
    assert set(given["selection"]) <= {"random", "campaign", "rule", "risk"}
    second = next(days)
    assert second.inspect(chosen_of([])).height == second.account([])["inspected"].sum() == 0


def test_what_is_seized_makes_the_senders_move_on() -> None:
    moved = []
    for inspecting in (False, True):
        days = list(zip(range(12), some_days(12), strict=False)) if not inspecting else None
        if days is None:
            for day in some_days(12):
                simulation = of_world(day)._simulation
                numbers = of_world(day)._truth.filter("illicit")["consignment_id"]
                day.inspect(chosen_of(numbers.to_list()))
        else:
            simulation = of_world(days[-1][1])._simulation
        moved.append(int(simulation.population.roster.generation.sum()))
    assert moved[1] > moved[0]


def of_world(day: Day) -> WorldDay:
    assert isinstance(day, WorldDay)
    return day


def chosen_of(numbers: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"consignment_id": numbers}).with_columns(
        selection=pl.lit("risk"), selection_probability=pl.lit(1.0)
    )


def test_an_account_counts_everything_illicit_and_what_of_it_was_found() -> None:
    day = next(some_days())
    truth = of_world(day)._truth
    numbers = (
        truth.filter("illicit")["consignment_id"].to_list()[:1]
        + truth.filter(~pl.col("illicit"))["consignment_id"].to_list()[:2]
    )
    account = day.account(numbers)
    assert account.schema == ACCOUNT
    assert account["illicit"].sum() == truth["illicit"].sum()
    assert (account["inspected"].sum(), account["found"].sum()) == (3, 1)
    assert 0 < account["worth_found"].sum() <= account["worth"].sum()


@pytest.fixture(scope="module")
def archived(small_world: SmallWorld) -> pl.DataFrame:
    """Two policies over the last days of a small archive."""
    entries = entries_of("exploitation,random", [])
    return over_archive(
        Archive(small_world.home / "archive"), entries, start=small_world.end - timedelta(days=4),
        end=small_world.end, plan=PLAN, capacity=12,
    )  # fmt: skip


def test_an_archive_says_nothing_of_what_nobody_inspected(archived: pl.DataFrame) -> None:
    total = archived.group_by("arm").agg(pl.col("inspected", "found", "unknown").sum())
    assert total["inspected"].to_list() == [48, 48]
    assert (total["unknown"] > 0).all()
    assert (total["found"] + total["unknown"] <= total["inspected"]).all()
    bounds = figures(archived, spans_of(4, 0)[-1])
    assert (bounds["precision"] < bounds["precision_at_most"]).all()


def test_an_archive_reveals_its_results_only_for_what_is_selected(small_world: SmallWorld) -> None:
    archive = Archive(small_world.home / "archive")
    day = next(archive_days(archive, small_world.end - timedelta(days=10)))
    inspected = archive.outcomes().join(
        day.manifest.select("consignment_id").unique(), on="consignment_id", how="semi"
    )["consignment_id"].unique().sort().to_list()  # fmt: skip
    others = sorted(set(day.manifest["consignment_id"]) - set(inspected))[:3]
    revealed = day.inspect(chosen_of([*inspected[:2], *others]))
    assert set(revealed["consignment_id"]) == set(inspected[:2])
    assert set(revealed["selection"]) == {"risk"}
    assert day.account([*inspected[:2], *others])["unknown"].sum() == 3


def test_faults_are_named(small_world: SmallWorld) -> None:
    archive = Archive(small_world.home / "archive")
    with pytest.raises(Fault, match="no arm is called 'luck'"):
        entries_of("luck", [])
    with pytest.raises(Fault, match="--capacity"):
        over_archive(archive, entries_of("random", []), start=None, end=None, plan=PLAN)
    with pytest.raises(Fault, match="no consignments"):
        over_archive(archive, [], start=datetime(2040, 1, 1, tzinfo=UTC), end=None, plan=PLAN)


def test_the_command_compares_all_arms_and_writes_the_figures(tmp_path: Path) -> None:
    arguments = ["backtest", "--world", "--days", "21", "--per-day", "100", "--seeds", "1", "--capacity", "9",
                 "--start-up", "14", "--out", str(tmp_path)]  # fmt: skip
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads((tmp_path / "backtest.json").read_text())
    assert told["arms"] == list(contest.ARMS)
    assert len(told["weeks"]) == 3
    for arm in contest.ARMS:
        assert arm in done.output
        assert told["spans"]["all after start-up"]["precision"][arm]["mean"] is not None


def test_the_command_replays_the_archive_under_policy_files(
    small_world: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(small_world.home))
    texts = [f'id = "{name}"\n[capacity.default]\nphysical = {n}\ndocuments = 0\naudit = 0\nexpected = 50\n'
             for name, n in (("few", 1), ("many", 3))]  # fmt: skip
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.toml").write_text(text)
    policies = ["--policy", str(tmp_path / "0.toml"), "--policy", str(tmp_path / "1.toml")]
    first = f"{small_world.end - timedelta(days=2):%Y-%m-%d}"
    arguments = ["backtest", "--from", first, "--out", str(tmp_path / "out"), *policies]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "have no result in the archive" in done.output
    ledger = pl.read_parquet(tmp_path / "out" / "backtest.parquet").group_by("arm").agg(pl.col("inspected").sum())
    counts = dict(ledger.iter_rows())
    assert 0 < counts["few"] < counts["many"]


def test_intervals_are_student_s_over_seeds() -> None:
    one = interval([1.0, 2.0, 3.0])
    assert (one.mean, one.seeds) == (2.0, 3)
    assert one.half == pytest.approx(4.303 / math.sqrt(3), rel=1e-4)
    assert math.isnan(interval([0.5]).half)
    assert math.isnan(interval([]).mean)


def ledger_of(rows: Sequence[tuple[str, int, int, str, int, int]]) -> pl.DataFrame:
    names = ("arm", "seed", "nth", "scheme", "inspected", "found")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names[:1], pl.String) | {
        "seed": pl.Int64, "nth": pl.Int64, "scheme": pl.String, "inspected": pl.Int64, "found": pl.Int64},
        orient="row")  # fmt: skip
    ten = pl.lit(10)
    counted = frame.with_columns(illicit=ten, worth=ten.cast(pl.Float64), worth_found=pl.lit(1.0), unknown=pl.lit(0))
    named = pl.when(pl.col("found") > 0).then(pl.concat_list("scheme")).otherwise(pl.lit([], pl.List(pl.String)))
    return counted.with_columns(named.alias("actors"))


def test_differences_are_paired_by_seed() -> None:
    ledger = ledger_of(
        [("a", 1, 0, "x", 10, 1), ("b", 1, 0, "x", 10, 2), ("a", 2, 0, "x", 10, 5), ("b", 2, 0, "x", 10, 6)]
    )
    rows = figures(ledger, spans_of(1, 0)[-1])
    found = differences(rows, "precision", "a")
    assert list(found) == ["b"]
    assert found["b"].mean == pytest.approx(0.1)
    assert found["b"].half == pytest.approx(0.0)


def test_an_actor_that_is_found_out_on_two_days_is_one() -> None:
    ledger = ledger_of(
        [("a", 1, 0, "x", 10, 1), ("a", 1, 1, "x", 10, 2), ("a", 1, 1, "y", 20, 3), ("a", 1, 2, "z", 10, 0)]
    )
    (row,) = figures(ledger, spans_of(3, 0)[-1]).to_dicts()
    assert (row["actors"], row["actors_found"]) == (2, pytest.approx(1000 * 2 / 50))


def test_schemes_that_begin_after_the_start_are_told_apart() -> None:
    ledger = ledger_of([("a", 1, 0, "old", 1, 1), ("a", 1, 20, "old", 1, 1), ("a", 1, 20, "late", 1, 0)])
    assert never_seen_before(ledger, 14) == ["late"]
    assert by_scheme(ledger, spans_of(21, 14)[-1])["scheme"].to_list() == ["late", "old"]


def test_spans_cover_every_day_once_and_all_of_them_again() -> None:
    spans = spans_of(182, 28)
    assert [(s.start, s.end) for s in spans] == [(0, 28), (28, 56), (56, 126), (126, 182), (28, 182)]
    assert [(s.start, s.end) for s in spans_of(20, 14)] == [(0, 14), (14, 20), (14, 20)]


@pytest.mark.parametrize(
    ("checks", "traffic"), [(7, {"a": 1, "b": 1, "c": 1}), (15, {"a": 52, "b": 9, "c": 14}), (1, {"a": 2})]
)
def test_checks_spread_over_offices_add_up(checks: int, traffic: dict[str, int]) -> None:
    given = contest.spread(checks, traffic)
    assert sum(given.values()) == checks
    assert given == contest.spread(checks, dict(reversed(traffic.items())))
