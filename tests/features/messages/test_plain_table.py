"""The smaller tables, of applications and serial numbers, in every dialect that manifests are read in."""

from __future__ import annotations

import codecs
from datetime import date

import pytest

from features.fault import Fault
from pipelines.commands.application_commands import read_table
from service.parties.registered_serials import serials_in
from tests.features.messages.workbooks import ods, xls, xlsx

HEADER, ROW = ["Right holder", "Words", "HS", "Until"], ["Lune & Fils", "lune|été", "64", "2027-03-01"]
LUNE = {"right_holder": "Lune & Fils", "words": ["lune", "été"], "hs": ["64"], "until": date(2027, 3, 1)}


def text(separator: str) -> str:
    return "".join(separator.join(cells) + "\r\n" for cells in (HEADER, ROW))


DIALECTS: dict[str, bytes] = {
    "commas": text(",").encode(),
    "semicolons": text(";").encode(),
    "tabs": text("\t").encode(),
    "a line of Excel": b"sep=;\r\n" + text(";").encode(),
    "a mark": codecs.BOM_UTF8 + text(";").encode(),
    "UTF-16": codecs.BOM_UTF16_LE + text("\t").encode("utf-16-le"),
    "xlsx": xlsx([HEADER, ROW]),
    "ods": ods([HEADER, ROW]),
    "xls": xls([HEADER, ROW]),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_applications_are_read_in_every_dialect(dialect: str) -> None:
    assert list(read_table(DIALECTS[dialect])) == [LUNE]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("names", [("gtin", "serial"), ("GTIN", "Serial"), (" gtin ", "SERIAL")])
def test_serial_numbers_are_read_in_every_dialect(separator: str, names: tuple[str, str]) -> None:
    content = f"{separator.join(names)}\n9506000134352{separator}A1\n".encode()
    assert serials_in(content)["piece"].null_count() == 0


def test_numbers_of_a_workbook_are_digits() -> None:
    content = xlsx([["gtin", "serial"], [9506000134352.0, 1234.0]])
    assert serials_in(content).equals(serials_in(b"gtin,serial\n9506000134352,1234\n"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (text(";").encode("cp1252"), "not UTF-8; save the file as UTF-8, or state its encoding"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<html></html>", "a page of the web"),
        (b"", "empty"),
        (b"a,b\n1,2\n", "needs right_holder"),
        (xlsx([["a"]], names=("x", "y")), "without a cell"),
    ],
)
def test_what_is_no_such_table_is_told(content: bytes, words: str) -> None:
    with pytest.raises(Fault, match=words):
        list(read_table(content))


def test_an_encoding_that_is_stated_is_read() -> None:
    assert list(read_table(text(";").encode("cp1252"), "cp1252")) == [LUNE]
