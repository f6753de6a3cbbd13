"""Files that are no manifest: told once, by what they are, with the remedy and nothing of their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract import gate_manifest
from features.messages.dialect import Dialect, dialect_of
from features.messages.formats import read_content, read_file
from features.messages.mapping_file import load_mapping
from features.messages.outcome_files import read_outcomes
from features.messages.parts import read_parts
from features.messages.raw import Raw, UnreadableFile
from tests.features.conftest import csv_of, parquet_of, row
from tests.features.messages.file_kinds import NO_MANIFEST, RESULTS, SECRET


@pytest.mark.parametrize("kind", NO_MANIFEST)
def test_what_is_no_manifest_is_told_by_what_it_is(kind: str) -> None:
    content, words = NO_MANIFEST[kind]
    with pytest.raises(UnreadableFile) as refused:
        read_content(content, "day")
    told = str(refused.value)
    assert told.startswith("day: ")
    assert "\n" not in told
    assert [word for word in words if word not in told] == []
    assert SECRET not in told


def test_a_parquet_file_without_a_column_is_told_alike() -> None:
    content = parquet_of(read_content(csv_of(row()), "day").rows.drop("line", "stream"))
    with pytest.raises(UnreadableFile, match="no column stream"):
        read_content(content, "day")


def test_a_manifest_is_no_file_of_results(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_bytes(csv_of(row()))
    with pytest.raises(UnreadableFile, match="this is a manifest; use `tamis ingest`"):
        read_outcomes(tmp_path / "day.csv")


def test_what_a_mapping_states_need_not_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        '[manifest.rename]\nconsignment_id = "No"\n[manifest.default]\nstream = "postal"\n'
    )
    mapping = load_mapping(tmp_path / "m.toml")
    content = csv_of({"No": "C1", "lodged_at": "2026-03-01T08:15:00Z", "description": "belt"})
    gated = gate_manifest(mapping.to_manifest(read_content(content, "day", mapping).rows), "day")
    assert gated.accepted.select("consignment_id", "stream", "description").rows() == [("C1", "postal", "belt")]


# ---- separators


@pytest.mark.parametrize(
    ("start", "stated", "found"),
    [
        (b"a;b;c\n1;2,5;3\n", ",", Dialect(";")),
        (b"\xef\xbb\xbfa\tb\n", ",", Dialect("\t")),
        (b"a|b\n", ",", Dialect("|")),
        (b"a,b\n", ";", Dialect(",")),
        (b"a,b;c\n", ",", Dialect(",")),  # the stated one divides it
        (b"a;b|c\n", ",", Dialect(",")),  # two others do: nobody can say which
        (b"a;a\n", ",", Dialect(",")),  # no header: a name stands twice
        (b"a\n1;2\n", ",", Dialect(",")),  # rows say nothing
        (b"sep=;\r\na;b\r\n", ",", Dialect(";", 7)),
        (b'\xef\xbb\xbf"sep=|"\na|b\n', ",", Dialect("|", 11)),
    ],
)
def test_the_separator_is_told_by_the_header_alone(start: bytes, stated: str, found: Dialect) -> None:
    assert dialect_of(start, stated) == found


def of_parts(path: Path, size: int) -> list[Raw]:
    return list(read_parts(path, size=size))


@pytest.mark.parametrize("first", ["", "sep=;\n", "\ufeff", "\ufeffsep=;\n"])
@pytest.mark.parametrize("size", [1_000, 1 << 24])
def test_semicolons_are_read_in_files_of_any_length(tmp_path: Path, first: str, size: int) -> None:
    many = csv_of(*(row(consignment_id=f"C{n}") for n in range(40)), separator=";").decode()
    (tmp_path / "day.csv").write_text(first + many, encoding="utf-8")
    parts = of_parts(tmp_path / "day.csv", size)
    assert len(parts) > 1 or size > 1_000
    assert [number for part in parts for number in part.rows["consignment_id"]] == [f"C{n}" for n in range(40)]
    assert [line for part in parts for line in part.rows["line"]] == list(range(2, 42))


def test_an_encoding_that_a_mapping_states_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[file]\nseparator = ";"\ndecimal = ","\nencoding = "cp1252"\n')
    rows = [row(consignment_id=f"C{n}", description="café", value="1.234,50") for n in range(20)]
    (tmp_path / "day.csv").write_bytes(csv_of(*rows, separator=";").decode().encode("cp1252"))
    mapping = load_mapping(tmp_path / "m.toml")
    parts = list(read_parts(tmp_path / "day.csv", mapping, size=1_000))
    assert len(parts) > 1
    for read in ([read_file(tmp_path / "day.csv", mapping)], parts):
        gated = [gate_manifest(mapping.to_manifest(raw.rows), "day") for raw in read]
        told = [one for part in gated for one in part.accepted.select("description", "value").rows()]
        assert told == [("café", 1234.5)] * 20


# ---- results


def test_results_are_read_from_json_lines(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(
        '{"consignment_id": "C1", "known_at": "2026-03-05T10:00:00Z", "result": "non_compliant", '
        '"findings": ["counterfeit", "dangerous"], "criminal_link": true, "items_found": 3}\n\nnonsense\n[1]\n'
    )
    raw = read_outcomes(tmp_path / "results.jsonl")
    assert raw.rows.rows(named=True) == [
        {"line": 1, "consignment_id": "C1", "known_at": "2026-03-05T10:00:00Z", "result": "non_compliant",
         "findings": "counterfeit;dangerous", "criminal_link": "true", "items_found": "3"},
    ]  # fmt: skip
    assert raw.broken.select("line", "reason").rows() == [(3, "not a JSON object"), (4, "not a JSON object")]


def test_results_of_semicolons_are_read_and_other_documents_refused(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_bytes(RESULTS.replace(b",", b";"))
    assert read_outcomes(tmp_path / "results.csv").rows["result"].to_list() == ["compliant"]
    for content in (b"<a/>", b"[{}]", NO_MANIFEST["EDIFACT"][0], NO_MANIFEST["a workbook"][0]):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(UnreadableFile, match=r"^other: "):
            read_outcomes(tmp_path / "other")
