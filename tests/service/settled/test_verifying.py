"""Files are verified by their columns as they would be row by row, and a verification goes on from the last one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from service.audit import verify_settled
from service.audit.erasure import erase
from service.audit.verified_point import NAME, Point, keep_point, read_point
from service.audit.verify import Verified, verify_record
from service.desk import Desk
from service.record.checkpoints import checkpoint
from service.scoring import Model
from service.scoring.signature import SignatureFault, signing_key
from service.store.database import Store
from service.store.record_files import sha256_of
from service.store.record_tables import RECORD_SEGMENTS
from service.store.settled_layout import METADATA
from service.store.tables import CHAIN, DECISIONS
from service.targeting import target
from tests.service.building import NOON, outcome, results
from tests.service.quick import desk_of
from tests.service.settled.messages import large, number, store_with_files
from tests.service.settled.test_settling import CHANGES, _forged, listed

LATER = NOON + timedelta(days=2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that settles large messages."""
    return store_with_files(tmp_path)


@pytest.fixture
def desk(store: Store, model: Model, tmp_path: Path) -> Desk:
    """A desk over it, after a message of which nothing is asked; the installation has a key."""
    signing_key(tmp_path / "keys")
    made = desk_of(store, model)
    target(large(), made)
    target(large(101, "M2"), made)
    return made


def faults_of_files(store: Store) -> list[str]:
    """What differs in files."""
    with store.reading() as connection:
        return list(verify_settled.Files(store, connection).faults())


def by_rows(*given: Any) -> Any:
    """Stand in for the comparison by columns: it holds of nothing, so that each row is looked at."""
    return np.zeros(given[0].height, np.bool_)


def verified(store: Store, folder: Path, since: Point | None = None) -> Verified:
    """Verify a store."""
    return verify_record(store, folder / "checkpoints", folder / "keys", since=since)


def test_all_that_is_as_it_was_holds_by_its_columns(desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.journal.learn(results(outcome(110)))
    asked: list[Any] = []

    def of_places(*given: Any) -> Iterator[str]:
        asked.append(given)
        return iter(())

    monkeypatch.setattr(verify_settled, "_of_places", of_places)
    assert faults_of_files(store) == []
    assert asked == []


def test_columns_name_what_rows_name(desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    original = path.read_bytes()
    for change in (*CHANGES, _another_column_is_read, _office_changed, _day_changed, _taken_by_another):
        change(store, path)
        store.records._opened.clear()
        by_columns = faults_of_files(store)
        with monkeypatch.context() as patched:
            patched.setattr(verify_settled, "holding", by_rows)
            assert by_columns == faults_of_files(store), change.__name__
        assert by_columns, change.__name__
        path.write_bytes(original)
        _forged(store, sha256_of(path))
    store.records._opened.clear()
    assert faults_of_files(store) == []


def test_keys_of_others_and_groups_of_other_sizes_are_named(desk: Desk, store: Store) -> None:
    (segment,) = listed(store)
    path, keys = (store.records.folder / name for name in (segment.file, segment.keys))
    original = keys.read_bytes()
    keys.write_bytes(original[:8] + original[:8] + original[16:])
    with store.engine.begin() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(keys_sha256=sha256_of(keys)))
    assert "keys are not those" in faults_of_files(store)[0]
    keys.write_bytes(original)
    with store.engine.begin() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(keys_sha256=sha256_of(keys)))
    _in_groups(path, (2, 3))
    _forged(store, sha256_of(path))
    store.records._opened.clear()
    assert "groups of one size" in faults_of_files(store)[0]


def test_it_goes_on_from_the_last_one_and_says_so(desk: Desk, store: Store, tmp_path: Path) -> None:
    first = verified(store, tmp_path)
    assert keep_point(first.point(NOON), tmp_path / "checkpoints", tmp_path / "keys")
    checkpoint(store, tmp_path / "checkpoints", tmp_path / "keys", NOON)
    target(large(201, "M3"), desk)
    since = read_point(tmp_path / "checkpoints", tmp_path / "keys")
    assert since == first.point(NOON)
    on = verified(store, tmp_path, since)
    whole = verified(store, tmp_path)
    assert on.faults == whole.faults == []
    assert (on.entries, on.unread) == (whole.entries - first.entries, 1)
    assert on.point(LATER).whole_at == first.point(NOON).at
    assert replace(on.point(LATER), whole_at="") == replace(whole.point(LATER), whole_at="")
    assert verified(store, tmp_path, on.point(LATER)).entries == 0


@pytest.mark.parametrize("since_last", [True, False])
def test_what_was_changed_before_the_point_is_found_by_looking_at_everything(
    desk: Desk, store: Store, tmp_path: Path, since_last: bool
) -> None:
    since = verified(store, tmp_path).point(NOON) if since_last else None
    with store.engine.begin() as connection:
        of_first = sa.select(CHAIN.c.subject).where(CHAIN.c.kind == "decision").limit(1)
        changed = sa.update(DECISIONS).where(DECISIONS.c.decision_id == of_first.scalar_subquery())
        assert connection.execute(changed.values(clearance="red")).rowcount == 1
    assert verified(store, tmp_path, since).holds is since_last


def test_a_file_before_the_point_that_was_changed_is_found(desk: Desk, store: Store, tmp_path: Path) -> None:
    since = verified(store, tmp_path).point(NOON)
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    shutil.copy(path, tmp_path / "kept")
    CHANGES[0](store, path)
    assert "the file was changed" in verified(store, tmp_path, since).faults[0]
    shutil.copy(tmp_path / "kept", path)
    CHANGES[2](store, path)
    store.records._opened.clear()
    assert any("decision" in fault and "changed" in fault for fault in verified(store, tmp_path, since).faults)


def test_rows_lifted_and_files_written_anew_since_are_looked_at(desk: Desk, store: Store, tmp_path: Path) -> None:
    since = verified(store, tmp_path).point(NOON)
    desk.journal.learn(results(outcome(110)))
    on = verified(store, tmp_path, since)
    assert (on.faults, on.unread) == ([], 1)
    with store.engine.begin() as connection:
        connection.execute(sa.update(DECISIONS).where(DECISIONS.c.consignment_id == number(110)).values(risk=0.5))
    assert [fault for fault in verified(store, tmp_path, since).faults if "decision was changed" in fault]
    erase(store, [number(112)], "A. Martin", "asked for", LATER)
    assert verified(store, tmp_path, since).unread == 0


def test_a_log_that_is_another_one_before_the_point_is_named(desk: Desk, store: Store, tmp_path: Path) -> None:
    since = verified(store, tmp_path).point(NOON)
    assert "not the one that was verified" in verified(store, tmp_path, replace(since, hash="0" * 64)).faults[0]
    with store.engine.begin() as connection:
        connection.execute(sa.delete(CHAIN).where(CHAIN.c.number == 1))
    on = verified(store, tmp_path, since)
    assert "not the one that was verified" in on.faults[0]
    assert any(fault.startswith("entry 1: missing") for fault in on.faults), "everything is looked at then"


def test_a_point_counts_where_the_installation_signed_it(desk: Desk, store: Store, tmp_path: Path) -> None:
    folder, keys = tmp_path / "checkpoints", tmp_path / "keys"
    assert read_point(folder, keys) is None
    point = verified(store, tmp_path).point(NOON)
    assert not keep_point(point, folder, tmp_path / "no keys")
    assert keep_point(point, folder, keys)
    written = (folder / NAME).read_text()
    for forged in (written.replace(f'"number": {point.number}', f'"number": {point.number + 1}'), "{}", "no JSON"):
        assert forged != written
        (folder / NAME).write_text(forged)
        with pytest.raises(SignatureFault):
            read_point(folder, keys)


def _another_column_is_read(store: Store, path: Path) -> None:
    """The content is read from a column beside, so that it has its hash, and queries read what was changed."""
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.metadata.metadata
    beside = read.append_column("beside", read.column("clearance"))
    lanes = pa.array(["red", *read.column("clearance").to_pylist()[1:]])
    changed = beside.set_column(beside.column_names.index("clearance"), "clearance", lanes)
    layout = said[METADATA].replace(b'["clearance","clearance"', b'["clearance","beside"')
    assert layout != said[METADATA]
    _written(path, changed, layout)
    _forged(store, sha256_of(path))


def _office_changed(store: Store, path: Path) -> None:
    _column_changed(store, path, "office", "FRORY1")


def _day_changed(store: Store, path: Path) -> None:
    _column_changed(store, path, "day", 1)


def _taken_by_another(store: Store, path: Path) -> None:
    _column_changed(store, path, "declaration.office", "FRORY1")


def _column_changed(store: Store, path: Path, name: str, value: Any) -> None:
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.metadata.metadata
    column = read.column(name)
    changed = pa.array([value, *column.to_pylist()[1:]], column.type)
    _written(path, read.set_column(read.column_names.index(name), name, changed), said[METADATA])
    _forged(store, sha256_of(path))


def _in_groups(path: Path, sizes: tuple[int, ...]) -> None:
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.metadata.metadata
    with pq.ParquetWriter(path, read.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({METADATA: said[METADATA]})
        start = 0
        for size in (*sizes, read.num_rows - sum(sizes)):
            writer.write_table(read.slice(start, size))
            start += size


def _written(path: Path, table: pa.Table, layout: bytes) -> None:
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({METADATA: layout})
        writer.write_table(table)
