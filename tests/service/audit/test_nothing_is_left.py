"""A person lodged in every way and erased: no file of the home tells who it was, and nothing left can be guessed."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
import zstandard
from fastapi.testclient import TestClient

from features import hashes
from features.history.keys import ENTITIES
from features.identifiers.telephones import telephone
from features.parties.evidence import KINDS
from features.parties.linking import evidence_in, with_evidence
from pipelines.batch.refused_rows import expire_refused
from pipelines.commands.case_commands import detain_consignment
from pipelines.commands.daily_commands import ingest, score
from pipelines.commands.erasure_commands import erase
from service.api.bodies import rows_of
from service.app import create
from service.audit.dossier import dossier
from service.audit.replay import Bundles, replay_call
from service.audit.verify import verify_record
from service.history.compaction import settle
from service.parties.linking_switch import LinkingSwitch
from service.settings import Settings
from service.store.database import Store, open_store
from service.store.packed import DICTIONARY, FOLDER
from service.store.pseudonyms import pseudonyms_of
from service.store.segment_files import mapped
from service.store.tables import DECISIONS, DECLARATIONS
from tests.service.building import NOON, body, consignments, declared, message

CANARY = {
    "name": "Zyxwina Quollbarrow",
    "phone": "+33 6 71 83 94 25",
    "email": "zyxwina.quollbarrow@canary.example",
    "address": "117 Wombatine Alley",
    "city": "Quollhaven",
    "postcode": "Q7W 1ZX",
    "country": "AU",
    "id": "EORIQUOLL4477",
}
ADDRESSEE = {"name": "Florestan Vexillaire", "address": "9 impasse Axolotl", "postcode": "75013", "country": "FR"}
TOLD = {*CANARY.values(), *ADDRESSEE.values()} - {"AU", "FR", "75013"}
BY_CALL, SCORED, INGESTED, BOTH, REFUSED = range(901, 906)
SECRET_NUMBERS = 1_000_000  # telephones that are tried: all that share the first digits of the canary's
LONGEST_PACKED, PIECE = 65_536, 64  # bytes; what follows a whole content, or what was overwritten, is read no further
WHOLE_NUMBER = re.compile(rb"-?\d{15,20}")
CODE = re.compile(rb"[NP]-([0-9A-F]{16})")


def canary(number: int, **changes: Any) -> dict[str, Any]:
    """A consignment of the canary to her addressee."""
    return declared(number, consignor=CANARY, consignee=ADDRESSEE, **changes)


def manifest(path: Path, *sent: dict[str, Any]) -> Path:
    """A flat file with these consignments."""
    rows, _ = rows_of(body(*sent, message_id=path.stem))
    rows.frame.drop("line").write_csv(path)
    return path


@pytest.fixture
def settings(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with linking switched on."""
    monkeypatch.setenv("TAMIS_HOME", str(home.home))
    LinkingSwitch(home.linking).turn_on("tests", "a canary", datetime.now(UTC))
    return home


@pytest.fixture
def lodged(settings: Settings, tmp_path: Path) -> list[str]:
    """The canary lodged by a call, from a file, for the archive alone, for both, and in a row that is refused."""
    with TestClient(create(settings.model_copy(update={"access": "open"}))) as client:
        answer = client.post("/v1/consignments", json=body(canary(BY_CALL), declared(1), message_id="CALL"))
        assert answer.status_code == 200
    both = manifest(tmp_path / "both.csv", canary(BOTH), declared(2))
    ingest([both, manifest(tmp_path / "archived.csv", canary(INGESTED), declared(3))])
    store = open_store(settings)
    settle(store, everything=True)
    store.close()
    score([both], tmp_path / "out", expectations=False)
    score([manifest(tmp_path / "scored.csv", canary(SCORED), declared(4))], tmp_path / "out two", expectations=False)
    ingest([manifest(tmp_path / "refused.csv", canary(REFUSED, stream="by foot"), declared(5))])
    return [f"HAWB{number:09d}" for number in (BY_CALL, SCORED, INGESTED, BOTH, REFUSED)]


def files_of(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file())


def texts_of(path: Path) -> Iterator[bytes]:
    """What a file says: its bytes and what is packed in them, the cells of a table, the rows of a database."""
    yield path.read_bytes()
    yield from packed_in(path.read_bytes())
    if path.suffix == ".parquet":
        yield pl.read_parquet(path).write_ndjson().encode()
    elif path.suffix == ".db":
        for row in rows_in(path):
            yield json.dumps(row, ensure_ascii=False, default=str).encode()


def packed_in(raw: bytes) -> Iterator[bytes]:
    """Every packed content that stands anywhere in these bytes, in free room too, as far as it can be read."""
    dictionary = zstandard.ZstdCompressionDict((FOLDER / f"{DICTIONARY}.zdict").read_bytes())
    for found in re.finditer(re.escape(zstandard.FRAME_HEADER), raw):
        reader, pieces = zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj(), []
        for start in range(found.start(), found.start() + LONGEST_PACKED, PIECE):
            try:
                pieces.append(reader.decompress(raw[start : start + PIECE]))
            except zstandard.ZstdError:
                break
        yield b"".join(pieces)


def rows_in(path: Path) -> Iterator[tuple[Any, ...]]:
    """All rows of all tables of a SQLite file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            yield from connection.execute(f'SELECT * FROM "{table}"')


def holding(home: Path, values: set[str]) -> dict[str, list[str]]:
    """The files of a home that hold one of these values, in any way of writing it, and which."""
    found: dict[str, list[str]] = {}
    for path in files_of(home):
        said = b"\n".join(texts_of(path)).lower()
        forms = {value: (value.lower().encode(), json.dumps(value).lower()[1:-1].encode()) for value in values}
        if held := [value for value, ways in forms.items() if any(way in said for way in ways)]:
            found[path.relative_to(home).as_posix()] = held
    return found


def numbers_left(home: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Every number of the size of a hash that stands in a file: in rows, texts, codes, and columns of files."""
    found: set[int] = set()
    for path in files_of(home):
        if path.suffix == ".arrow":
            found.update(mapped(path).columns()["entity"].tolist())
            continue
        for said in texts_of(path):
            found.update(int(number) for number in WHOLE_NUMBER.findall(said))
            found.update(struct.unpack(">q", bytes.fromhex(code.decode()))[0] for code in CODE.findall(said))
    return np.array(sorted(number for number in found if -(2**63) <= number < 2**63), np.int64)


def hashes_of(frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What a telephone is as an entity of history and as evidence, before any key: its level is not guessed."""
    entity = hashes.hashes_of(f"phone\x1f{text}" for text in frame["consignor_phone"])  # in the form that its key has
    return np.concatenate([entity, entity & ~np.int64(KINDS - 1)])


def guessed(left: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    """How many of all telephones that begin like the canary's can be found among the numbers that are left."""
    assert telephone(CANARY["phone"]) == CANARY["phone"].replace(" ", "")
    begins = CANARY["phone"].replace(" ", "")[:-6]
    digits = pl.int_range(SECRET_NUMBERS, eager=True).cast(pl.String).str.zfill(6)
    tried = pl.DataFrame({"consignor_phone": begins + digits})
    assert CANARY["phone"].replace(" ", "") in set(tried["consignor_phone"])
    return int(np.isin(hashes_of(tried), np.concatenate([left, left & ~np.int64(KINDS - 1)])).sum())


def identities() -> set[int]:
    """Every hash by which the canary's consignments are known in memory."""
    known = consignments(message(*(canary(number) for number in (BY_CALL, SCORED))))
    entities = {int(value) for name in ENTITIES for value in known.frame[name].drop_nulls()}
    shared = consignments(message(declared(1)))
    ordinary = {int(value) for name in ENTITIES for value in shared.frame[name].drop_nulls()}
    evidence, of_others = (set(evidence_in(with_evidence(of))[1]) for of in (known, shared))
    return (entities | evidence) - ordinary - of_others


def test_the_search_finds_her_before(settings: Settings, lodged: list[str]) -> None:
    found = holding(settings.home, TOLD)
    assert {name.split("/")[0] for name in found} >= {"archive", "quarantine", "store.db"}
    assert set().union(*found.values()) == TOLD
    left = numbers_left(settings.home)
    assert len(left) > 50
    by_key = pseudonyms_of(settings.keys).plain(left)
    assert guessed(by_key) > 0  # whoever has the key finds her telephone, so the search works
    assert identities() & set(by_key.tolist())


def test_erased_she_is_in_no_file_and_cannot_be_guessed(
    settings: Settings, lodged: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = [row.body for row in declared_rows(settings) if row.consignment_id in lodged and row.body is not None]
    assert len(contents) == 3
    capsys.readouterr()
    erase(consignments=lodged, by="tests", reason="she asked for it")
    said = capsys.readouterr().out
    assert holding(settings.home, TOLD) == {}
    left = numbers_left(settings.home)
    assert guessed(left) == 0
    assert not identities() & set(left.tolist())
    raw = b"\n".join(path.read_bytes() for path in files_of(settings.home))
    for number in identities():
        assert struct.pack("<q", number) not in raw
        assert struct.pack(">q", number) not in raw
    for row in declared_rows(settings):
        if row.consignment_id in lodged:
            assert (row.content_sha256, row.stated, row.card, row.body) == ("", None, None, None)
    for out in (tmp_path / "out", tmp_path / "out two"):
        assert f"! {out} still holds it: delete it" in said
    assert "1 refused row" in said
    store = open_store(settings)
    assert verify_record(store, settings.checkpoints, settings.keys).holds
    store.close()


def declared_rows(settings: Settings) -> list[sa.Row[Any]]:
    """The rows of declarations."""
    store = open_store(settings)
    with store.reading() as connection:
        rows = connection.execute(sa.select(DECLARATIONS).order_by(DECLARATIONS.c.consignment_id)).all()
    store.close()
    return list(rows)


def test_what_was_ingested_first_and_then_scored_can_be_read(settings: Settings, lodged: list[str]) -> None:
    (row,) = (row for row in declared_rows(settings) if row.consignment_id == lodged[3])
    assert row.body["consignor_name"] == CANARY["name"]
    bundles, store = Bundles(settings.bundles, settings.keys), open_store(settings)
    read = dossier(store, bundles, lodged[3])
    assert read is not None
    assert [of["declared"]["consignor_name"] for of in read["declarations"]] == [CANARY["name"]]
    (decision,) = read["decisions"]
    assert all(one.identical for one in replay_call(store, bundles, call_of(store, decision)))
    store.close()
    detain_consignment(lodged[3], "officer-1", right_holder="Holder", at=NOON)


def call_of(store: Store, decision: dict[str, Any]) -> str:
    """The call that gave a decision."""
    query = sa.select(DECISIONS.c.call_id).where(DECISIONS.c.decision_id == decision["decision"]["decision_id"])
    with store.reading() as connection:
        return str(connection.execute(query).scalar_one())


def test_refused_rows_expire(settings: Settings, lodged: list[str]) -> None:
    folder, now = settings.home / "quarantine", datetime.now(UTC)
    assert expire_refused(folder, datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert expire_refused(folder, now.replace(year=now.year + 1), dry_run=True) == 1
    assert list(folder.iterdir())
    assert expire_refused(folder, now.replace(year=now.year + 1)) == 1
    assert not list(folder.iterdir())
