"""A large file in parts is the same file: every record once, with its number, whatever its quotes."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.messages.flat import read_csv
from features.messages.parts import read_parts
from features.messages.raw import UnreadableFile

CELL = st.text("ab\",\n é'", max_size=8)
PART = 1_500  # bytes


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def whole(path: Path, size: int = PART) -> tuple[pl.DataFrame, list[tuple[int, str]], int]:
    """All parts of a file: its rows, what is broken, and how many parts there were."""
    parts = list(read_parts(path, size=size))
    rows = pl.concat([part.rows for part in parts], how="diagonal_relaxed")
    broken = [(line, reason) for part in parts for line, reason in part.broken.select("line", "reason").rows()]
    return rows, broken, len(parts)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=300, max_size=400), st.sampled_from(["\n", "\r\n"]))
@pytest.mark.slow
def test_records_of_all_parts_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], end: str
) -> None:
    text = (
        "a,b"
        + end
        + "".join(
            f"{quoted(a)},x{quoted(b) if not b else b.replace(chr(34), '').replace(',', '').replace(chr(10), '')}{end}"
            for a, b in cells
        )
    )
    path = tmp_path_factory.mktemp("parts") / "f.csv"
    path.write_bytes(text.encode())
    rows, broken, parts = whole(path, size=PART)
    at_once = read_csv(text.encode(), "f.csv")
    assert parts > 1
    assert rows.select("a", "b").equals(at_once.rows.select("a", "b"))
    assert rows["line"].to_list() == list(range(2, len(cells) + 2))
    assert broken == [] == at_once.broken.rows()


def records(number: int) -> list[str]:
    return [f"{n},{'x' * 20}" for n in range(number)]


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_broken_records_keep_their_numbers(tmp_path: Path, packing: str) -> None:
    lines = records(1_000)
    lines[3], lines[500], lines[999] = "1,2,3", "alone", "9,8,7"
    content = "\n".join(["\ufeffa,b", *lines]).encode().replace(b"700,x", b"700,\xff")
    packed = {"plain": content, "gzip": gzip.compress(content), "zstd": pa.compress(content, "zstd", asbytes=True)}
    (tmp_path / "f").write_bytes(packed[packing])
    rows, broken, parts = whole(tmp_path / "f", size=PART)
    assert parts > 1
    assert sorted(broken) == [
        (5, "3 fields where the header has 2"), (502, "1 fields where the header has 2"), (702, "not UTF-8"),
        (1001, "3 fields where the header has 2"),
    ]  # fmt: skip
    assert rows.columns == ["a", "b", "line"]
    assert rows["line"].to_list() == [n + 2 for n in range(1_000) if n not in (3, 500, 700, 999)]
    assert rows["a"].cast(pl.Int64).to_list() == [n for n in range(1_000) if n not in (3, 500, 700, 999)]


def test_a_quote_that_is_never_closed_is_told_and_what_is_before_it_is_read(tmp_path: Path) -> None:
    lines = records(2_000)
    lines[1_000] = '1000,"open'
    (tmp_path / "f.csv").write_text("\n".join(["a,b", *lines]))
    rows, broken, _ = whole(tmp_path / "f.csv", size=PART)
    told = rows["a"].cast(pl.Int64).to_list()
    assert told == list(range(len(told)))
    assert 900 < len(told) <= 1_000
    assert broken == [(len(told) + 2, "an opened quote is never closed")]


def test_a_quote_within_a_cell_opens_nothing(tmp_path: Path) -> None:
    lines = records(1_000)
    lines[100] = '100,5" pipe'
    (tmp_path / "f.csv").write_text("\n".join(["a,b", *lines]))
    rows, broken, _ = whole(tmp_path / "f.csv", size=PART)
    assert (rows.height, broken) == (1_000, [])


def test_a_large_parquet_file_comes_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.messages.parts.BATCH", 100)
    frame = pl.DataFrame({"a": range(1_000), "line": ["x"] * 1_000})
    frame.write_parquet(tmp_path / "f.parquet")
    rows, broken, parts = whole(tmp_path / "f.parquet", size=PART)
    assert (parts, broken, rows.columns) == (10, [], ["line", "a", "line_in_file"])
    assert rows["line"].to_list() == list(range(2, 1_002))


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"])
def test_a_damaged_file_is_refused(tmp_path: Path, magic: bytes) -> None:
    (tmp_path / "f").write_bytes(magic + b"nonsense" * 1_000)
    with pytest.raises(UnreadableFile, match=r"^f: "):
        whole(tmp_path / "f", size=PART)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        whole(tmp_path / "none.csv")
