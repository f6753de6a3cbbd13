"""The policy over columns beside the one over frames: every column, every decision, and what both take and rest on.

Two columns of pacing may differ in their last digits, as its exponentials are the C library's now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from features.consignment import TIME, Consignments
from features.messages import Problems
from service.orientation import DecisionContext, Decisions, load_policy
from service.orientation.decisions import SINCE
from service.orientation.goods_reasons import CODE as OF_WORDS
from service.orientation.periods import CHECKS
from service.scoring import Scores
from tests.oracle import orientation as former
from tests.oracle.orientation.campaigns import OPEN
from tests.oracle.orientation.capacity_used import SPENT
from tests.service.orientation.lane_frames import frame_of_lanes

PACED = ("ahead", "to_come")
LEFT_OUT = {"wording_vague_share", *(f"{kind}_spent" for kind in CHECKS)}  # columns that only led to others
Given = tuple[Consignments, Scores, Problems]


def formerly(context: DecisionContext) -> former.DecisionContext:
    """Return the same circumstances as frames."""
    counted = [{**row.as_json(), "begins": row.begins} for row in context.spent]
    spent = pl.DataFrame(counted, schema={**SPENT, "begins": pl.Int64}, orient="row")
    opened = pl.DataFrame(list(context.opened.items()), schema=OPEN, orient="row")
    return former.DecisionContext(
        context.decided_at, context.competing, spent.with_columns(pl.col("begins").cast(TIME)), context.history_as_of,
        context.language, context.lists_as_of, context.lost, opened, context.found, context.anew, context.settled,
        edition=context.edition,
    )  # fmt: skip


def as_then(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision without what was not stated then: chances by kind, bounds, the heading that words suggest."""
    reasons = [reason for reason in row["reasons"] if reason["code"] != OF_WORDS]
    return {**{name: value for name, value in row.items() if name not in SINCE}, "reasons": reasons}


def assert_same(text: str, given: Given, context: DecisionContext) -> Decisions:
    """Decide with both policies; returns the decisions once all is the same."""
    policy, frames = load_policy(text), former.load_policy(text)
    before = frames.lanes(*given, formerly(context))
    lanes = frame_of_lanes(policy.lanes(*given, context))
    assert_same_columns(lanes, before, anew=context.anew)
    decisions, decided = policy.orient(*given, context), frames.orient(*given, formerly(context))
    plain = [as_then(row) for row in decisions.as_json()]
    assert plain == decided.as_json()
    stated = decisions.as_frame().drop(*SINCE, "reasons")
    assert stated.equals(decided.as_frame().drop("reasons"), null_equal=True)
    assert decisions.basis is not None
    assert decided.basis is not None
    assert decisions.basis.as_json("") == decided.basis.as_json("")
    assert_takes_the_same(decisions, decided)
    return decisions


def assert_same_columns(lanes: pl.DataFrame, before: pl.DataFrame, *, anew: bool) -> None:
    """Compare all columns; a day, which is that of the lodging, only where the check is of that day too."""
    assert {*before.columns} - {*lanes.columns} == LEFT_OUT
    for name in {*before.columns} - {*PACED, *LEFT_OUT, *(["day"] if anew else [])}:
        was = before[name].fill_null(False) if name == "leads" else before[name]  # unknown where no score was
        assert lanes[name].cast(was.dtype).equals(was, null_equal=True), name
    for name in set(PACED) & {*before.columns}:
        paced, paced_before = (frame[name].fill_null(-1.0).to_list() for frame in (lanes, before))
        assert paced == pytest.approx(paced_before, rel=1e-12, abs=1e-12)


def assert_takes_the_same(decisions: Decisions, decided: former.Decisions) -> None:
    """Compare what decisions take from their offices."""
    taken, took = decisions.taken, decided.taken
    assert taken is not None
    assert took is not None
    bands = [-1 if band is None else band for band in took["band"]]
    assert (taken.offices(), taken.checks()) == (took["office"].to_list(), took["check"].to_list())
    assert [row["band"] for row in taken.on_record()] == bands
    for name in ("at", "network", "held"):
        assert [row[name] for row in taken.on_record()] == took[name].to_list()
