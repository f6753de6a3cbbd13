"""A file as earlier versions wrote it, with hashes as texts and that of each declaration, is read as one of today."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.desk import Desk
from service.record.consignment_versions import Conflict
from service.scoring import Model
from service.store.database import Store
from service.store.record_files import RecordGone, sha256_of
from service.store.record_tables import RECORD_SEGMENTS
from service.store.settled_layout import HEXADECIMAL, METADATA, as_bytes, as_texts
from service.store.settled_rows import CONTENT_SHA256, decided_of, declared_of
from service.store.tables import DECISIONS, DECLARATIONS
from service.targeting import target
from tests.service.building import NOON, outcome, results
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, store_with_files
from tests.service.settled.test_settling import listed

NAMES = [number(of) for of in range(101, 101 + LARGE)]


@pytest.fixture
def desk(model: Model, tmp_path: Path) -> Desk:
    """A desk over a store with a file."""
    made = desk_of(store_with_files(tmp_path), model)
    target(large(), made)
    target(large(101, "M2"), made)
    return made


def rows_in(store: Store) -> list[list[dict[str, Any]]]:
    """All that tables would hold of what stands in files."""
    with store.reading() as connection:
        return [
            decided_of(connection, DECISIONS.c.keys(), NAMES),
            declared_of(connection, DECLARATIONS.c.keys(), NAMES),
        ]


def one_by_one(store: Store) -> list[list[dict[str, Any]]]:
    """The same, each row read by itself."""
    with store.reading() as connection:
        return [
            [row for name in NAMES for row in decided_of(connection, DECISIONS.c.keys(), [name])],
            [row for name in NAMES for row in declared_of(connection, DECLARATIONS.c.keys(), [name])],
        ]


def make_former(store: Store) -> None:
    """Write the file as earlier versions did."""
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    with pq.ParquetFile(path) as file:
        read, said = as_texts(file.read()), file.metadata.metadata
    hashes = {row["consignment_id"]: row["content_sha256"] for row in rows_in(store)[1]}
    named = [hashes[name] for name in read.column("consignment_id").to_pylist()]
    former = read.append_column(CONTENT_SHA256, pa.array(named))
    with pq.ParquetWriter(path, former.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({METADATA: said[METADATA]})
        writer.write_table(former)
    store.records._opened.clear()
    with store.writing() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(file_sha256=sha256_of(path)))


def faults(store: Store, folder: Path) -> list[str]:
    """What is wrong beside the digest of the list, which the test has changed."""
    found = verify_record(store, folder / "checkpoints", folder / "keys").faults
    return [fault for fault in found if "record_segments" not in fault]


def test_it_is_read_verified_and_touched_as_one_of_today(desk: Desk, tmp_path: Path) -> None:
    store = desk.journal.store
    before = rows_in(store)
    assert len(before[0]) > LARGE - 4
    assert one_by_one(store) == before
    make_former(store)
    assert rows_in(store) == one_by_one(store) == before
    assert faults(store, tmp_path) == []
    assert target(large(101, "M2"), desk).replayed
    with pytest.raises(Conflict):
        target(large(101, "M2", gross_mass_kg=3.5), desk)
    desk.journal.learn(results(outcome(110)))
    assert faults(store, tmp_path) == []
    erase(store, [number(112)], "A. Martin", "asked for", NOON + timedelta(days=2))
    assert faults(store, tmp_path) == []
    erase(store, NAMES, "A. Martin", "its time is over", NOON + timedelta(days=2))
    assert faults(store, tmp_path) == []
    emptied = rows_in(store)
    assert len(emptied[0]) > LARGE - 6
    assert one_by_one(store) == emptied


def test_a_row_by_itself_outlives_its_file_and_a_file_that_is_broken_says_so(desk: Desk) -> None:
    store = desk.journal.store
    (segment,) = listed(store)
    before, path = one_by_one(store), store.records.folder / segment.file
    content = path.read_bytes()
    path.unlink()
    assert one_by_one(store) == before  # whoever has it open reads on
    store.records._opened.clear()
    with pytest.raises(RecordGone, match="missing"):
        one_by_one(store)
    path.write_bytes(content[:4] + bytes(1_000) + content[1_004:])
    with pytest.raises(RecordGone, match="cannot be read"):
        one_by_one(store)


def test_a_hash_that_is_not_that_of_the_declaration_is_named(desk: Desk, tmp_path: Path) -> None:
    store = desk.journal.store
    make_former(store)
    (segment,) = listed(store)
    path = store.records.folder / segment.file
    with pq.ParquetFile(path) as file:
        read, said = file.read(), file.metadata.metadata
    at = read.column_names.index(CONTENT_SHA256)
    other = pa.array(["00" * 32, *read.column(at).to_pylist()[1:]])
    with pq.ParquetWriter(path, read.schema, store_schema=False) as writer:
        writer.add_key_value_metadata({METADATA: said[METADATA]})
        writer.write_table(read.set_column(at, CONTENT_SHA256, other))
    store.records._opened.clear()
    with store.writing() as connection:
        connection.execute(sa.update(RECORD_SEGMENTS).values(file_sha256=sha256_of(path)))
    assert any("decision" in fault for fault in faults(store, tmp_path))


def test_hashes_come_back_as_they_went() -> None:
    texts = {name: [None, "0f" * width, "a9" * width] for name, width in HEXADECIMAL.items()}
    rows = pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})
    assert as_texts(as_bytes(rows)).to_pydict() == texts
    assert as_texts(as_bytes(rows.slice(0, 1))).to_pydict() == {name: [None] for name in texts}
    with pytest.raises(pa.ArrowInvalid):
        as_bytes(pa.table({"salt": ["00"]}))
