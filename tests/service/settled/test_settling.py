"""A file counts from its transaction on and never by half, and whatever was changed in one is named."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from service.audit.verify import Verified, verify_record
from service.desk import Desk
from service.record import settling
from service.recording import Recorder
from service.scoring import Model
from service.store.database import Store
from service.store.home_backup import copy_store
from service.store.record_files import sha256_of
from service.store.record_tables import RECORD_SEGMENTS
from service.store.settled_layout import METADATA
from service.store.settled_rows import LEAF, Segment, segments_listed
from service.store.tables import DECISIONS
from service.targeting import target
from tests.service.building import declared, message
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, sender, store_with_files

KILLS = 2  # `make prove` kills more often, and test_killed_acts.py kills settling among other acts
WRITER = """
import sys
from pathlib import Path
from tests.service.quick import desk_of, quick_model
from tests.service.settled.messages import large, store_with_files
from service.targeting import target
folder, first = Path(sys.argv[1]), int(sys.argv[2])
desk = desk_of(store_with_files(folder), quick_model())
print("begins", flush=True)
for nth in range(first, 10_000):
    target(large(1 + 100 * nth, f"M{nth}"), desk)
    print(nth, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that settles large messages."""
    return store_with_files(tmp_path)


@pytest.fixture
def desk(store: Store, model: Model) -> Desk:
    """A desk over it, after a message of which nothing is asked."""
    made = desk_of(store, model)
    target(large(), made)
    target(large(101, "M2"), made)
    return made


def listed(store: Store) -> list[Segment]:
    """The files that count."""
    with store.reading() as connection:
        return segments_listed(connection)


def verified(store: Store, folder: Path) -> Verified:
    """Verify a store."""
    return verify_record(store, folder / "checkpoints", folder / "keys")


def test_what_came_on_record_meanwhile_sends_all_into_rows(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    beside = desk_of(store, desk.model)
    settle = settling.settle_quiet

    def late(*given: Any) -> Any:
        settled = settle(*given)
        if settled is not None:
            monkeypatch.undo()
            target(message(declared(205, consignor=sender(205)), message_id="M3"), beside)
        return settled

    monkeypatch.setattr("service.recording.settle_quiet", late)
    given = target(large(201, "M3"), desk)
    assert given.before.count(True) == 1
    assert len(listed(store)) == 1
    assert len(list(store.records.folder.iterdir())) == 2
    assert verified(store, tmp_path).faults == []


def test_a_fault_leaves_no_file_and_no_row(desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Recorder, "_decide", fails)
    with pytest.raises(OSError, match="full"):
        target(large(201, "M3"), desk)
    monkeypatch.undo()
    assert len(list(store.records.folder.iterdir())) == 2
    assert desk.journal.decisions_on(number(201)) == []
    assert not target(large(201, "M3"), desk).replayed


def test_an_interrupt_right_after_the_commit_leaves_the_file(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write = store.write

    def interrupted(work: Callable[[sa.Connection], Any]) -> Any:
        write(work)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        target(large(201, "M3"), desk)
    monkeypatch.undo()
    assert len(listed(store)) == 2
    assert verified(store, tmp_path).faults == []
    assert target(large(201, "M3"), desk).replayed


def test_a_history_that_cannot_be_read_sends_all_into_rows(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "_facts", lambda *_: (None, None))
    target(large(201, "M3"), desk)
    assert len(listed(store)) == 1
    assert len(desk.journal.decisions_on(number(210))) == 1


def test_strays_are_deleted_and_nothing_else(desk: Desk, store: Store) -> None:
    (store.records.folder / "stray.parquet").write_bytes(b"of one who died over it")
    names = [name for one in listed(store) for name in (one.file, one.keys)]
    assert store.records.delete_strays(names, time.time() - 60) == 0
    assert store.records.delete_strays(names, time.time() + 60) == 1
    assert sorted(path.name for path in store.records.folder.iterdir()) == sorted(names)
    assert desk.journal.decisions_on(number(110))


def test_a_copy_of_the_store_has_its_files(desk: Desk, store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    _, copied = copy_store(store, tmp_path / "copy")
    (segment,) = listed(store)
    assert {f"store.db.record/{segment.file}", f"store.db.record/{segment.keys}"} <= {name for name, _ in copied}
    assert desk.journal.decisions_on(number(110))


def test_every_change_of_a_file_is_named(desk: Desk, store: Store, tmp_path: Path) -> None:
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    original = path.read_bytes()
    assert verified(store, tmp_path).faults == []
    for change in CHANGES:
        change(store, path)
        store.records._opened.clear()
        faults = verified(store, tmp_path).faults
        assert faults, change.__name__
        path.write_bytes(original)
        _forged(store, sha256_of(path))
    store.records._opened.clear()
    assert desk.journal.decisions_on(number(110))


def _a_byte(store: Store, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _gone(store: Store, path: Path) -> None:
    path.unlink()


def _lane_changed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update(clearance="red"))


def _risk_changed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update(risk=0.5))


def _body_changed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update({"body.policy_id": "another"}))


def _reasons_changed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update({"body.reasons": '[{"code":"rule.another"}]'}))


def _score_changed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update({"row_as_scored.gross_mass_kg": 17.0}))


def _fields_exchanged(store: Store, path: Path) -> None:
    def change(said: bytes) -> bytes:
        fields = (b'["party_id","body.party_id"', b'["party_id","body.policy_id"')
        assert fields[0] in said
        return said.replace(*fields)

    _rewritten(store, path, list, change)


def _leaf_made_to_fit(store: Store, path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[3][LEAF] = hashlib.sha256(b"another").digest()

    _rewritten(store, path, change)


def _declaration_changed(store: Store, path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[3]["declaration.body.goods"][0]["description"] = "dancing shoes"

    _rewritten(store, path, change)


def _content_removed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows[3].update({name: None for name in rows[3] if name.startswith("body")}))


def _row_removed(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows.pop(3))


def _rows_exchanged(store: Store, path: Path) -> None:
    _rewritten(store, path, lambda rows: rows.insert(3, rows.pop(4)))


CHANGES: tuple[Callable[[Store, Path], None], ...] = (
    _a_byte, _gone, _lane_changed, _risk_changed, _body_changed, _reasons_changed, _score_changed, _fields_exchanged,
    _leaf_made_to_fit, _declaration_changed, _content_removed, _row_removed, _rows_exchanged,
)  # fmt: skip


def _rewritten(
    store: Store,
    path: Path,
    change: Callable[[list[dict[str, Any]]], Any],
    of_layout: Callable[[bytes], bytes] = lambda said: said,
) -> None:
    """Change rows of a file, and the hash by which it is listed with it, as one would who has the disk."""
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.metadata.metadata
    rows = read.to_pylist()
    change(rows)
    with pq.ParquetWriter(path, read.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({METADATA: of_layout(said[METADATA])})
        writer.write_table(pa.Table.from_pylist(rows, read.schema))
    _forged(store, sha256_of(path))


def _forged(store: Store, sha256: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(file_sha256=sha256))


@pytest.mark.process
def test_killed_at_any_moment_nothing_is_lost_and_nothing_there_by_half(tmp_path: Path) -> None:
    kills = int(os.environ.get("TAMIS_PROVE_KILLS", KILLS))
    acknowledged: list[int] = []
    drawn = random.Random(7)
    for _ in range(kills):
        first = max(acknowledged, default=-1) + 1
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "begins"
        time.sleep(drawn.uniform(0.05, 1.2))
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]
        writer.wait()
    store = store_with_files(tmp_path)
    assert acknowledged
    assert acknowledged == sorted(set(acknowledged))
    with store.reading() as connection:
        in_rows = connection.execute(sa.select(sa.func.count()).select_from(DECISIONS)).scalar_one()
    on_record = in_rows + sum(segment.rows for segment in listed(store))
    assert on_record % LARGE == 0
    assert len(acknowledged) * LARGE <= on_record <= (len(acknowledged) + kills) * LARGE
    assert verified(store, tmp_path).faults == []
    names = [name for one in listed(store) for name in (one.file, one.keys)]
    store.records.delete_strays(names, time.time() + 60)
    assert sorted(path.name for path in store.records.folder.iterdir()) == sorted(names)
