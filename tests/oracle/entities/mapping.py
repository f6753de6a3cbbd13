"""Functions over one text applied to a column: each distinct text is converted once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl


def mapped(text: pl.Expr, convert: Callable[[str], str | None]) -> pl.Expr:
    """Convert each text of a column; unknown stays unknown."""

    def of_all(texts: pl.Series) -> pl.Series:
        known = {text: convert(text) for text in set(texts.to_list()) if text is not None}
        return pl.Series(texts.name, [known.get(text) for text in texts.to_list()], pl.String)

    return text.map_batches(of_all, pl.String)


def mapped_together(columns: Sequence[str], convert: Callable[..., str | None]) -> pl.Expr:
    """Convert the texts that several columns state together; unknown where all of them are."""

    def of_all(texts: Sequence[pl.Series]) -> pl.Series:
        rows = list(zip(*(column.to_list() for column in texts), strict=True))
        known = {row: convert(*row) for row in set(rows) if any(text is not None for text in row)}
        return pl.Series(texts[0].name, [known.get(row) for row in rows], pl.String)

    return pl.map_batches([pl.col(name) for name in columns], of_all, return_dtype=pl.String)


def stated_in(text: str, country: str, convert: Callable[[str, str | None], str | None]) -> pl.Expr:
    """Convert a column of texts by the country that is stated beside each; unknown where there is no text."""
    return mapped_together((text, country), lambda text, country: None if text is None else convert(text, country))
