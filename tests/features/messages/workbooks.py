"""Workbooks as small as they can be, written by hand: .xlsx, .ods and .xls, whole and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OOXML = "http://schemas.openxmlformats.org"
MAIN, RELATIONS = f"{OOXML}/spreadsheetml/2006/main", f"{OOXML}/officeDocument/2006/relationships"
PACKAGE = f"{OOXML}/package/2006"
STYLES = f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>'
MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
HIDDEN = " state='hidden'"
DATE = 1  # the style of a date and time of day


class Dated(float):
    """A serial number that a cell shows as a date."""


Cell = str | float | bool | Dated | None


def packed(files: dict[str, str]) -> bytes:
    """A zip archive of some texts, the first one not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for place, (name, text) in enumerate(files.items()):
            archive.writestr(name, text, zipfile.ZIP_DEFLATED if place else zipfile.ZIP_STORED)
    return out.getvalue()


def _column(number: int) -> str:
    name = ""
    while number >= 0:
        name, number = chr(65 + number % 26) + name, number // 26 - 1
    return name


def _xlsx_cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    style = f' s="{DATE}"' if isinstance(cell, Dated) else ""
    return f'<c r="{place}"{style}><v>{float(cell)!r}</v></c>'


def xlsx(
    rows: Sequence[Sequence[Cell]],
    *,
    before: int = 0,
    names: Sequence[str] = ("Sheet1",),
    hidden: int = 0,
    end: str = "",
) -> bytes:
    """A workbook of which the last sheet has these rows, after so many empty ones, and the others are empty.

    hidden: so many sheets at the beginning are not shown. end: XML of further rows.
    """
    body = "".join(
        f'<row r="{number}">{"".join(_xlsx_cell(f"{_column(at)}{number}", cell) for at, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=before + 1)
    )
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"{HIDDEN if at <= hidden else ""}/>'
        for at, name in enumerate(names, start=1)
    )
    relations = "".join(
        f'<Relationship Id="rId{at}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(names) + 1)
    )
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{relations}'
            f'<Relationship Id="rId99" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": STYLES,
            **{
                f"xl/worksheets/sheet{at}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>'
                f"{body + end if at == len(names) else ''}</sheetData></worksheet>"
                for at in range(1, len(names) + 1)
            },
        }
    )


def ods(rows: Sequence[Sequence[Cell]]) -> bytes:
    """An OpenDocument spreadsheet of one sheet."""
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    table = f'<table:table table:name="S">{body}</table:table>'
    content = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f"<office:document-content {spaces}>{content}</office:document-content>",
            "META-INF/manifest.xml": MANIFEST,
        }
    )


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    number = f'office:value-type="float" office:value="{float(cell)!r}"'
    return f"<table:table-cell {number}><text:p>x</text:p></table:table-cell>"


def xls(rows: Sequence[Sequence[Cell]]) -> bytes:
    """A workbook of 1997: one stream of records in a compound file."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for at, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HHHHB", at, place, 0, len(cell), 1) + cell.encode("utf-16-le")
                sheet += _record(0x0204, text)
            elif cell is not None:
                sheet += _record(0x0203, struct.pack("<HHHd", at, place, 0, float(cell)))
    sheet += _record(0x000A, b"")
    book = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    bound = struct.pack("<IBBBB", 0, 0, 0, 1, 0) + b"S"
    begins = len(book) + len(_record(0x0085, bound)) + len(_record(0x000A, b""))
    bound = struct.pack("<IBBBB", begins, 0, 0, 1, 0) + b"S"
    return compound("Workbook", book + _record(0x0085, bound) + _record(0x000A, b"") + sheet)


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def compound(stream: str, content: bytes) -> bytes:
    """A compound file of Microsoft with one stream, of as many sectors as it takes (126 at the most)."""
    content = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
    sectors = len(content) // 512
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    allocation = struct.pack("<128I", *fat, *[0xFFFFFFFF] * (128 - len(fat)))
    header = OLE + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    directory = _entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + _entry(stream, 2, 0xFFFFFFFF, 2, len(content))
    return header + allocation + directory.ljust(512, b"\0") + content


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    title = name.encode("utf-16-le")
    return (
        title.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(title) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )
