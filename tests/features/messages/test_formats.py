"""The list of message formats: each is recognised, read, refused when cut short, and named wherever one can ask."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast, get_args

import pytest
from typer.testing import CliRunner

from features.choices import FORMAT_TITLES, FORMATS, FormatName, format_called
from features.messages.format import Format
from features.messages.formats import BY_NAME, format_of, read_content
from features.messages.raw import UnreadableFile
from pipelines.cli import app
from service.api import message_routes
from tests.features.messages.attacks import SEEDS

ROOT = Path(__file__).parents[3]
# a message cut where its reader can tell: within a tag, a name, a header, or before the first line of its format
CUT_SHORT = {
    "flat": SEEDS["flat"][:0],
    "ics2": SEEDS["ics2"][:-20],
    "cargo-xml": SEEDS["cargo-xml"][:-20],
    "cargo-imp": SEEDS["cargo-imp"][:3],
    "postal": SEEDS["postal"][:-20],
}
READER = '''"""A format for a test."""

from __future__ import annotations

from features.messages.bounds import Bounds
from features.messages.format import Format
from features.messages.mapping import Mapping
from features.messages.raw import Lines, Raw


def read_telex(content: bytes, name: str, _: Mapping, bounds: Bounds) -> Raw:
    lines = Lines(name, bounds)
    lines.add({"consignment_id": content.split()[1].decode()}, [])
    return lines.raw("telex", name)


FORMAT = Format("telex", recognises=lambda opening, _: opening.start.startswith(b"TELEX "), read=read_telex)
'''
PROBE = """
from features.choices import FORMATS_IN_WORDS
from features.messages.formats import read_content
from service.api.message_routes import BODY, MessageFormat
from pipelines.commands.shared_options import format_name
raw = read_content(b"TELEX H1", "m")
assert (raw.format, raw.rows["consignment_id"].to_list()) == ("telex", ["H1"]), raw
assert "telegram" in FORMATS_IN_WORDS and "telegram" in BODY["description"] and format_name("TLX") == "telex"
"""


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_declared_by_the_module_of_its_name(name: FormatName) -> None:
    declared = BY_NAME[name]
    assert isinstance(declared, Format)
    assert declared.name == name
    assert declared.title == FORMAT_TITLES[name]
    assert sys.modules[f"features.messages.{name.replace('-', '_')}"].FORMAT is declared


def test_names_and_titles_are_of_the_same_formats() -> None:
    assert get_args(FormatName) == FORMATS == tuple(BY_NAME)
    aliases = [alias.lower() for name, titled in FORMAT_TITLES.items() for alias in (name, *titled.aliases)]
    assert len(set(aliases)) == len(aliases)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised_from_its_bytes_and_read(name: FormatName) -> None:
    content = SEEDS[name]
    assert format_of(content, "m") == name
    for named in (None, name):
        raw = read_content(gzip.compress(content), "m", format=named)
        assert raw.format == name
        assert raw.rows.height >= 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_message_cut_short_is_refused_by_name_and_with_a_remedy(name: FormatName) -> None:
    with pytest.raises(UnreadableFile, match=r"^letter\.bin: .{15,}$") as refused:
        read_content(CUT_SHORT[name], "letter.bin", format=name)
    assert "HAWB1" not in str(refused.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_called_by_its_name_and_aliases_in_capitals_or_not(name: FormatName) -> None:
    for called in (name, *FORMAT_TITLES[name].aliases):
        assert format_called(called) == format_called(called.upper()) == format_called(f" {called.lower()}") == name
    assert format_called("telex") == "telex"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("command", ["score", "ingest"])
def test_help_names_every_format_and_its_aliases(command: str, name: FormatName) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "300", "TERMINAL_WIDTH": "300"}).output
    words = " ".join(shown.replace("│", " ").split())
    assert f"{name} ({', '.join(FORMAT_TITLES[name].aliases)})" in words
    assert FORMAT_TITLES[name].title in words


@pytest.mark.parametrize("name", FORMATS)
def test_the_api_names_every_format_and_takes_its_media_types(name: FormatName) -> None:
    titled, body = FORMAT_TITLES[name], message_routes.BODY
    assert titled.title in str(body["description"])
    assert set(cast("dict[str, object]", body["content"])) == {"application/octet-stream"}  # one body, for generators
    assert all(media_type in str(body["description"]) for media_type in titled.media_types)
    assert f"{name} ({', '.join(titled.aliases)})" in get_args(message_routes.MessageFormat)[-1].description


@pytest.mark.skipif(not (ROOT / "docs" / "reference").exists(), reason="there is no reference yet")
@pytest.mark.parametrize("name", FORMATS)
def test_the_reference_names_every_format(name: FormatName) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").rglob("*.md"))
    assert f"`{name}`" in pages
    assert FORMAT_TITLES[name].title in pages


def with_telex(folder: Path, *, declared: bool) -> subprocess.CompletedProcess[str]:
    """Run the probe on a copy of the packages that lists one more format, and perhaps has a reader of it."""
    for package in ("features", "service", "pipelines"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    choices = folder / "features" / "choices.py"
    written = choices.read_text(encoding="utf-8")
    listed = written.replace('"postal"]', '"postal", "telex"]').replace(
        '    "postal": FormatTitle(', '    "telex": FormatTitle("telegram", ("TLX",), ("text/plain",)),\n'
        '    "postal": FormatTitle(')  # fmt: skip
    assert listed.count("telex") == 2
    choices.write_text(listed, encoding="utf-8")
    reader = READER if declared else READER.replace("FORMAT = Format(", "OTHER = Format(")
    (folder / "features" / "messages" / "telex.py").write_text(reader, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", PROBE], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_another_format_is_a_line_of_the_list_and_a_reader(tmp_path: Path) -> None:
    ended = with_telex(tmp_path, declared=True)
    assert ended.returncode == 0, ended.stderr


def test_a_listed_format_without_a_reader_stops_the_import(tmp_path: Path) -> None:
    ended = with_telex(tmp_path, declared=False)
    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1].startswith("TypeError: format telex needs FORMAT = Format(")
