"""Encodings: read by their mark or as stated, told by a likeness and never read by it; damage costs its row alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from features.contract import gate_manifest
from features.messages.encodings import likely
from features.messages.flat import NOT_UTF8
from features.messages.formats import read_content
from features.messages.mapping import UNMAPPED
from features.messages.parts import read_parts
from features.messages.plain_table import plain_table
from features.messages.raw import UnreadableFile
from tests.features.conftest import csv_of, row

TEXTS = {
    "cp1252": "Société Générale, chaussures d'été",
    "cp1250": "Łódź, żółte buty skórzane",
    "cp1251": "Кожаный ремень",
    "cp1253": "Δερμάτινη ζώνη",
    "cp1254": "Işık Tekstil Sanayi, şapka",
    "gb18030": "皮革腰带,深圳市福田区人民路1号",
    "cp950": "皮革腰帶，台北市信義區",
    "cp932": "革のベルト、東京都渋谷区",
    "cp949": "가죽 벨트 서울특별시 강남구",
}
CODECS = {"UTF-8": "utf-8", "UTF-16 of Windows": "utf-16-le", "UTF-16 of networks": "utf-16-be",
          "UTF-32 of Windows": "utf-32-le", "UTF-32 of networks": "utf-32-be"}  # fmt: skip


def day(description: str, rows: int = 1, separator: str = ",") -> str:
    return csv_of(
        *(row(consignment_id=f"C{n}", description=description) for n in range(rows)), separator=separator
    ).decode()


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize(("rows", "size"), [(1, 1 << 24), (60, 2_000)])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_mark_says_how_a_table_is_encoded(kind: str, rows: int, size: int, separator: str, tmp_path: Path) -> None:
    text = day("皮革腰带 café", rows, separator)
    (tmp_path / "day.csv").write_bytes(("\ufeff" + text).encode(CODECS[kind]))
    parts = list(read_parts(tmp_path / "day.csv", size=size))
    assert len(parts) > 1 or rows == 1
    told = [one for part in parts for one in part.rows["description"]]
    assert told == ["皮革腰带 café"] * rows
    assert parts[0].rows.columns[0] == "message_id"


@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_without_a_mark_is_told_and_read_where_it_is_stated(encoding: str) -> None:
    content = day(TEXTS[encoding]).encode(encoding)
    assert likely(content) == encoding
    raw = read_content(content, "day")
    [(reason, remedy)] = raw.broken.select("reason", "remedy").rows()
    assert reason == NOT_UTF8
    assert f"--encoding {encoding}" in remedy
    assert remedy.endswith(f"it seems to be {encoding}")
    stated = read_content(content, "day", replace(UNMAPPED, encoding=encoding))
    assert gate_manifest(stated.rows, "day").accepted["description"].to_list() == [TEXTS[encoding]]
    with pytest.raises(UnreadableFile, match=f"--encoding {encoding}"):
        plain_table(content, "the table")
    assert TEXTS[encoding] in plain_table(content, "the table", encoding=encoding).text


def test_a_stated_encoding_that_is_wrong_is_told() -> None:
    with pytest.raises(UnreadableFile, match=r"not written in ascii \(it seems to be cp1252\)"):
        read_content(day("café été").encode("cp1252"), "day", replace(UNMAPPED, encoding="ascii"))


@pytest.mark.parametrize(("encoding", "words"), [("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")])
def test_utf_16_without_a_mark_is_told_for_the_file(encoding: str, words: str) -> None:
    content = day("belt").encode(encoding)
    with pytest.raises(UnreadableFile, match=f"seems to be {words}"):
        read_content(content, "day")
    assert read_content(content, "day", replace(UNMAPPED, encoding=encoding)).rows.height == 1


def test_a_header_in_another_encoding_is_told_for_the_file() -> None:
    content = "numéro;catégorie;déposé\n1;2;3\n".encode("cp1252")
    with pytest.raises(UnreadableFile, match=r"its header is not UTF-8 \(it seems to be cp1252\).*--encoding cp1252"):
        read_content(content, "day")


@pytest.mark.parametrize("rows", [5, 500])
def test_a_damaged_byte_costs_its_row_alone(rows: int, tmp_path: Path) -> None:
    content = day("皮革 belt", rows).encode()
    (tmp_path / "day.csv").write_bytes(content.replace(b"C3,", b"C3\xff,", 1))
    parts = list(read_parts(tmp_path / "day.csv", size=20_000))
    assert sum(part.rows.height for part in parts) == rows - 1
    assert [line for part in parts for line in part.broken["line"]] == [5]


def test_bytes_of_no_encoding_are_not_called_one() -> None:
    assert likely(b"") == likely(b"plain ASCII") == likely(b"\x00\x01\x02" * 50) == ""
