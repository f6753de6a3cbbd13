"""A file that is erased whole leaves what the erasure of each of its decisions in rows would leave, at every step."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from service.audit import erasure
from service.audit.dossier import dossier
from service.audit.erasure import Erased, chosen, erase
from service.audit.replay import Bundles, NotReplayable, replay
from service.audit.retention import due, periods
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers.what_if import record_of
from service.record import emptying
from service.record.consignment_versions import Gone
from service.record.hash_tree import root_by
from service.record.search_index import catch_up
from service.record.settled_proof import proofs_of
from service.scoring import Model
from service.settings import Settings
from service.store.database import Store
from service.store.record_files import sha256_of
from service.store.record_tables import RECORD_LIFTED, RECORD_SEGMENTS, RECORD_WORK
from service.store.settled_rows import decided_of, declared_of
from service.store.tables import CHAIN, DECISIONS, DECLARATIONS
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome, results
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, sender, store_with_files
from tests.service.settled.test_both_tiers import _changes, _found
from tests.service.settled.test_settling import listed

DAY = NOON.date()
LATER = NOON + timedelta(days=2)
EVERY = [number(of) for of in range(101, 101 + LARGE)]
TOUCHED = 110
OF_ROWS = {"archived": True}  # a file's list says it of all its rows


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, model: Model, tmp_path: Path) -> Desk:
    """A desk over either kind of database, with decisions in a file of which one was inspected."""
    address = "" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    return filled(store_with_files(tmp_path, address), model)


@pytest.fixture
def bundles(quick_home: Path) -> Bundles:
    """The bundle of the written model."""
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def filled(store: Store, model: Model) -> Desk:
    """A desk with decisions in a file, one of which has a result."""
    desk = desk_of(store, model)
    target(large(), desk)
    target(large(101, "M2"), desk)
    desk.journal.learn(results(outcome(TOUCHED)))
    catch_up(store)
    return desk


def erased(store: Store, ids: list[str]) -> Erased:
    """Erase consignments."""
    return erase(store, ids, "A. Martin", "its time is over", LATER)


def faults(store: Store, folder: Path) -> list[str]:
    """Verify a store."""
    return verify_record(store, folder / "checkpoints", folder / "keys").faults


def counted(store: Store, table: sa.Table) -> int:
    """Count the rows of a table."""
    with store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def left(desk: Desk, bundles: Bundles) -> dict[str, Any]:
    """What is read of a record afterwards, by everybody who reads."""
    store = desk.journal.store
    read: dict[str, Any] = {name: [_as_read(dossier(store, bundles, name)), _events(store, name)] for name in EVERY}
    read |= {"bodies": [desk.journal.decisions_on(name) for name in EVERY], "chosen": chosen(store, [], LATER)}
    read["decided"] = desk.journal.decided(DAY, DAY).sort("consignment_id").to_dicts()
    read["scored"] = desk.journal.rows_as_scored(DAY, 99).sort("consignment_id").to_dicts()
    read["what-if"] = record_of(store, "FRCDG1", DAY, DAY).sort("consignment_id").to_dicts()
    read["due"] = due(store, periods(Settings()), NOON + timedelta(days=9_999))
    read["found"] = [_found(store, f"Yiwu Bright Trading {of}") for of in range(5)] + [_found(store, "M2")]
    read["changes"] = sorted(_changes(store, 500))
    read["unarchived"] = sorted(body["consignment_id"] for part in desk.journal.unarchived() for body in part)
    for table, names in ((DECISIONS, DECISIONS.c.keys()), (DECLARATIONS, DECLARATIONS.c.keys())):
        read[table.name] = _rows(store, table, [name for name in names if name not in OF_ROWS])
    read["work"] = counted(store, RECORD_WORK)
    with pytest.raises(Gone) as gone:
        target(large(101, "M2"), desk)
    return read | {"gone": sorted(gone.value.consignment_ids)}


def _rows(store: Store, table: sa.Table, names: list[str]) -> list[dict[str, Any]]:
    """The rows of a table in both tiers of the consignments of the message."""
    of = decided_of if table is DECISIONS else declared_of
    with store.reading() as connection:
        query = sa.select(*(table.c[name] for name in names)).where(table.c.consignment_id.in_(EVERY))
        rows = [dict(row) for row in connection.execute(query).mappings()] + of(connection, names, EVERY)
    kept = [{name: value for name, value in row.items() if name != "call_id"} for row in rows]
    for row in kept:
        row |= {name: row.get(name) is not None for name in ("salt", "stated", "card")}  # each store has its own key
    return sorted(kept, key=lambda row: str(row["consignment_id"]))


def _as_read(told: dict[str, Any] | None) -> dict[str, Any]:
    assert told is not None
    proofs = [sorted(entry["kind"] for entry in one["proof"]) for one in told["decisions"]]
    decisions = [{name: of for name, of in one.items() if name != "proof"} for one in told["decisions"]]
    return {**told, "decisions": decisions, "timeline": None, "proofs": proofs, "outcomes": len(told["outcomes"]),
            "records": None}  # fmt: skip


def _events(store: Store, name: str) -> list[Any]:
    told = timeline(store, name)
    return [(one.kind, one.subject, one.title, one.details, one.erased, one.entries) for one in told]


@pytest.mark.parametrize("all_of_them", [True, False])
def test_it_leaves_what_lifting_each_leaves(
    desk: Desk, model: Model, bundles: Bundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_of_them: bool
) -> None:
    (tmp_path / "lifting").mkdir()
    lifting = filled(store_with_files(tmp_path / "lifting"), model)
    ids = [name for name in EVERY if all_of_them or name != number(TOUCHED)]
    would = [erase(one.journal.store, ids, "", "", LATER, dry_run=True) for one in (desk, lifting)]
    entries = counted(desk.journal.store, CHAIN)
    whole = erased(desk.journal.store, ids)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "empty_whole", lambda *_: [])
        each = erased(lifting.journal.store, ids)
    assert would == [whole, each]
    assert whole == each
    assert counted(desk.journal.store, RECORD_LIFTED) == 1
    assert counted(lifting.journal.store, RECORD_LIFTED) > LARGE - 4
    assert counted(desk.journal.store, CHAIN) - entries < LARGE / 2
    assert left(desk, bundles) == left(lifting, bundles)
    for one, folder in ((desk, tmp_path), (lifting, tmp_path / "lifting")):
        assert faults(one.journal.store, folder) == []
        assert len(list(one.journal.store.records.folder.iterdir())) == 2
    again = [erased(one.journal.store, ids) for one in (desk, lifting)]
    assert again[0] == again[1]
    assert again[0].decisions == 0


def test_nothing_of_its_content_is_in_the_file_and_its_proof_is(desk: Desk, tmp_path: Path, bundles: Bundles) -> None:
    store = desk.journal.store
    (before,) = listed(store)
    with store.reading() as connection:
        (salted,) = decided_of(connection, ["decision_id"], [number(112)])
    erased(store, EVERY)
    (segment,) = listed(store)
    content = (store.records.folder / segment.file).read_bytes()
    for text in (b"Yiwu Bright", b"Futian", b"scarf"):
        assert text not in content
    assert len(content) < 30_000
    assert (segment.root, segment.rows) == (before.root, before.rows)
    with store.reading() as connection:
        (proof,) = proofs_of(connection, [salted["decision_id"]])
    assert root_by(proof.leaf, proof.way) == before.root
    with pytest.raises(NotReplayable, match="erased"):
        replay(store, bundles, salted["decision_id"])
    target(message(declared(112, consignor=sender(112), version=2, gross_mass_kg=9.0), message_id="M9"), desk)
    assert faults(store, tmp_path) == []


def test_what_was_touched_meanwhile_is_lifted(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = desk.journal.store

    def meanwhile(*given: Any) -> Any:
        emptied = emptying.empty_whole(*given)
        desk.journal.learn(results(outcome(115)))
        return emptied

    monkeypatch.setattr(erasure, "empty_whole", meanwhile)
    erased(store, EVERY)
    assert counted(store, RECORD_LIFTED) > LARGE - 4
    assert faults(store, tmp_path) == []
    assert len(list(store.records.folder.iterdir())) == 2


def _fails(*_: Any) -> Any:
    raise OSError("the disk is full")


@pytest.mark.parametrize("where", ["forget_consignments", "append", "list_emptied", "_erase_rows"])
def test_a_fault_within_leaves_all_as_it_was(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    store = desk.journal.store
    before = listed(store)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, where, _fails)
        with pytest.raises(OSError, match="full"):
            erased(store, EVERY)
    assert listed(store) == before
    assert len(list(store.records.folder.iterdir())) == 2
    assert faults(store, tmp_path) == []
    assert desk.journal.decisions_on(number(112))


def test_an_interrupt_after_the_commit_leaves_what_is_listed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = desk.journal.store
    write = store.write

    def interrupted(work: Callable[[sa.Connection], Any]) -> Any:
        write(work)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            erased(store, EVERY)
    assert desk.journal.decisions_on(number(112)) == []
    assert faults(store, tmp_path) == []


def test_who_dies_before_the_former_file_is_deleted_leaves_a_stray(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = desk.journal.store
    monkeypatch.setattr(erasure, "drop_replaced", lambda *_: None)
    erased(store, EVERY)
    assert faults(store, tmp_path) == []
    names = [name for one in listed(store) for name in (one.file, one.keys)]
    assert store.records.delete_strays(names, time.time() + 60) == 2
    assert faults(store, tmp_path) == []


def test_an_emptied_file_is_verified(desk: Desk, tmp_path: Path) -> None:
    store = desk.journal.store
    erased(store, EVERY)
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    original = path.read_bytes()
    for name, value in (("salt", "00"), ("body", '{"risk":1}'), ("declaration.content_sha256", "00"), ("more", "x")):
        _with(path, name, value)
        _listed_as(store, path)
        assert any("content stands in its file" in fault for fault in faults(store, tmp_path)), name
        path.write_bytes(original)
    _listed_as(store, path)
    with store.engine.begin() as connection:
        connection.execute(sa.delete(CHAIN).where(CHAIN.c.kind == "erasure", CHAIN.c.subject == segment.segment_id))
    assert any("no erasure is on the chain" in fault for fault in faults(store, tmp_path))


def _with(path: Path, name: str, value: str) -> None:
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.schema_arrow.metadata
    texts = pa.array([value] * read.num_rows, pa.string())
    at = read.column_names.index(name) if name in read.column_names else None
    changed = read.append_column(name, texts) if at is None else read.set_column(at, name, texts)
    with pq.ParquetWriter(path, changed.schema, store_schema=False) as writer:
        writer.add_key_value_metadata(said)
        writer.write_table(changed)


def _listed_as(store: Store, path: Path) -> None:
    store.records._opened.clear()
    with store.engine.begin() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(file_sha256=sha256_of(path)))
