"""The report: it shows the top, stands alone, and whoever wrote a declaration writes nothing but text in it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from features.contract import no_quarantine
from pipelines.batch import charts
from pipelines.batch.expectations import Expectation, Judgement
from pipelines.batch.report import TOP, Report, cut, number, page_of, percent, tied, write_report
from service.orientation.decisions import frame_of
from tests.pipelines.batch.reports import HOSTILE, NOW, decision, declaring


class Outline(HTMLParser):
    """The elements of a page, their attributes, and whether every element that is opened is closed."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_shows_the_top_with_its_reasons_and_no_more(report: Report, tmp_path: Path) -> None:
    write_report(tmp_path / "reports" / "day.html", report)
    page = (tmp_path / "reports" / "day.html").read_text(encoding="utf-8")
    shown = re.findall(r"CX\d{9}CN", page)
    assert shown == [f"CX{i:09d}CN" for i in range(TOP)]
    assert "goods number 3" in page
    assert "Sender 3" in page
    assert "Reason 3-2" in page
    assert "Reason 3-3" not in page
    assert "90\u00a0%" in page  # the risk of the first
    assert "43 rows received = 41 accepted" in page


def test_the_riskiest_come_first_whatever_the_order_of_the_manifest(report: Report) -> None:
    shuffled = report.orientations.sample(fraction=1.0, shuffle=True, seed=5)
    assert page_of(replace(report, orientations=shuffled)) == page_of(report)


def test_it_stands_alone(report: Report) -> None:
    page = page_of(report)
    for forbidden in ("<script", "http://", "https://", "src=", "@import", "<link", "javascript:"):
        assert forbidden not in page.lower()
    assert set(re.findall(r"url\((.*?)\)", page)) == {"#on-yellow", "#on-blue"}
    outline = Outline(page)
    assert outline.open == []
    assert all(value and value.startswith("#") for name, value in outline.attributes if name == "href")


def test_it_can_be_read_aloud(report: Report) -> None:
    page = page_of(report)
    outline = Outline(page)
    assert '<html lang="en">' in page
    assert outline.tags.count("caption") == outline.tags.count("table")
    assert outline.tags.count("th") == page.count('scope="')
    targets = {value for name, value in outline.attributes if name == "id"}
    named = {value for name, value in outline.attributes if name == "aria-labelledby"}
    assert named <= targets
    assert {f"#{t}" for t in targets} >= {v for n, v in outline.attributes if n == "href"}


def test_hostile_text_is_inert(report: Report) -> None:
    calm, hostile = page_of(declaring(report, ("shoes",) * len(HOSTILE))), page_of(declaring(report, HOSTILE))
    assert Outline(hostile).tags == Outline(calm).tags
    assert [n for n, _ in Outline(hostile).attributes] == [n for n, _ in Outline(calm).attributes]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile
    assert "{{ 7 * 7 }}" in hostile


def test_hostile_identifiers_reasons_and_faults_are_inert(report: Report) -> None:
    evil = HOSTILE[0]
    rows = [decision(0, consignment_id=evil, office=evil, model_id=evil, reasons=[{"code": "x", "text": evil}])]
    rows[0] |= {"mode": "degraded", "degraded_reasons": [evil]}
    quarantine = report.quarantine.with_columns(all_faults=pl.lit(evil), field=pl.lit(evil))
    judgement = Judgement(False, (Expectation(evil, False, evil),))
    spoilt = replace(report, title=evil, orientations=frame_of(rows), quarantine=quarantine, judgement=judgement)
    page = page_of(replace(spoilt, model={evil: evil, "metrics": {evil: 1.0}}))
    assert "<script" not in page.lower()
    assert page.count("&lt;script&gt;") >= 10


def test_text_that_turns_its_own_order_shows_that_it_does() -> None:
    assert cut("invoice\u202egpj.exe", 50) == "invoice\ufffdgpj.exe"
    assert cut("x" * 60, 50) == "x" * 49 + "…"
    assert cut(None, 50) == "not stated"


def test_an_empty_day_renders(report: Report) -> None:
    nothing = replace(
        report, orientations=frame_of([]), declared=report.declared.clear(), received=0,
        quarantine=no_quarantine(), judgement=None, model={},
    )  # fmt: skip
    page = page_of(nothing)
    assert Outline(page).open == []
    for said in ("No consignment was ranked", "Nothing was refused", "The manifest was not judged"):
        assert said in page


def test_what_is_not_known_is_said(report: Report) -> None:
    bare = decision(0, risk=None, rank=None, of=None, office=None, mode="rules_only", model_id=None)
    page = page_of(replace(report, orientations=frame_of([bare]), declared=report.declared.clear()))
    assert "Decided in rules only mode: 1 consignment." in page
    assert "No consignment has a risk to draw" in page
    assert page.count("not known") >= 2
    assert "not stated" in page
    assert "no value" in page
    assert ">nan<" not in page.lower()
    assert ">none<" not in page


def test_refusals_and_judgement_are_told(report: Report) -> None:
    page = page_of(report)
    assert "one of postal, express" in page
    assert "every row must state it" in page
    assert page.index("state an HS code") < page.index("has at least one line")  # what failed comes first
    assert "Expectations of the manifest that did not hold: 1 of 2." in page


def test_many_offices_end_in_one_line(report: Report) -> None:
    rows = [decision(i, office=f"O{i:03d}") for i in range(40)]
    page = page_of(replace(report, orientations=frame_of(rows)))
    assert "20 other offices" in page
    table = page[page.index('class="offices"') :]
    total = table[table.index("<tfoot>") : table.index("</tfoot>")]
    assert re.findall(r'class="num">([\d.,]+)<', total)[:5] == ["3", "3", "3", "31", "40"]


def test_numbers_read_like_numbers() -> None:
    assert [percent(s) for s in (0.0, 0.0004, 0.034, 0.0996, 1.0, None, float("nan"))] == [
        "0.0\u00a0%", "<\u00a00.1\u00a0%", "3.4\u00a0%", "10\u00a0%", "100\u00a0%", "not known", "not known",
    ]  # fmt: skip
    assert [number(v) for v in (1234, 1234.6, 0.1234, True, None, "x", NOW)] == [
        "1,234", "1,235", "0.123", "True", "not known", "x", "2026-03-02 06:15 UTC",
    ]  # fmt: skip
    assert tied("between 0.2 and 50 kg of 5 %") == "between 0.2 and 50\u00a0kg of 5\u00a0%"


def test_bars_and_histogram_keep_their_proportions() -> None:
    bar = str(charts.lane_bar({"red": 1, "yellow": 3}, 8))
    assert re.findall(r'part-(\w+)" x="([\d.]+)%" width="([\d.]+)%', bar) == [
        ("red", "0.000", "12.500"), ("yellow", "12.500", "37.500"),
    ]  # fmt: skip
    chart = str(charts.histogram([1000, 10, 0, 1], [0, 1, 0, 1], charts.Plot(400), 'a "title"'))
    heights = [float(h) for h in re.findall(r'column all".*?height="([\d.]+)"', chart)]
    step = (heights[0] - heights[2]) / 3  # a thousand is three tens above one
    assert heights[1] - heights[2] == pytest.approx(step, abs=0.2)
    assert "a &#34;title&#34;" in chart
