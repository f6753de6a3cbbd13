"""What counts as a label: which results teach, what a finding is and what a grave one; the only place that says so."""

from __future__ import annotations

import polars as pl

from features.outcome import LABELLED

TARGET = "hit"


def teaches() -> pl.Expr:
    """Return an expression: a result says whether something was found; nobody present or nothing settled does not."""
    return pl.col("result").is_in(LABELLED)


def hit() -> pl.Expr:
    """Return an expression: a result is a finding."""
    return (pl.col("result") == "non_compliant").alias(TARGET)


def grave() -> pl.Expr:
    """Return an expression: a result shows danger or a criminal link; null where neither was recorded."""
    recorded = pl.col("findings").is_not_null() | pl.col("criminal_link").is_not_null()
    dangerous = pl.col("findings").fill_null("").str.split(";").list.contains("dangerous")
    linked = pl.col("criminal_link").cast(pl.String).fill_null("") == "true"
    return pl.when((pl.col("result") == "non_compliant") & recorded).then(dangerous | linked).alias("grave")
