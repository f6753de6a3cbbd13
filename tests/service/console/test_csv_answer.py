"""A list as a file: a spreadsheet reads it as it is and evaluates none of it."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest

from service.answers.spreadsheet import plain_cells
from service.console.csv_answer import MARK, csv_answer

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "a;=1", "a\n@b", "plain", '"quoted"', "-", "3;4"]


def rows_of(content: bytes) -> list[list[str]]:
    text = content.decode()
    assert text.startswith(MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(MARK), newline="")))


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_quoted_as_in_every_other_file(cell: str) -> None:
    quoted = plain_cells(pl.DataFrame({"cell": [cell]}))["cell"][0]
    assert rows_of(bytes(csv_answer("x.csv", [cell], [[cell, 1.5, None]]).body)) == [[quoted], [quoted, "1.5", ""]]


def test_its_name_is_plain() -> None:
    answer = csv_answer('tamis-FR"\r\nX-1.csv', ["a"], [])
    assert answer.headers["content-disposition"] == 'attachment; filename="tamis-FR___X-1.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
