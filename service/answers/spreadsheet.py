"""Decisions as cells for a spreadsheet: one row each, no cell of which it would compute."""

from __future__ import annotations

import polars as pl

FORMULA = r"^[=+\-@\t\r]"  # a spreadsheet would compute a cell that begins so


def for_spreadsheet(orientations: pl.DataFrame) -> pl.DataFrame:
    """The decisions as plain cells; text that a spreadsheet would take for a formula is quoted."""
    sentences = pl.col("reasons").list.eval(pl.element().struct.field("text")).list.join("; ")
    problems = pl.col("data_problems").list.eval(
        pl.format("{}: {}", pl.element().struct.field("field"), pl.element().struct.field("problem"))
    )
    flat = orientations.with_columns(
        sentences.alias("reasons"),
        problems.list.join("; ").alias("data_problems"),
        pl.col("degraded_reasons").list.join("; "),
    )
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    return flat.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
