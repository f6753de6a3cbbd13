"""A document as PDF by reportlab: headings, paragraphs and tables; the same content gives the same bytes.

Latin letters are set in Helvetica, which every reader has; Chinese, Cyrillic and Greek in the standard Chinese font of
PDF (STSong-Light). What neither has is written in Latin letters, in brackets; the data beside the document has it
exactly.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from anyascii import anyascii
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

LATIN, BOLD, EASTERN = "Helvetica", "Helvetica-Bold", "STSong-Light"
MARGIN = 16 * mm
LINE = colors.HexColor("#b8c2cb")
BODY = ParagraphStyle("body", fontName=LATIN, fontSize=9, leading=12, spaceAfter=2, splitLongWords=True)
CELL = ParagraphStyle("cell", BODY, fontSize=7.5, leading=9.5)
HEAD = ParagraphStyle("head", CELL, fontName=BOLD)
TITLE = ParagraphStyle("title", BODY, fontName=BOLD, fontSize=15, leading=19, spaceAfter=6)
HEADING = ParagraphStyle("heading", BODY, fontName=BOLD, fontSize=11, leading=14, spaceBefore=8, spaceAfter=3)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: a heading, lines of text, and a table whose columns have these shares of the width."""

    heading: str
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    shares: Sequence[float] = ()


def pdf_of(title: str, foot: str, sections: Sequence[Section]) -> bytes:
    """Set a document; foot stands under each page, with its number."""
    _fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN + 4 * mm,
        title=title, author="Tamis", subject=foot, invariant=1,
    )  # fmt: skip
    parts: list[Any] = [_paragraph(title, TITLE)]
    for section in sections:
        parts += [_paragraph(section.heading, HEADING), *(_paragraph(line, BODY) for line in section.lines)]
        if section.rows:
            parts += [_table(section, document.width), Spacer(1, 2 * mm)]

    def page(canvas: Any, of: Any) -> None:
        canvas.saveState()
        at = MARGIN
        for font, text in _runs(f"{foot} · {of.page}", LATIN):
            canvas.setFont(font, 7.5)
            canvas.drawString(at, MARGIN - 2 * mm, text)
            at += pdfmetrics.stringWidth(text, font, 7.5)
        canvas.restoreState()

    document.build(parts, onFirstPage=page, onLaterPages=page)
    return buffer.getvalue()


def _table(section: Section, width: float) -> Table:
    rows = [[_paragraph(name, HEAD) for name in section.columns]]
    rows += [[_paragraph(cell, CELL) for cell in row] for row in section.rows]
    whole = sum(section.shares) or len(section.columns)
    shares = section.shares or [1.0] * len(section.columns)
    table = Table(rows, colWidths=[width * share / whole for share in shares], repeatRows=1)
    table.setStyle(TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eef1f4")),
        *((edge, (0, 0), (-1, -1), 2.5) for edge in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")),
    ]))  # fmt: skip
    return table


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    marked = "".join(f'<font name="{font}">{escape(part)}</font>' for font, part in _runs(text, style.fontName))
    return Paragraph(marked.replace("\n", "<br/>"), style, encoding="utf-8")


def _runs(text: str, latin: str) -> Iterator[tuple[str, str]]:
    """Divide a text by the font that has its characters."""
    spelled = ((_font(sign), sign) for sign in text if sign == "\n" or sign.isprintable())
    for font, signs in groupby(spelled, key=lambda one: one[0]):
        part = "".join(sign for _, sign in signs)
        yield (latin, f"[{anyascii(part)}]") if font is None else (latin if font == LATIN else font, part)


def _font(sign: str) -> str | None:
    for font, encoding in ((LATIN, "cp1252"), (EASTERN, "gb2312")):
        try:
            sign.encode(encoding)
        except UnicodeEncodeError:
            continue
        return font
    return EASTERN if "\u4e00" <= sign <= "\u9fff" else None


@cache
def _fonts() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(EASTERN))
