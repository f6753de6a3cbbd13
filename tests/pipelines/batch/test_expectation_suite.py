"""A suite that a unit edits: what it says is judged, what it cannot say is named, and verdicts are kept with a page."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.batch.expectation_suite import FILE, STANDARD, SuiteFault, load_suite, suite_of
from pipelines.batch.expectations import Judgement, judge, reference_of
from pipelines.batch.verdicts import HISTORY, PAGE, history, keep
from tests.pipelines.batch.test_expectations import manifest
from tests.pipelines.commands.calling import call, line_of

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "Ningbo-Trading-Ltd"
OF_A_UNIT = """
[complete]
hs_code = 0
ioss = 0.3
[medians]
value_eur = [20, 400]
[values]
nature = ["sale"]
[limits]
most_gifts = 0.05
"""


def failed(judgement: Judgement) -> list[str]:
    return [e.what for e in judgement.expectations if not e.held]


def test_the_standard_suite_reads_as_it_is_written(tmp_path: Path) -> None:
    assert load_suite(tmp_path) == STANDARD
    (tmp_path / FILE).write_text(STANDARD.as_toml(), encoding="utf-8")
    assert load_suite(tmp_path) == STANDARD


def test_what_a_unit_states_is_judged_and_the_rest_stays_standard() -> None:
    judged = judge(manifest(), suite=suite_of(tomllib.loads(OF_A_UNIT)))
    assert failed(judged) == [
        "Between 30 and 100 % of the lines state ioss",
        "Every line that states nature states sale",
        "The median value of a line is between 20 and 400 €",
        "Between 0 and 5 % of the lines are declared as gifts",
    ]
    sentences = [expectation.what for expectation in judged.expectations]
    assert not any("HS code" in sentence for sentence in sentences)
    assert "The median gross mass is between 0.01 and 50 kg" in sentences


def test_limits_against_the_reference_are_those_of_the_suite() -> None:
    suite = suite_of({"limits": {"volume_factor": 4.0}, "reference": {"against": "last"}})
    assert suite.against_last
    usual = reference_of(manifest())
    assert "between 222 and 720 lines" in failed(judge(manifest(200), usual))[0]
    assert failed(judge(manifest(200), usual, suite)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("complete = 1", "complete is a table"),
        (f"[{SECRET}]", "table 1 is unknown; there are complete, medians, values, limits, reference"),
        (f"[complete]\n{SECRET} = 1", "entry 1 of complete is unknown"),
        ("[complete]\nvalue = 90", "complete.value takes a share from 0 to 1"),
        (f"[medians]\nvalue_eur = '{SECRET}'", "medians.value_eur takes two numbers, the least and the most"),
        ("[medians]\nvalue_eur = [4, 1]", "medians.value_eur takes two numbers"),
        ("[values]\nnature = []", "values.nature takes a list of texts, at least one"),
        ("[limits]\nmost_gifts = 2", "limits.most_gifts takes a share from 0 to 1"),
        ("[limits]\nvolume_factor = 0.5", "limits.volume_factor takes a number from 1 on"),
        ("[limits]\nmost = 1", "entry 1 of limits is unknown"),
        ("[reference]\nagainst = 'first'", 'reference.against takes "last" or "none"'),
        (SECRET, "cannot be read as TOML"),
    ],
)
def test_what_a_suite_cannot_say_is_named_and_not_repeated(text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(SuiteFault) as raised:
        load_suite(tmp_path)
    assert fault in str(raised.value)
    assert SECRET not in str(raised.value)


def test_verdicts_are_kept_and_their_page_needs_nothing_else(tmp_path: Path) -> None:
    sound, broken = manifest(), manifest().with_columns(hs_code=pl.lit(None, pl.String))
    for name, rows in (("<b>monday.csv", sound), ("tuesday.csv", broken)):
        keep(tmp_path, [name], judge(rows), reference_of(rows), AT)
    verdicts = history(tmp_path)
    assert [(v.files, v.held) for v in verdicts] == [(["<b>monday.csv"], True), (["tuesday.csv"], False)]
    assert verdicts[0].profile == reference_of(sound)
    assert [e["what"] for e in verdicts[1].failed] == ["Between 50 and 100 % of the lines state an HS code"]
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "1 of the latest 2 held" in page
    held_once, of_two = '<td class="number">1', '<td class="number">2'
    assert f"<tr><td>Between 50 and 100 % of the lines state an HS code</td>{held_once}</td>{of_two}</td>" in page
    assert page.index("tuesday.csv") < page.index("monday.csv")
    assert "<b>monday" not in page
    assert "default-src 'none'" in page
    for fetched in ("http://", "https://", "<script", "<link", "@import"):
        assert fetched not in page
    assert re.findall(r"url\((?!#)", page) == []
    with (tmp_path / HISTORY).open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-03-')
    assert len(history(tmp_path)) == 2


def test_the_command_shows_writes_and_checks_the_suite(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    shown = call(capsys, "expectations").out
    assert suite_of(tomllib.loads(shown)) == STANDARD
    assert "this is the standard" in shown
    assert call(capsys, "expectations", "--docs").code == 0  # before any manifest was judged
    page = tmp_path / "home" / "reports" / PAGE
    assert "Between 0 and 60 % of the lines are declared as gifts" in page.read_text("utf-8")
    assert call(capsys, "expectations", "--edit").code == 0
    path = tmp_path / "home" / FILE
    path.write_text(path.read_text().replace("most_gifts = 0.6", "most_gifts = 0.3"), encoding="utf-8")
    assert suite_of(tomllib.loads(call(capsys, "expectations").out)).limits.most_gifts == 0.3
    assert call(capsys, "expectations", "--docs").code == 0
    assert "Between 0 and 30 % of the lines are declared as gifts" in page.read_text("utf-8")
    assert "is there already" in line_of(call(capsys, "expectations", "--edit"))
    path.write_text("[limits]\nmost_gifts = 3", encoding="utf-8")
    assert "limits.most_gifts takes a share from 0 to 1" in line_of(call(capsys, "expectations"))
    refused = call(capsys, "score", __file__, "--out", str(tmp_path / "out"))
    assert "limits.most_gifts" in line_of(refused)
    assert not (tmp_path / "out").exists()
