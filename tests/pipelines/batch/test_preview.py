"""`--preview`: what would be understood of a file, the mapping that reads what is not read, and no trace of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.messages.mapping import UNMAPPED
from features.messages.mapping_file import load_mapping
from features.messages.raw import UnreadableFile
from pipelines.batch.preview import Preview, preview
from tests.features.conftest import csv_of, row
from tests.features.messages.file_kinds import RESULTS
from tests.features.messages.workbooks import xlsx
from tests.pipelines.commands.calling import call

NOW = datetime(2026, 3, 15, tzinfo=UTC)
FRENCH = (
    "N° de suivi;Dépôt;Contenu;Valeur;Poids (g);Devise;Filière\n"
    "CX1;02/03/2026 08:00;chaussures;12,50;150;EUR;express\nCX2;13/03/2026 09:00;ceinture;1,5;80;EUR;express\n"
)


def seen(folder: Path, content: bytes, mapping: str = "") -> Preview:
    (folder / "day").write_bytes(content)
    (folder / "m.toml").write_text(mapping, encoding="utf-8")
    return preview(folder / "day", load_mapping(folder / "m.toml") if mapping else UNMAPPED, None, NOW, "manifest")


def test_a_file_that_fits_shows_its_first_rows_with_units(tmp_path: Path) -> None:
    shown = seen(tmp_path, csv_of(*(row(consignment_id=f"C{n}") for n in range(5)), separator=";"))
    assert (shown.fault, shown.looked_at, shown.accepted, shown.separator) == ("", 5, 5, "semicolons")
    assert len(shown.rows) == 3
    assert (shown.rows[0]["value"], shown.rows[0]["gross_mass_kg"]) == ("20.0 EUR", "0.5 kg")
    assert shown.rows[0]["lodged_at"] == "2026-03-01T08:15:00.000000Z"
    assert shown.mapping == ""


def test_a_file_that_nearly_fits_gets_a_mapping_that_reads_it(tmp_path: Path) -> None:
    first = seen(tmp_path, FRENCH.encode())
    assert first.fault.startswith("no columns consignment_id, stream, lodged_at, description; did you mean")
    assert first.accepted == 0
    assert first.proposed["gross_mass_kg"] == "Poids (g)"
    assert 'unit = "g"' in first.mapping
    second = seen(tmp_path, FRENCH.encode(), first.mapping)
    assert (second.fault, second.accepted, second.mapping) == ("", 2, "")
    first_row = second.rows[0]
    assert (first_row["value"], first_row["gross_mass_kg"]) == ("12.5 EUR", "0.15 kg")
    assert first_row["lodged_at"] == "2026-03-02T07:00:00.000000Z"


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"lodged_at": "02/03/2026 08:00"},
            ['format = "%d/%m/%Y %H:%M"  # day first;', "zone ="],
        ),
        ({"lodged_at": "46083,33"}, ['serial = "1900"']),
        ({"value": "1,234"}, ['# decimal = ","', '# grouping = ","']),
        ({"value": "12,50"}, ['\ndecimal = ","']),
        ({"value": "1,234.50"}, ['\ngrouping = ","']),
    ],
)
def test_what_cells_show_is_proposed_and_what_nobody_can_say_left_open(
    changes: dict[str, object], lines: list[str], tmp_path: Path
) -> None:
    shown = seen(tmp_path, csv_of(row(**changes), separator=";"))
    assert [line for line in lines if line not in shown.mapping] == []


def test_a_column_that_every_row_must_state_is_asked_for(tmp_path: Path) -> None:
    without = {name: value for name, value in row().items() if name != "stream"}
    shown = seen(tmp_path, csv_of(without))
    assert shown.fault.startswith("no column stream")
    assert '# stream = "…"' in shown.mapping
    assert "one of postal, express" in shown.mapping


def test_a_workbook_and_a_message_are_shown_too_and_another_kind_is_told(tmp_path: Path) -> None:
    names = list(row())
    shown = seen(tmp_path, xlsx([names, [None if v is None else str(v) for v in row().values()]]))
    assert shown.accepted == 1
    with pytest.raises(UnreadableFile, match="a PDF document"):
        seen(tmp_path, b"%PDF-1.7\n")


def test_the_command_writes_nothing_and_its_exit_code_says_whether_anything_would_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "var"))
    (tmp_path / "fr.csv").write_text(FRENCH, encoding="utf-8")
    (tmp_path / "r.csv").write_bytes(RESULTS)
    ended = call(capsys, "ingest", "--preview", str(tmp_path / "fr.csv"))
    assert ended.code == 3
    assert 'consignment_id = "N° de suivi"' in ended.out
    ended = call(capsys, "outcomes", "--preview", "--json", str(tmp_path / "r.csv"))
    assert ended.code == 0
    [shown] = json.loads(ended.out)
    assert (shown["accepted"], shown["rows"][0]["result"]) == (1, "compliant")
    assert not (tmp_path / "var").exists()
