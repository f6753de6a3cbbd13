"""Conditions of rules: each word on each kind of column, bounds that do not fit, and patterns of hostile cost."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

from features.algebra import Text
from features.algebra.tables import Table
from features.consignment import TIME
from service.orientation import PolicyFault
from service.orientation.columns import Known
from service.orientation.policy_file import kinds_of_columns
from service.orientation.rule_conditions import CONDITIONS, REMEMBERED, Pattern
from service.orientation.rules import Rule, read_rule
from tests.oracle.orientation.policy_file import sample_row
from tests.oracle.orientation.policy_sections import PolicyFault as FormerFault
from tests.oracle.orientation.rules import Rule as FormerRule
from tests.oracle.orientation.rules import read_rule as read_former_rule

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
FRAME = pl.DataFrame(
    {
        "office": ["A", None, "B", "AB", "64", "", "a é", "5.0", "z"],
        "gross_mass_kg": [1.0, None, 2.5, 0.0, -1.0, 1e300, 3.0, 5.0, 64.0],
        "version": [1, 2, 3, None, 5, 6, 7, 64, 2**40],
        "lodged_at": [MIDNIGHT + timedelta(hours=11 * n) for n in range(9)],
    },
    schema={"office": pl.String, "gross_mass_kg": pl.Float64, "version": pl.Int64, "lodged_at": TIME},
)
COLUMNS = tuple(FRAME.columns)
FITTING: dict[str, tuple[Any, ...]] = {
    "office": ("A", "", "64", "é", ["A", "B"], ["é"], ["z", ""], "^[AB]+$", "A|B"),
    "gross_mass_kg": (1, 2.5, 0, -1, [1, 2.5], [0], float("nan"), 2**70),
    "version": (1, 2.5, 64, [1, 2.5], [7], 2**40),
    "lodged_at": (
        date(2026, 1, 2), MIDNIGHT, MIDNIGHT + timedelta(hours=22), [date(2026, 1, 1), MIDNIGHT + timedelta(hours=11)],
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    ),
}  # fmt: skip
CASES = [
    (column, word, bound)
    for column, bounds in FITTING.items()
    for bound in bounds
    for word in CONDITIONS
    if word != "missing"
]
MISFITS: tuple[tuple[str, str, Any], ...] = (
    ("office", "is", 1), ("office", "below", 1.5), ("office", "in", [1]), ("office", "in", ["A", 1]),
    ("office", "in", 5), ("office", "in", ""), ("office", "in", {}), ("office", "matches", "("),
    ("office", "matches", ["A"]), ("office", "matches", "(?=A)"), ("office", "starts_with", 5),
    ("office", "starts_with", {}), ("office", "missing", ["A"]), ("gross_mass_kg", "is", "A"),
    ("gross_mass_kg", "above", [1]), ("gross_mass_kg", "in", ["A"]), ("gross_mass_kg", "in", 5),
    ("gross_mass_kg", "starts_with", "1"), ("gross_mass_kg", "matches", "1"), ("gross_mass_kg", "is", 10**400),
    ("version", "is", "1"), ("version", "matches", "1"), ("lodged_at", "is", "2026-01-01"),
    ("lodged_at", "above", datetime(2026, 1, 1)), ("lodged_at", "starts_with", "2026"),  # noqa: DTZ001
    ("lodged_at", "in", [True]),
)  # fmt: skip


def written(column: str, tests: Any) -> dict[str, Any]:
    return {"code": "X", "when": {column: tests}, "lane": "red", "reason": "r", "author": "a"}


def ruled(column: str, tests: Any) -> Rule:
    return read_rule(written(column, tests), kinds_of_columns())


def formerly_ruled(column: str, tests: Any) -> FormerRule:
    return read_former_rule(written(column, tests), sample_row())


@pytest.mark.parametrize(("column", "word", "bound"), CASES)
def test_a_condition_holds_where_it_did(column: str, word: str, bound: Any) -> None:
    """Whatever fits holds for the same rows as it did when rules were expressions; the rest is a fault of both."""
    try:
        expected = FRAME.select(formerly_ruled(column, {word: bound}).holds()).to_series().to_list()
    except (FormerFault, TypeError):
        with pytest.raises(PolicyFault, match="X: when: a condition does not fit"):
            ruled(column, {word: bound})
        return
    assert ruled(column, {word: bound}).holds(Known(Table.of_frame(FRAME))).tolist() == expected


@pytest.mark.parametrize("wanted", [True, False, 1, 0, "true", "false", 2])
@pytest.mark.parametrize("column", COLUMNS)
def test_what_is_missing_can_be_asked_for(column: str, wanted: Any) -> None:
    expected = FRAME.select(formerly_ruled(column, {"missing": wanted}).holds()).to_series().to_list()
    assert ruled(column, {"missing": wanted}).holds(Known(Table.of_frame(FRAME))).tolist() == expected


@pytest.mark.parametrize(("column", "word", "bound"), MISFITS)
def test_a_bound_that_does_not_fit_is_refused_by_name(column: str, word: str, bound: Any) -> None:
    with pytest.raises(PolicyFault, match="X: when: a condition does not fit the type of its column"):
        ruled(column, {word: bound})


@pytest.mark.parametrize("number", [64, 5.0])
@pytest.mark.parametrize("word", ["starts_with", "matches"])
def test_a_number_means_its_digits_where_texts_begin_or_match(word: str, number: float) -> None:
    bound = [number] if word == "starts_with" else number
    expected = FRAME.select(formerly_ruled("office", {word: bound}).holds()).to_series().to_list()
    assert ruled("office", {word: bound}).holds(Known(Table.of_frame(FRAME))).tolist() == expected
    assert any(expected)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", r"(\w+\s?)*!", "(a*)*b", "a{1,50}a{1,50}b"])
def test_a_pattern_costs_linear_time(pattern: str) -> None:
    """An engine that goes back and forth would take years for these."""
    began = time.perf_counter()
    assert not Pattern(pattern).found_in(Text.of(["a" * 20_000 + "c", None])).any()
    assert time.perf_counter() - began < 5.0


def test_a_pattern_asked_of_ever_new_texts_forgets_and_stays_right() -> None:
    pattern = Pattern("7")
    for start in range(0, 3 * REMEMBERED, 500):
        texts = [f"{start + n}" for n in range(500)]
        assert pattern.found_in(Text.of(texts)).tolist() == ["7" in text for text in texts]
        assert len(pattern._found) <= REMEMBERED
