"""The reason that words give: it names the heading they suggest, where they clearly suggest another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features.assemble import Rows
from features.catalogue import NAMED_ONLY
from service.orientation import DecisionContext, load_policy
from service.orientation.goods_reasons import CODE, goods_reasons
from service.scoring import Model, Scores
from tests.service.building import NOON
from tests.service.orientation.cases import Case, policy_text, presented


def worded(model: Model, odds: list[float | None], headings: list[str | None]) -> Scores:
    """Scores of consignments whose words fit another heading by so much."""
    _, scores, _ = presented(model, [Case(str(n)) for n in range(len(odds))])
    frame = scores.rows.frame.with_columns(
        pl.Series("wording_heading_odds", odds, pl.Float64), pl.Series("wording_heading", headings, pl.String)
    )
    return replace(scores, rows=Rows.of_frame(frame))


def test_it_is_given_where_the_words_clearly_fit_another_heading(model: Model) -> None:
    scores = worded(model, [3.5, 0.4, None, 2.0], ["3926", "6404", None, "9102"])
    given = goods_reasons(scores, np.array([0, 1, 2, 3]), "en")
    assert {row: reason["evidence"] for row, reason in given.items()} == {0: "3926", 3: "9102"}
    assert "heading 3926" in given[0]["text"]
    assert goods_reasons(scores, np.array([1, 3]), "fr")[3]["text"].startswith("Des marchandises ainsi désignées")


def test_a_model_of_before_gives_none(model: Model) -> None:
    scores = worded(model, [3.5], ["3926"])
    without = replace(scores, rows=Rows.of_frame(scores.rows.frame.drop("wording_heading_odds")))
    assert goods_reasons(without, np.array([0]), "en") == {}


@pytest.mark.parametrize(("physical", "said"), [(1, True), (0, False)])
def test_a_decision_that_sends_somebody_says_it(model: Model, physical: int, said: bool) -> None:
    consignments, _, problems = presented(model, [Case("0")])
    policy = load_policy(policy_text(physical, 0, 0))
    scores = worded(model, [3.5], ["3926"])
    (row,) = policy.orient(consignments, scores, problems, DecisionContext(NOON, "message", [])).rows
    assert (CODE in [reason["code"] for reason in row["reasons"]]) == said


def test_trees_never_split_on_what_reasons_alone_name(trained_model: Model) -> None:
    assert trained_model.trees is not None
    splits = trained_model.trees.booster.feature_importance("split")
    used = {item.name for item, count in zip(trained_model.inputs, splits, strict=True) if count}
    assert used
    assert not used & set(NAMED_ONLY)
