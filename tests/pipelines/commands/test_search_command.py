"""`tamis search` from the shell: what it finds, who is on the log for it, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.commands.daily_commands import ingest
from service.access.read_log import trace_of
from service.settings import Settings
from service.store.access_tables import READS
from service.store.database import open_store
from service.targeting import target
from tests.pipelines.commands.calling import call, line_of
from tests.service.building import declared, message
from tests.service.quick import desk_of, quick_model

HEAD = "message_id,consignment_id,stream,lodged_at,office,consignee_name,consignee_phone,consignee_country,description"
OLD = "M0,OLD1,express,2026-02-01T08:00:00Z,FRCDG1,Kevin Lemaire,0639981234,FR,sneakers"
CONSIGNEE = {"name": "Kevin Lemaire", "country": "FR", "phone": "+33 6 39 98 12 34"}
AS_ANA = ("--by", "ana", "--purpose", "targeting")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with parcels of an addressee: one ingested, one decided here and one of another office."""
    settings = Settings(home=tmp_path / "home")
    monkeypatch.setenv("TAMIS_HOME", str(settings.home))
    (tmp_path / "old.csv").write_text(f"{HEAD}\n{OLD}\n", encoding="utf-8")
    ingest([tmp_path / "old.csv"])
    store = open_store(settings)
    desk = desk_of(store, quick_model())
    target(message(declared(1, consignee=CONSIGNEE), message_id="M1"), desk)
    target(message(declared(2, consignee=CONSIGNEE, office="FRLYS1"), message_id="M2"), desk)
    store.close()
    return settings


def test_it_finds_what_was_decided_just_now_and_what_was_ingested(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(capsys, "search", "06 39 98 12 34", *AS_ANA)
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "3 consignments"
    assert [number for number in ("HAWB000000001", "HAWB000000002", "OLD1") if number not in ended.out] == []
    assert "archived" in ended.out
    of_office = call(capsys, "search", "lemaire kevin", "--office", "FRCDG1", "--json", *AS_ANA)
    found = json.loads(of_office.out)
    assert (found["total"], found["waiting"]) == (2, 0)
    assert {one["consignment_id"] for one in found["consignments"]} == {"HAWB000000001", "OLD1"}


def test_each_search_is_on_the_log_and_can_be_asked_for(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "search", "06 39 98 12 34", *AS_ANA)
    ended = call(capsys, "search", "0639981234", "--searches", "--by", "dpo", "--purpose", "complaint")
    assert ended.out.splitlines()[0] == "2 searches"
    assert "ana  search  targeting" in ended.out
    store = open_store(settings)
    with store.reading() as connection:
        reads = connection.execute(sa.select(READS.c.who, READS.c.purpose, READS.c.subject)).all()
    assert [tuple(read) for read in reads] == [
        ("ana", "targeting", trace_of(store, "0639981234")), ("dpo", "complaint", trace_of(store, "0639981234"))
    ]  # fmt: skip
    store.close()


@pytest.mark.parametrize(
    ("typed", "says"),
    [(["ab*", *AS_ANA], "key: give at least"), (["hello", "--kind", "telephone", *AS_ANA], "key: cannot be read"),
     (["hello", "--kind", "colour", *AS_ANA], "kind: give consignment"),
     (["hello", "--beyond", "5000", *AS_ANA], "beyond: the newest"),
     (["hello", "--by", " ", "--purpose", "x"], "what shows personal data needs a name and a purpose")],
)  # fmt: skip
def test_what_cannot_be_searched_is_one_line_and_on_no_log(
    settings: Settings, capsys: pytest.CaptureFixture[str], typed: list[str], says: str
) -> None:
    ended = call(capsys, "search", *typed)
    assert ended.code == 1
    assert says in line_of(ended)
    store = open_store(settings)
    with store.reading() as connection:
        assert connection.execute(sa.select(READS)).all() == []
    store.close()
