"""The texts that are hashed of settled decisions, column by column: of what is about to be written, and of what was.

They are those of `record_rows`, which writes one row after another, character by character.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from service.canonical import canonical_rows
from service.store.settled_layout import Content, Field

OLDEST = pl.CompatLevel.oldest()  # texts one after another, not views of them
EMPTY = ("[]", "null")  # JSON of what a decision does not state
ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"
PLAIN_NAME = re.compile(r"[\w .:/-]+")  # of a field: it says nothing else once it is between quotes


def leaf_texts(
    call_id: str, salt: pl.Series, body: pl.Series, declaration: pl.Series, place: pl.Series, row: pl.Series
) -> pl.Series:
    """Return the text whose hash is the leaf of each decision, as `leaf_of` makes it; null where a part is.

    body, row: canonical JSON. declaration: the hash of its content.
    """
    columns = pl.DataFrame({"salt": salt, "body": body, "declaration": declaration, "place": place, "row": row})
    text = pl.concat_str(
        pl.col("salt"), pl.lit('\x1f{"body":'), pl.col("body"),
        pl.lit(f',"call":{orjson.dumps(call_id).decode()},"declaration":"'),
        pl.col("declaration"), pl.lit('","place":'), pl.col("place").cast(pl.String), pl.lit(',"row":'), pl.col("row"),
        pl.lit("}"),
    )  # fmt: skip
    return columns.select(text).to_series()


def hashed(texts: pl.Series) -> list[str | None]:
    """Return the SHA-256 of each text; None where there is none."""
    held = texts.cast(pl.String).to_arrow(compat_level=OLDEST)  # one text after another
    _, ends, written = held.buffers()
    at = np.frombuffer(ends, np.int64, len(held) + 1, held.offset * np.dtype(np.int64).itemsize).tolist()
    sha256, each = hashlib.sha256, memoryview(written or b"")
    hashes: list[str | None] = [sha256(each[start:end]).hexdigest() for start, end in pairwise(at)]
    if held.null_count:
        return [of if known else None for of, known in zip(hashes, texts.is_not_null(), strict=True)]
    return hashes


def sorted_json(texts: Iterable[str | None]) -> list[str | None]:
    """Return JSON as it is hashed; None where a text is none."""
    return [text if text in EMPTY else _sorted(text) for text in texts]


def content_texts(content: Content, rows: pl.DataFrame) -> pl.Series | None:
    """Return what is hashed of a content of each row of a file; null where only the row itself says what it holds.

    None where that is so of all: a name of a field could be read as something else.
    """
    if not all(PLAIN_NAME.fullmatch(field.name) for field in content.fields):
        return None
    in_words = pl.DataFrame([_in_words(field, rows[field.column]) for field in content.fields])
    ready = {field.name for field in content.fields if field.kind in ("json", "lines")}
    return canonical_rows(in_words, ready=ready, sparse=content.sparse)


def _in_words(field: Field, values: pl.Series) -> pl.Series:
    if field.kind == "moment":
        return pl.from_epoch(values, "us").dt.strftime(ISO).alias(field.name)
    if field.kind == "json":
        return pl.Series(field.name, sorted_json(values.to_list()), pl.String)
    if field.kind == "lines":
        return _lines(values).alias(field.name)
    return values.alias(field.name)


def _lines(values: pl.Series) -> pl.Series:
    """Return lists of structures as canonical JSON; null where one of a list is none."""
    listed = values.to_arrow(compat_level=OLDEST)
    lines = pl.Series("line", pl.from_arrow(listed.values))
    texts = canonical_rows(lines.struct.unnest(), sparse=True)
    known = pl.DataFrame({"line": lines, "text": texts}).select(pl.when(pl.col("line").is_not_null()).then("text"))
    of_row = pa.LargeListArray.from_arrays(listed.offsets, known.to_series().to_arrow(compat_level=OLDEST))
    joined = pl.DataFrame({"of_row": pl.from_arrow(of_row)}).select(
        pl.concat_str(pl.lit("["), pl.col("of_row").list.join(",", ignore_nulls=False), pl.lit("]"))
    )
    return joined.to_series()


def _sorted(text: str | None) -> str | None:
    try:
        return None if text is None else orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONDecodeError:
        return None  # whoever reads the row says what is wrong with it
