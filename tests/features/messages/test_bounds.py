"""What a message may hold, per format: as much as the bounds say is read, and one more is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.intelligence import read_list
from features.intelligence.statements import Unreadable
from features.messages import parts
from features.messages.bounds import OF_A_CALL, Bounds
from features.messages.formats import read_content
from features.messages.outcome_files import read_outcomes
from features.messages.parquet_footer import check_footer
from features.messages.parts import read_parts
from features.messages.raw import UnreadableFile
from features.messages.strict_json import NAMES, STRANGERS, read_json

HEAD = ["consignment_id", "stream", "lodged_at", "description"]
ROW = ["C1", "express", "2026-03-01T08:15:00Z", "shirts"]


def bounds(**narrow: Any) -> Bounds:
    """Those of a call, some of them narrow."""
    return dataclasses.replace(OF_A_CALL, **narrow)


def csv(rows: int = 1, more: int = 0) -> bytes:
    """A flat file of so many rows, and so many columns beside the required ones."""
    head = [*HEAD, *(f"more{n}" for n in range(more))]
    return "\n".join([",".join(head), *[",".join([*ROW, *["x"] * more])] * rows, ""]).encode()


def parquet(rows: int = 1, more: int = 0, description: str = "shirts", **how: bool) -> bytes:
    """The same as Parquet."""
    cells = dict(zip(HEAD, [*ROW[:3], description], strict=True)) | {f"more{n}": "x" for n in range(more)}
    made = io.BytesIO()
    pq.write_table(pa.table({name: [cell] * rows for name, cell in cells.items()}), made, **how)
    return made.getvalue()


def ics2(lines: int) -> bytes:
    """A house of so many goods lines."""
    house = f"<consignmentHouseLevel>{'<goodsItem/>' * lines}</consignmentHouseLevel>"
    return (
        f"<IE4R05><relatedENS><consignmentMasterLevel>{house}</consignmentMasterLevel></relatedENS></IE4R05>".encode()
    )


def items(number: int) -> bytes:
    """A postal message of so many items, one value each."""
    return json.dumps({"items": [{"itemId": str(n)} for n in range(number)]}).encode()


CASES: dict[str, tuple[Callable[[int], bytes], dict[str, int], int]] = {  # what, the bound, and how many fill it
    "rows of CSV": (lambda n: csv(rows=n - 1), {"rows": 10}, 10),  # the header is a line too
    "columns of CSV": (lambda n: csv(more=n - 4), {"columns": 10}, 10),
    "cells of CSV": (lambda n: csv(rows=n - 1, more=6), {"cells": 100}, 10),
    "rows of Parquet": (lambda n: parquet(rows=n), {"rows": 10}, 10),
    "columns of Parquet": (lambda n: parquet(more=n - 4), {"columns": 10}, 10),
    "cells of Parquet": (lambda n: parquet(rows=n, more=6), {"cells": 100}, 10),
    "goods lines of XML": (ics2, {"rows": 10}, 10),
    "items of JSON": (items, {"rows": 10}, 10),
    "houses of Cargo-IMP": (lambda n: b"FHL/4\n" + b"HBS/H1\n" * n, {"rows": 10}, 10),
    "lines of Cargo-IMP": (lambda n: b"FHL/4\nHBS/H1\n" + b"\n" * (n - 2), {"signs": 10}, 10),
    "elements of XML": (lambda n: b"<HouseWaybill>" + b"<a/>" * (n - 2) + b"</HouseWaybill>", {"signs": 10}, 10),
    "attributes of XML": (
        lambda n: b"<HouseWaybill %s/>" % b" ".join(b'a%d="1"' % i for i in range(n - 1)), {"signs": 10}, 10
    ),
    "values of JSON": (lambda n: b'{"items": [%s]}' % b",".join([b"1"] * (n - 1)), {"signs": 10}, 10),
    "bytes of a message": (lambda n: items(1) + b" " * (n - len(items(1))), {"message": 100}, 100),
    "bytes unpacked": (lambda n: gzip.compress(csv() + b"\n" * (n - len(csv()))), {"unpacked": 200}, 200),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_as_much_as_is_allowed_is_read_and_one_more_is_refused(case: str) -> None:
    made, narrow, full = CASES[case]
    read_content(made(full), "m", bounds=bounds(**narrow))
    with pytest.raises(UnreadableFile, match=r"^m: .*(more than|leave out)"):
        read_content(made(full + 1), "m", bounds=bounds(**narrow))


@pytest.mark.parametrize("store_schema", [True, False])
def test_a_word_of_a_dictionary_counts_as_often_as_it_stands(store_schema: bool) -> None:
    content = parquet(1_000, description="kanarienvogel7" * 10, store_schema=store_schema)
    assert len(content) < 5_000
    assert read_content(content, "m", bounds=bounds(unpacked=300_000)).rows.height == 1_000
    with pytest.raises(UnreadableFile, match="unpacks to more than 150,000 bytes"):
        read_content(content, "m", bounds=bounds(unpacked=150_000))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_pages_are_as_large_as_an_honest_footer_says(compression: str, version: str) -> None:
    made = io.BytesIO()
    table = pa.table({"a": [f"{n % 7}" * 50 for n in range(9_000)], "b": [n / 7 for n in range(9_000)]})
    pq.write_table(table, made, compression=compression, data_page_version=version, data_page_size=4_000)
    group = pq.read_metadata(made).row_group(0)
    stated = sum(group.column(place).total_uncompressed_size for place in range(2))  # with the headers of the pages
    check_footer(made.getvalue(), "m", bounds(unpacked=stated))
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        check_footer(made.getvalue(), "m", bounds(unpacked=stated * 9 // 10))


def test_pages_larger_than_the_footer_says_are_refused() -> None:
    """A dictionary of 20 MB in a file of some kilobytes, of which the footer tells a kilobyte."""
    made = io.BytesIO()
    words = {name: [name * 4_000_000] for name in HEAD[:2]}
    pq.write_table(pa.table(words), made, compression="zstd", write_statistics=False, dictionary_pagesize_limit=1 << 30)
    group = pq.read_metadata(made).row_group(0)
    stated = [group.total_byte_size, *(group.column(place).total_uncompressed_size for place in range(2))]
    forged = made.getvalue()
    for size in stated:
        forged = forged.replace(_number(size), _number(1_000, len(_number(size))))
    assert pq.read_metadata(io.BytesIO(forged)).row_group(0).column(0).total_uncompressed_size == 1_000
    with pytest.raises(UnreadableFile, match="unpacks to more than 16,777,216 bytes"):
        read_content(forged, "m", bounds=OF_A_CALL)


def _number(value: int, length: int = 0) -> bytes:
    """A whole number as a footer writes it, in more bytes than it needs where another one stood."""
    rest, written = value << 1, bytearray()
    while rest > 0x7F or len(written) + 1 < length:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*written, rest])


def test_damaged_files_are_refused_and_end_no_process() -> None:
    """Some of these took the memory that they state, or the process, of the libraries that were asked first."""
    rng, whole, refused = random.Random(7), parquet(50), 0
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(4, len(content) - 8)] = rng.randrange(256)
        with contextlib.suppress(UnreadableFile):
            read_content(bytes(content), "m", bounds=OF_A_CALL)
            refused -= 1
        refused += 1
    assert refused > 100


def test_a_column_of_lists_is_refused() -> None:
    made = io.BytesIO()
    pq.write_table(pa.table({"consignment_id": [["a"]]}), made)
    with pytest.raises(UnreadableFile, match="one value in a cell"):
        read_content(made.getvalue(), "m")


def test_a_header_that_never_ends_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="a header of more than"):
        read_content(b"consignment_id," + b"x" * 1_000_000, "m")


def test_a_small_file_of_many_rows_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command reads files of any length in the memory of one part."""
    monkeypatch.setattr(parts, "BATCH", 400)
    (tmp_path / "day.parquet").write_bytes(parquet(1_000))
    read = list(read_parts(tmp_path / "day.parquet"))
    assert [raw.rows.height for raw in read] == [400, 400, 200]
    assert pl.concat(raw.rows for raw in read)["line"].to_list() == list(range(2, 1_002))


def test_json_says_everything_once_in_utf_8_and_names_what_is_known() -> None:
    for content, why in (
        (b'{"a": 1, "a": 2}', "the same key twice"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b'{"a": NaN}', "not valid"),
        (json.dumps({str(n): 1 for n in range(NAMES + 1)}).encode(), f"more than {NAMES:,} names"),
        (json.dumps([{"x": n, "a": n} for n in range(STRANGERS + 1)]).encode(), f"more than {STRANGERS} names"),
        (b"[" * 200, "deep"),
    ):
        with pytest.raises(UnreadableFile, match=why):
            read_json(content, "m", OF_A_CALL, known={"a"})
    assert read_json(b'\xef\xbb\xbf{"a": 1.50, "x": "a, [b] {c}"}', "m", bounds(signs=3), known={"a"}) == {
        "a": "1.50",
        "x": "a, [b] {c}",
    }


def test_a_string_that_never_closes_is_looked_at_once() -> None:
    with pytest.raises(UnreadableFile, match="not valid JSON"):
        read_json(b'{"a": "' + b'\\"' * 2_000_000, "m", OF_A_CALL)  # an hour, if each quote began a string anew


def test_files_of_json_say_everything_once_too(tmp_path: Path) -> None:
    result = {"consignment_id": "C1", "known_at": "2026-03-01T08:15:00Z", "result": "compliant"}
    once = json.dumps(result)
    (tmp_path / "r.jsonl").write_text(f'{once}\n{once[:-1]}, "result": "non_compliant"}}\n', encoding="utf-8")
    raw = read_outcomes(tmp_path / "r.jsonl")
    assert (raw.rows.height, raw.broken["line"].to_list()) == (1, [2])
    twice = b'{"type": "bundle", "objects": [{"id": "a", "id": "b", "type": "identity", "name": "Sun"}]}'
    with pytest.raises(Unreadable, match="the same key twice"):
        read_list(twice, "list")
    lines = (
        b'{"id": "a", "schema": "Person", "properties": {"name": ["Sun"]}}\n{"id": "b", "id": "c", "properties": {}}'
    )
    assert [problem["line"] for problem in read_list(lines, "list").problems] == [2]
