"""Workbooks: the sheet that is meant, cells as text, rows by their numbers, and hostile ones within limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from features import numerals
from features.contract import gate_manifest
from features.messages import workbook_reader
from features.messages.bounds import OF_A_CALL, OF_A_FILE
from features.messages.formats import read_content, read_file
from features.messages.mapping import UNMAPPED
from features.messages.outcome_files import read_outcomes
from features.messages.parts import read_parts
from features.messages.raw import UnreadableFile
from features.messages.workbook import is_workbook, sheet_as_csv
from tests.features.messages.file_kinds import archive_of
from tests.features.messages.workbooks import Cell, Dated, compound, ods, packed, xls, xlsx

HEADER: list[Cell] = [
    "Consignment ID", "Stream", "Lodged at", "Description", "HS code", "Consignor phone", "Value", "Currency",
]  # fmt: skip
LODGED = "2026-03-02T08:00:00Z"
ROW: list[Cell] = ["C1", "express", LODGED, "café, belt", 640411.0, 8613800138000.0, 12.5, "EUR"]
MAKERS = {"xlsx": xlsx, "ods": ods, "xls": xls}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_workbook_is_a_table_whose_whole_numbers_are_their_digits(kind: str, tmp_path: Path) -> None:
    (tmp_path / "day").write_bytes(MAKERS[kind]([HEADER, ROW, ["C2", *ROW[1:]]]))
    [raw] = read_parts(tmp_path / "day")
    accepted = gate_manifest(UNMAPPED.to_manifest(raw.rows), "day").accepted
    assert accepted.select("line", "consignment_id", "description", "hs_code", "consignor_phone", "value").rows() == [
        (2, "C1", "café, belt", "640411", "8613800138000", 12.5),
        (3, "C2", "café, belt", "640411", "8613800138000", 12.5),
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (9506000134352.0, "9506000134352"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (8.6138001380001e16, "86138001380001000"),
        (9007199254740993.0, numerals.LOST_DIGITS),  # sixteen digits and more than a number keeps
        (8.613800138000123e17, numerals.LOST_DIGITS),
        (True, "true"),
        (Dated(46083.0), "2026-03-02"),
        (Dated(46083.3333333), "2026-03-02T08:00:00"),
        ("00123", "00123"),
        ("=1+1", "=1+1"),
    ],
)
def test_a_cell_is_text(cell: Cell, text: str) -> None:
    sheet = sheet_as_csv(xlsx([["a", "b"], [cell, "x"]]), "day", "", OF_A_FILE)
    assert sheet.decode().splitlines()[1] == f"{text},x"


def test_a_midnight_among_times_of_day_is_one_too() -> None:
    sheet = sheet_as_csv(xlsx([["a"], [Dated(46083.0)], [Dated(46083.5)]]), "day", "", OF_A_FILE)
    assert sheet.split() == [b"a", b"2026-03-02T00:00:00", b"2026-03-02T12:00:00"]


def test_the_reader_beside_the_product_counts_digits_as_the_product_does() -> None:
    for name in ("EXACT", "DIGITS", "LOST_DIGITS"):
        assert getattr(workbook_reader, name) == getattr(numerals, name)


def test_a_number_that_lost_its_digits_is_told_where_text_is_wanted() -> None:
    raw = read_content(xlsx([HEADER, [*ROW[:5], 8.613800138000123e17, *ROW[6:]]]), "day")
    refused = gate_manifest(UNMAPPED.to_manifest(raw.rows), "day").refused
    assert refused.select("line", "field", "reason").rows() == [
        (2, "consignor_phone", "a number whose last digits are lost")
    ]


def test_a_date_of_a_workbook_states_no_zone_until_somebody_says_it() -> None:
    content = xlsx([HEADER, [*ROW[:2], Dated(46083.333333333336), *ROW[3:]]])
    rows = read_content(content, "day").rows
    assert gate_manifest(UNMAPPED.to_manifest(rows), "day").refused["reason"].to_list() == ["time without a zone"]
    paris = replace(UNMAPPED, zone="Europe/Paris")
    assert gate_manifest(paris.to_manifest(rows), "day").accepted["lodged_at"][0].hour == 7


def test_rows_keep_their_numbers_and_empty_ones_and_columns_are_passed_over() -> None:
    rows: list[list[Cell]] = [[None, *HEADER, None], [], [None, *ROW, None], [None, "C2", *ROW[1:], None]]
    raw = read_content(xlsx(rows, before=3), "day")
    assert raw.rows["line"].to_list() == [6, 7]
    assert raw.rows.width == len(HEADER) + 1


def test_the_first_sheet_that_is_shown_is_read_and_another_where_it_is_named() -> None:
    content = xlsx([HEADER, ROW], names=("codes", "day"), hidden=1)
    assert read_content(content, "day").rows.height == 1
    content = xlsx([HEADER, ROW], names=("Deckblatt", "été"))
    with pytest.raises(UnreadableFile, match="without a cell; name another sheet"):
        read_content(content, "day")
    assert read_content(content, "day", replace(UNMAPPED, sheet="été")).rows.height == 1
    with pytest.raises(UnreadableFile, match="has no such sheet"):
        read_content(content, "day", replace(UNMAPPED, sheet="Secret name"))


def test_results_are_read_from_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "r.xlsx").write_bytes(xlsx([["Consignment ID", "Known at", "Result"], ["C1", LODGED, "compliant"]]))
    raw = read_outcomes(tmp_path / "r.xlsx")
    assert UNMAPPED.to_outcomes(raw.rows).select("consignment_id", "result").rows() == [("C1", "compliant")]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a cell in the last place": lambda: xlsx([HEADER], end='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    "a sheet that is not there": lambda: packed(
        {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook><sheets/></workbook>"}
    ),
    "no XML": lambda: packed({"[Content_Types].xml": "x", "xl/workbook.xml": "x"}),
    "cut": lambda: xlsx([HEADER, ROW])[:-200],
    "records of another kind": lambda: compound("Workbook", b"\x09\x08\xff\xff" + b"\xff" * 5_000),
    "a password": lambda: compound("EncryptedPackage", b"\0" * 5_000),
    "columns without end": lambda: ods([[f"c{n}" for n in range(20_000)], ["1"] * 20_000]),
    "an empty one": lambda: xlsx([]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_read_is_refused_in_words_and_ends_nobody(kind: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UnreadableFile) as refused:
        read_content(HOSTILE[kind](), "day")
    assert str(refused.value).startswith("day: ")
    assert "\n" not in str(refused.value)
    assert time.perf_counter() - started < 20


def test_a_call_takes_no_workbook() -> None:
    with pytest.raises(UnreadableFile, match=r"which a call does not take; .*`tamis ingest`"):
        read_content(xlsx([HEADER, ROW]), "message", bounds=OF_A_CALL)


@pytest.mark.parametrize(
    "content",
    [
        archive_of("day.csv"),
        archive_of("word/document.xml", "[Content_Types].xml"),
        compound("WordDocument", b"\0" * 5_000),
        b"PK\x03\x04 and no archive",
        b"Workbook,Book\nxl/workbook.xml,2\n",
    ],
)
def test_what_is_no_workbook_is_not_taken_for_one(content: bytes) -> None:
    assert not is_workbook(content)


def test_a_large_workbook_is_read_whole(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [[f"C{n}", *ROW[1:]] for n in range(3_000)]
    (tmp_path / "day.xlsx").write_bytes(xlsx([HEADER, *rows]))
    [raw] = read_parts(tmp_path / "day.xlsx", size=1_000)
    assert raw.rows.height == 3_000
    assert read_file(tmp_path / "day.xlsx").rows.equals(raw.rows)
