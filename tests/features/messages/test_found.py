"""What was found odd, gathered by kind and told by row."""

from __future__ import annotations

import numpy as np

from features.messages.found import PROBLEM, Found


def test_problems_are_told_row_by_row_each_once_in_the_order_found() -> None:
    found = Found()
    found.add(np.array([1, 2]), "value", "missing")
    found.add_each(np.array([2, 0, 2]), ["office", "hs_code", "value"], ["unknown", "missing", "missing"])
    assert found.frame()["row"].to_list() == [1, 2, 2, 0, 2]
    assert found.by_row().frame.rows() == [
        (0, "hs_code", "missing"), (1, "value", "missing"), (2, "value", "missing"), (2, "office", "unknown"),
    ]  # fmt: skip
    assert found.by_row().frame.schema == PROBLEM


def test_nothing_is_found_of_no_rows() -> None:
    found = Found()
    found.add(np.array([], np.int64), "value", "missing")
    found.add_each(np.array([], np.int64), [], [])
    assert found.frame().equals(PROBLEM.to_frame())
    assert found.by_row().frame.equals(PROBLEM.to_frame())
