"""`tamis lists import` and `convert` tell what they read and left out, by kind and reason, and echo nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.parties.linking_switch import LinkingSwitch
from service.settings import Settings
from tests.features.intelligence.lists import ACTOR, RING, USES, bundle, identity, page, relation
from tests.pipelines.commands.calling import call

SOLE = identity("Sole Brands SA", contact_information="ipr@sole.example")
INDICATOR = {"type": "indicator", "id": "indicator--1", "pattern": "[email-addr:value LIKE '%secret%']"}
CASES = {
    "stix": (
        bundle(ACTOR, RING, USES, SOLE, relation("targets", str(ACTOR["id"]), str(SOLE["id"])), INDICATOR),
        {"subject": 1, "name": 1, "email": 1},
        {("identity", "a victim"), ("indicator", "its pattern is no equality of something that is compared")},
    ),
    "csv": (
        b"name;country;note\nSecret Lotus;Secretland;x\nOther;China;\n",
        {"subject": 2, "name": 2, "country": 1},
        {
            ("column", "its name is none of the list's (docs/how-to/watch-lists.md)"),
            ("country", "no country of ISO 3166-1 has that name or code; its names are compared in no country"),
        },
    ),
    "storefronts": (
        page(" ".join(f"<p>secret{n}@mail.example</p>" for n in range(50))),
        {"subject": 1, "email": 40, "url": 1},
        {("email", "a page states more than 40")},
    ),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    settings = Settings(home=tmp_path / "home")
    settings.linking.parent.mkdir(parents=True, exist_ok=True)
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", datetime(2026, 3, 2, tzinfo=UTC))
    return tmp_path


@pytest.mark.parametrize("kind", CASES)
def test_what_was_read_and_what_was_left_out_is_told(home: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, read, left_out = CASES[kind]
    (home / "list").write_bytes(content)
    for command in (
        ("import", "l", str(home / "list"), "--by", "ana"),
        ("convert", str(home / "list"), "--out", str(home / "o")),
    ):
        plain, for_programs = call(capsys, "lists", *command), call(capsys, "lists", *command, "--json")
        assert (plain.code, for_programs.code) == (0, 0)
        account = json.loads(for_programs.out)
        assert (account["format"], account["read"]) == (kind, read)
        assert {(one["kind"], one["reason"]) for one in account["left_out"]} == left_out
        assert f"read ({kind}): {', '.join(f'{name} {number}' for name, number in read.items())}" in plain.out
        for name, reason in left_out:
            assert f"left out: {name} " in plain.out
            assert reason in plain.out
        assert "secret" not in (plain.out + for_programs.out).lower()


def test_how_many_ties_are_conclusive_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "list").write_bytes(b"subject_id,email\n1,boss@x.example\n2,boss@x.example\n")
    told = call(capsys, "lists", "convert", str(home / "list"), "--out", str(home / "o")).out
    assert "2 entities" not in told
    assert "; 1 tie is conclusive, 0 only alike" in told
