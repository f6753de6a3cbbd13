"""Decisions as CSV cells for a spreadsheet: one row each, with no cell that it would evaluate as a formula."""

from __future__ import annotations

import polars as pl

SIGNS = "=+\\-@＝＋－＠﹢﹣﹦﹫"  # what begins a formula, as a keyboard for Chinese or Japanese writes it too
FORMULA = rf"^(?:[\t\r\n]|\s*[{SIGNS}])"  # a spreadsheet evaluates cells that begin so
WITHIN = rf"([;\t\r\n]\s*)([{SIGNS}])"  # another sign than ours divides cells where a spreadsheet is set to it


def for_spreadsheet(orientations: pl.DataFrame) -> pl.DataFrame:
    """Return decisions as plain cells, with chances by kind, reasons and problems in words."""
    sentences = pl.col("reasons").list.eval(pl.element().struct.field("text")).list.join("; ")
    problems = pl.col("data_problems").list.eval(
        pl.format("{}: {}", pl.element().struct.field("field"), pl.element().struct.field("problem"))
    )
    chances = pl.col("risk_by_kind").list.eval(
        pl.format("{}: {}", pl.element().struct.field("kind"), pl.element().struct.field("chance"))
    )
    flat = orientations.with_columns(
        chances.list.join("; ").alias("risk_by_kind"),
        sentences.alias("reasons"),
        problems.list.join("; ").alias("data_problems"),
        pl.col("degraded_reasons").list.join("; "),
    )
    return plain_cells(flat)


def plain_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """The same cells, those that a spreadsheet would take for a formula quoted."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name))
        .str.replace_all(WITHIN, "${1}'${2}")
        .alias(name)
        for name in texts
    )  # fmt: skip
