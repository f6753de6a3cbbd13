"""Every kind in the list of kinds is told by its name, and no table is taken for one."""

from __future__ import annotations

import json
import time

import pytest

from features.messages.file_kinds import Kind, foreign_kind, kinds
from features.messages.formats import read_content
from features.messages.mapping import UNMAPPED
from features.messages.outcome_files import read_any_outcomes
from features.messages.raw import UnreadableFile
from tests.features.messages.file_kinds import archive_of
from tests.features.messages.workbooks import compound

LINES = {  # by how the pattern of the kind begins
    "^(UNA": [b"UNB+UNOC:3+CNPVGA+FRCDGA'\n", b"UNA:+.? 'UNB+UNOC:3'\r\n"],
    "^ISA": [b"ISA*00*          *00*\n"],
    "^FWB": [b"FWB/16\r\n888-11111111PVGCDG\r\n"],
    "^FFM": [b"FFM/8\n1/AF111/02MAR/PVG\n"],
    "^(FSU": [b"FSU/15\n", b"FNA/1\n"],
    "^[A-Z]{3}": [b"XYZ/1\n"],
    "^(Q[A-Z]": [b"QK PVGFMXH\n", b"\x01QU CDGFMAF\n"],
    "^(From ": [b"From a@b.example Mon\n", b"Received: from x\n", b"X-Mailer: y\n"],
    "^(#!": [b"#!/bin/sh\n", b"import os\n", b"from os import path\n"],
    "^WARC": [b"WARC/1.0\r\n"],
}


def instances(by: str, kind: Kind) -> list[bytes]:
    """Files of a kind, as small as they can be."""
    if by == "magic":
        return [(b"\0" * kind.get("at", 0) + bytes.fromhex(kind["bytes"])).ljust(600, b"\0")]
    if by == "zip":
        return [archive_of(kind["name"] + ("document.xml" if kind["name"].endswith("/") else ""))]
    if by == "ole":
        return [compound(kind["stream"], b"\0" * 4096)]
    if by == "xml":
        return [f'<?xml version="1.0"?>\n<n:{root} xmlns:n="x"/>'.encode() for root in kind["root"]]
    if by == "json":
        return [json.dumps(dict.fromkeys(kind["keys"], "x")).encode()]
    return next(lines for begins, lines in LINES.items() if kind["like"].startswith(begins))


ALL = [(by, kind) for by, listed in kinds().items() for kind in listed]


@pytest.mark.parametrize(("by", "kind"), ALL, ids=lambda one: one if isinstance(one, str) else one["is"][:40])
def test_a_file_of_another_kind_is_told_by_its_name_and_what_to_send(by: str, kind: Kind) -> None:
    for content in instances(by, kind):
        with pytest.raises(UnreadableFile) as refused:
            read_content(content, "day")
        told = str(refused.value)
        assert told.startswith("day: "), told
        assert f"send {kind['send']}" in told or "; send" in told
        assert "\n" not in told


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>",
        b"<!doctype HTML PUBLIC 'x'><p>",
        b"\xef\xbb\xbf\n <HTML><head>",
        b"<html>",
        b"<body>error",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
    ],
)
def test_an_error_page_is_told_as_one(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="day: a page of the web, perhaps an error page"):
        read_content(content, "day")
    with pytest.raises(UnreadableFile, match="page of the web"):
        read_any_outcomes(content, "day", UNMAPPED)


@pytest.mark.parametrize(
    "header",
    [
        b"FEATURE,value\n", b"MZ,value\n", b"BZh,x\n", b"GIF8,x\n", b"ORC,x\n", b"PDF,x\n", b"FWB/16,x\n",
        b"import,export\n", b"from country,to country\n",
        b"From,To\n", b"QU,x\n", b"Received,x\n", b"UNB,x\n", b"ISAAC,x\n", b"Rar!,x\n",
        b"class,name\n", b"X-,y\n", b"consignment_id,stream\n", b"Obj,x\n", b"WARC,x\n", b"ustar\n",
    ],
)  # fmt: skip
def test_a_table_is_not_taken_for_another_kind_by_its_first_column(header: bytes) -> None:
    assert foreign_kind(header + b"1,2\n") is None


@pytest.mark.parametrize(
    "sign", [b"<", b"{", b'{"', b"<a ", b"A", b"\n", b"Received", b'"@context', b"PK\x03\x04", b"from "]
)
def test_a_long_file_is_told_in_linear_time(sign: bytes) -> None:
    started = time.perf_counter()
    foreign_kind(sign * (2_000_000 // len(sign)))
    assert time.perf_counter() - started < 2
