"""The entities that consignments name: a column for each of KEYS, made of the texts that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from features.algebra import Text, texts_of
from features.algebra.frames import text_of
from features.algebra.lines import Groups
from features.consignment import BY_NAME, Consignments
from features.hashes import hashes_of
from features.history.keys import KEYS, OF_MAIN_LINE, SHARED_TEXTS, Key

DECLARED = tuple(
    dict.fromkeys(
        column
        for columns in (*(columns for columns, _ in SHARED_TEXTS.values()), *(key.columns for key in KEYS))
        for column in columns
        if column in BY_NAME
    )
)


def with_entities(consignments: Consignments) -> Consignments:
    """Add one `<key>_entity` column (Int64, null = unknown) for each of KEYS that the consignments lack."""
    absent = [key for key in KEYS if key.column not in consignments.frame.columns]
    if not absent:
        return consignments
    declared = {name: text_of(consignments.frame.get_column(name)) for name in DECLARED}
    texts = texts_of_keys(declared | _of_main_line(consignments), absent)
    columns = (_hashed(key, text) for key, text in zip(absent, texts, strict=True))
    return Consignments(consignments.frame.hstack(list(columns)), consignments.goods)


def texts_of_keys(declared: Mapping[str, Text], keys: Sequence[Key]) -> list[Text]:
    """Return the text that names the entity of each key, from DECLARED columns and those OF_MAIN_LINE."""
    texts = dict(declared)
    for name, (columns, text) in SHARED_TEXTS.items():
        texts[name] = texts_of(text, *[texts[column] for column in columns])
    return [texts_of(key.text, *[texts[column] for column in key.columns]) for key in keys]


def _of_main_line(consignments: Consignments) -> dict[str, Text]:
    """Return what the goods line of the highest value of each consignment states."""
    goods = consignments.goods
    groups = Groups(goods.get_column("row").to_numpy().astype(np.int64), len(consignments))
    main = groups.highest(goods.get_column("line_value_eur").to_numpy())
    return {name: text_of(goods.get_column(column)).take(main) for name, column in OF_MAIN_LINE.items()}


def _hashed(key: Key, text: Text) -> pl.Series:
    prefix = f"{key.name}\x1f"
    entities = hashes_of(None if word is None else prefix + word for word in text.words)[text.codes]
    column = pl.Series(key.column, entities)
    return column if None not in text.words else column.set(pl.Series(~text.known()), None)
