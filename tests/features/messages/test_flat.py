"""Flat files: what spreadsheets and other systems write, record by record, and the files that are none."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.messages.flat import read_csv, read_flat, read_parquet
from features.messages.raw import Raw, UnreadableFile
from tests.features.conftest import csv_of, frame_of, parquet_of, row


def cells(raw: Raw) -> list[tuple[object, ...]]:
    """Rows as (line, other cells …)."""
    return raw.rows.select("line", pl.exclude("line")).rows()


def broken(raw: Raw) -> list[tuple[object, ...]]:
    return raw.broken.select("line", "reason").rows()


def test_every_column_is_text_and_the_header_is_line_one() -> None:
    raw = read_csv(b"a,b\n1,2.50\ntrue,2026-03-01\n", "f.csv")
    assert cells(raw) == [(2, "1", "2.50"), (3, "true", "2026-03-01")]
    assert raw.received == 2


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert read_csv(b"\xef\xbb\xbfa,b\n1,2\n", "f.csv").rows.columns == ["a", "b", "line"]
    assert read_csv(b'\xef\xbb\xbf"a",b\n1,2\n', "f.csv").rows.columns == ["a", "b", "line"]


def test_windows_line_ends_are_line_ends() -> None:
    assert cells(read_csv(b"a,b\r\n1,2\r\n3,4\r\n", "f.csv")) == [(2, "1", "2"), (3, "3", "4")]


def test_the_last_line_needs_no_line_end() -> None:
    assert cells(read_csv(b"a,b\n1,2", "f.csv")) == [(2, "1", "2")]


def test_empty_cells_are_unknown() -> None:
    assert cells(read_csv(b'a,b\n"",2\n,\n', "f.csv")) == [(2, None, "2"), (3, None, None)]


def test_quoted_separators_quotes_and_newlines_belong_to_the_cell() -> None:
    raw = read_csv(b'a,b\n"x,y","say ""no"""\n"one\ntwo",2\n3,4\n', "f.csv")
    assert cells(raw) == [(2, "x,y", 'say "no"'), (3, "one\ntwo", "2"), (4, "3", "4")]


def test_ragged_records_are_set_apart_with_their_line() -> None:
    raw = read_csv(b'a,b\n1,"two\nlines"\n3\n4,5\n6,7,8\n9,10\n', "f.csv")
    assert cells(raw) == [(2, "1", "two\nlines"), (4, "4", "5"), (6, "9", "10")]
    assert broken(raw) == [(3, "1 fields where the header has 2"), (5, "3 fields where the header has 2")]
    assert raw.broken["row_as_received"].to_list() == ["3", "6,7,8"]
    assert raw.received == 5


def test_ragged_records_keep_their_line_beyond_the_first_block() -> None:
    many = 120_000
    raw = read_csv(b"a,b\n" + b"1,2222222222\n" * many + b"3\n4,5\n", "f.csv")
    assert broken(raw) == [(many + 2, "1 fields where the header has 2")]
    assert cells(raw)[-1] == (many + 3, "4", "5")


def test_blank_lines_count() -> None:
    assert cells(read_csv(b"a,b\n1,2\n\n3,4\n", "f.csv")) == [(2, "1", "2"), (4, "3", "4")]


def test_a_blank_line_before_the_header_is_no_header() -> None:
    assert [record[1:] for record in cells(read_csv(b"\na,b\n1,2\n", "f.csv"))] == [("1", "2")]


def test_semicolons_are_separators_where_asked() -> None:
    content = csv_of(row(description="belt, leather"), separator=";")
    raw = read_csv(content, "f.csv", separator=";")
    assert raw.rows["description"].to_list() == ["belt, leather"]
    assert read_csv(b"a;b\n1;2\n", "f.csv").rows.columns == ["a;b", "line"]


def test_an_unclosed_quote_is_told_with_the_line_where_it_opens() -> None:
    raw = read_csv(b'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n', "f.csv")
    assert cells(raw) == [(2, "1", "2", "3")]
    assert broken(raw) == [(3, "an opened quote is never closed")]


def test_an_unclosed_quote_in_the_last_column_is_told_too() -> None:
    raw = read_csv(b'a,b\n1,2\n3,"4\n5,6\n7,8\n', "f.csv")
    assert broken(raw) == [(3, "an opened quote is never closed")]


def test_one_enormous_cell_costs_one_row() -> None:
    raw = read_csv(b'a,b\n1,2\n3,"' + b"x" * 3_000_000 + b'"\n5,6\n', "f.csv")
    assert raw.received == 3


def test_an_unclosed_quote_in_a_large_file_is_not_blamed_on_the_header() -> None:
    raw = read_csv(b'a,b,c\n1,"2,3\n' + b"1,2,3\n" * 500_000, "f.csv")
    assert broken(raw) == [(2, "an opened quote is never closed")]


def test_bytes_that_are_not_utf8_cost_their_row_alone() -> None:
    raw = read_csv(b"a,b\n1,2\n3,caf\xe9\n5,6\n7\n", "f.csv")
    assert cells(raw) == [(2, "1", "2"), (4, "5", "6")]
    assert broken(raw) == [(3, "not UTF-8"), (5, "1 fields where the header has 2")]


def test_a_header_alone_is_no_row() -> None:
    raw = read_csv(b"a,b\n", "f.csv")
    assert (raw.received, raw.rows.columns) == (0, ["a", "b", "line"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"a,b,a\n1,2,3\n", "twice"),
        (b"a,,c\n1,2,3\n", "without a name"),
        (b" a,a \n1,2\n", "twice"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-be"), "UTF-8"),
        (b"a,b\n1,\x002\n", "UTF-8"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "UTF-8"),
    ],
)
def test_what_is_no_csv_is_refused_in_one_line(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why) as refused:
        read_csv(content, "day.csv")
    assert str(refused.value).startswith("day.csv: ")
    assert "\n" not in str(refused.value)


def test_nul_far_into_a_file_reaches_the_gate_as_it_is() -> None:
    raw = read_csv(b"a,b\n" + b"1,2\n" * 1500 + b"3,\x004\n", "f.csv")
    assert cells(raw)[-1] == (1502, "3", "\x004")


def test_a_foreign_column_called_line_does_not_number_the_rows() -> None:
    assert cells(read_csv(b"line,b\n9,2\n", "f.csv")) == [(2, "9", "2")]
    raw = read_parquet(parquet_of(pl.DataFrame({"line": [9], "b": [2]})), "f.parquet")
    assert raw.rows.rows(named=True) == [{"line": 2, "line_in_file": 9, "b": 2}]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_foreign_columns_line_and_line_in_file_are_both_kept(kind: str) -> None:
    if kind == "csv":
        assert read_csv(b"line,line_in_file\n9,8\n", "f.csv").received == 1
    else:
        frame = pl.DataFrame({"line": [9], "line_in_file": [8]})
        assert read_parquet(parquet_of(frame), "f.parquet").received == 1


# ---- files and Parquet


def test_the_format_is_told_from_the_content(tmp_path: Path) -> None:
    (tmp_path / "day.txt").write_bytes(parquet_of(frame_of(row()).drop("line")))
    (tmp_path / "day.parquet").write_bytes(csv_of(row()))
    one, other = read_flat(tmp_path / "day.txt").rows, read_flat(tmp_path / "day.parquet").rows
    assert one.select(sorted(one.columns)).equals(other.select(sorted(other.columns)))


def test_parquet_columns_keep_their_types_and_rows_their_lines() -> None:
    raw = read_parquet(parquet_of(pl.DataFrame({"a": [1, None], "b": [1.5, 2.5]})), "f.parquet")
    assert cells(raw) == [(2, 1, 1.5), (3, None, 2.5)]
    assert raw.rows.schema["a"] == pl.Int64


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        read_flat(tmp_path / "none.csv")


def test_a_truncated_parquet_file_is_a_fault() -> None:
    content = parquet_of(frame_of(row()))
    for length in (4, 12, len(content) // 2, len(content) - 1):
        with pytest.raises(UnreadableFile, match="write it again"):
            read_parquet(content[:length], "f.parquet")


def test_a_damaged_parquet_file_never_raises_what_except_exception_misses() -> None:
    content = parquet_of(pl.DataFrame({"consignment_id": ["C1", "C2"], "value": [1.5, None]}))
    for place in range(4, len(content)):
        damaged = content[:place] + b"\xff" + content[place + 1 :]
        try:
            read_parquet(damaged, "f.parquet")
        except UnreadableFile:
            continue


LINES = st.lists(
    st.sampled_from([b"1,2", b"1", b'"', b'"a"', b"\xff", b"\x00", b"", b",", b"1,2,3", b'1,"2', b"\r", b"a" * 50]),
    max_size=8,
).map(b"\n".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=60), LINES, LINES.map(lambda text: b"a,b\n" + text)))
def test_any_bytes_are_rows_broken_records_or_an_unreadable_file(content: bytes) -> None:
    try:
        raw = read_csv(content, "f.csv")
    except UnreadableFile:
        return
    lines = [*raw.rows["line"], *raw.broken["line"]]
    assert len(set(lines)) == raw.received
    assert all(line >= 2 for line in lines)


@pytest.mark.parametrize("name", ["*", "^.*$", "^a", "a$", "^\n$"])
@pytest.mark.parametrize("rest", [b"\x80", b"x", b"x,y"])
def test_a_column_named_like_a_pattern_is_a_column(name: str, rest: bytes) -> None:
    raw = read_csv(f'"{name}",consignment_id\n'.encode() + rest + b"\n1,2\n", "f.csv")
    assert len(raw.rows.columns) == 3
    assert raw.rows.height + raw.broken.height == 2
    assert raw.rows["consignment_id"].to_list()[-1] == "2"
    shown = io.BytesIO()
    pl.DataFrame({name: ["1"], "consignment_id": ["2"]}).write_parquet(shown)
    assert read_parquet(shown.getvalue(), "f.parquet").rows["consignment_id"].to_list() == ["2"]
