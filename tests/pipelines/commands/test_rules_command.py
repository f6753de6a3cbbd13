"""Rules tried on the past: what the dry run says is what the desk would have said, and what was found of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.algebra.tables import Table
from features.consignment import TIME
from features.fault import Fault
from features.messages import Message
from features.messages.flat import read_flat
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import read_manifest
from pipelines.cli import app
from pipelines.commands.rules_command import Trial, dry_run
from service.orientation import Policy, PolicyFault, load_policy
from service.orientation.columns import Known
from service.orientation.rules import Rule
from service.settings import Settings
from service.targeting import target
from tests.service.orientation.cases import policy_text, rule_text
from tests.worlds import SmallWorld

TODAY = date(2026, 12, 1)
RULES = (
    rule_text("many-pieces", "{ pieces = { above = 4 } }", "yellow")
    + rule_text("hit-before", "{ consignor_hits_ever = { above = 0 } }", "red")
    + rule_text("never", "{ pieces = { above = 100000 } }", "blue")
)


def tried(archive: Archive, policy: Policy, start: datetime | None = None, end: datetime | None = None) -> Trial:
    return dry_run(policy, archive, TODAY, start, end)


def ruled(more: str = RULES) -> Policy:
    return load_policy(policy_text(5, 5, 5, more=more))


def test_a_dry_run_holds_where_the_desk_would_have_held(small_world: SmallWorld, tmp_path: Path) -> None:
    desk = small_world.desk(tmp_path)
    policy = ruled()
    day = small_world.end
    message = Message(read_flat(small_world.last_day).rows, "last day", day + timedelta(days=1), competing="message")
    decided = target(message, replace(desk, policy=policy)).rows
    archive = Archive(Settings(home=tmp_path).archive)
    archive.keep_manifest(read_manifest(small_world.last_day)[1].accepted)
    trial = tried(archive, policy, start=day)
    assert trial.consignments == len(decided)
    for one in trial.rules:
        said = sum(f"rule.{one.rule.code}" in [reason["code"] for reason in row["reasons"]] for row in decided)
        assert one.holds == said, one.rule.code
    assert trial.rules[0].holds > 0


def test_hits_are_counted_among_what_was_inspected(small_world: SmallWorld) -> None:
    archive = Archive(Settings(home=small_world.home).archive)
    trial = tried(archive, ruled())
    labelled = archive.outcomes().filter(pl.col("result").is_in(["compliant", "non_compliant"]))
    assert trial.inspected == labelled["consignment_id"].n_unique()
    many, before, never = trial.rules
    assert (never.holds, never.alone, never.a_day, never.inspected, never.rate) == (0, 0, 0, 0, None)
    assert many.rate is not None
    rate, low, high = many.rate
    assert (rate, low <= rate <= high) == (many.hits / many.inspected, True)
    assert (0 < many.inspected < trial.inspected, many.alone <= many.holds) == (True, True)
    assert before.holds > 0
    assert max(many.a_day, 1) >= many.holds / 21


@pytest.mark.parametrize(
    ("more", "state"),
    [("", "active"), ("until = 2026-11-30", "expired"), ("until = 2026-12-01", "active"),
     ("from = 2026-12-02", "to come"), ("snoozed_until = 2026-12-02", "snoozed"),
     ("snoozed_until = 2026-12-01", "active")],
)  # fmt: skip
def test_a_rule_that_is_not_at_work_is_tried_all_the_same_and_says_so(
    small_world: SmallWorld, more: str, state: str
) -> None:
    archive = Archive(Settings(home=small_world.home).archive)
    (one,) = tried(archive, ruled(rule_text("r", "{ pieces = { above = 4 } }", "yellow", more))).rules
    assert (one.state, one.holds > 0) == (state, True)


def test_a_snoozed_rule_asks_for_nothing_until_its_day() -> None:
    rules: Sequence[Rule] = ruled(rule_text("r", '{ stream = "express" }', "red", "snoozed_until = 2026-02-03")).rules
    days = [datetime(2026, 2, day, 12, tzinfo=UTC) for day in (2, 3)]
    rows = pl.DataFrame({"stream": ["express"] * 2, "office": ["A"] * 2, "lodged_at": pl.Series(days, dtype=TIME)})
    assert rules[0].holds(Known(Table.of_frame(rows))).tolist() == [False, True]
    with pytest.raises(PolicyFault, match="snoozed_until"):
        ruled(rule_text("r", '{ stream = "express" }', "red", "snoozed_until = 3"))


def test_an_archive_without_those_days_says_so(small_world: SmallWorld, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no consignments"):
        tried(Archive(tmp_path), ruled())
    later = small_world.end + timedelta(days=90)
    with pytest.raises(Fault, match="no consignments"):
        tried(Archive(Settings(home=small_world.home).archive), ruled(), start=later)


def test_the_command_tells_one_line_a_rule(
    small_world: SmallWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text(
        policy_text(5, 5, 5, more=RULES + rule_text("old", "{ pieces = 1 }", "blue", "until = 2026-01-01"))
    )
    monkeypatch.setenv("TAMIS_HOME", str(small_world.home))
    app(["rules", str(policy)], standalone_mode=False)
    told = capsys.readouterr().out
    assert all(code in told for code in ("many-pieces", "hit-before", "never", "old is expired")), told
