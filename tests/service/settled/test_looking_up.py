"""A call looks for its consignments in one directory over many files, and finds what each file alone would give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from service.desk import Desk
from service.scoring import Model
from service.store.database import Store
from service.store.merged_keys import APART, SUFFIX, name_of, open_directory
from service.store.record_files import CONSIGNMENT
from service.store.settled_rows import Segment, decided_of, declared_of, located, scanned, segments_listed
from service.store.tables import DECISIONS, DECLARATIONS
from service.targeting import target
from tests.service.quick import desk_of
from tests.service.settled.messages import LARGE, large, number, store_with_files

FILES = APART + 1


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that settles large messages."""
    return store_with_files(tmp_path)


@pytest.fixture
def desk(store: Store, model: Model) -> Desk:
    """A desk over it, after several messages of which nothing is asked."""
    made = desk_of(store, model)
    for nth in range(FILES + 1):
        target(large(1 + 100 * nth, f"M{nth}"), made)
    return made


def found(store: Store, *numbers: str) -> dict[str, tuple[str, int]]:
    """Where consignments stand."""
    with store.reading() as connection:
        return {
            name: (segment.file, place)
            for segment, places, names in located(connection, numbers, CONSIGNMENT)
            for place, name in zip(places.tolist(), names, strict=True)
        }


def test_one_directory_finds_what_each_file_finds(desk: Desk, store: Store) -> None:
    every = [number(100 * nth + of) for nth in range(FILES + 1) for of in range(1, LARGE + 1)]
    apart = found(store, *every, "ABSENT")
    assert len(apart) > FILES * (LARGE - 2)
    desk.journal.settle()
    (path,) = store.records.folder.glob(f"*{SUFFIX}")
    directory = open_directory(path)
    assert directory is not None
    assert len(directory.over) == FILES
    assert found(store, *every, "ABSENT") == apart
    target(large(9_001, "later"), desk)
    assert found(store, number(9_005), number(105)).keys() == {number(9_005), number(105)}
    assert not store.records.merge_keys([(one.keys, one.rows) for one in _listed(store)])


def test_one_that_is_not_whole_or_over_other_files_is_not_used(desk: Desk, store: Store) -> None:
    desk.journal.settle()
    (path,) = store.records.folder.glob(f"*{SUFFIX}")
    content = path.read_bytes()
    for changed in (b"", content[:4], content[:-1], b"\x00" * len(content)):
        path.write_bytes(changed)
        assert open_directory(path) is None
    path.write_bytes(content)
    path.rename(path.with_name(name_of([("another.keys", 3)])))
    assert open_directory(path.with_name(name_of([("another.keys", 3)]))) is None
    assert found(store, number(110)).keys() == {number(110)}


def _listed(store: Store) -> list[Segment]:
    with store.reading() as connection:
        return segments_listed(connection)


def test_a_file_of_before_a_column_came_lacks_it(desk: Desk, store: Store) -> None:
    file, _ = found(store, number(110))[number(110)]
    segment = next(one for one in _listed(store) if one.file == file)
    path = store.records.folder / file
    store.records._opened.clear()
    pq.write_table(pq.read_table(path).drop_columns(["mode", "declaration.card"]), path, row_group_size=1_000)
    with store.reading() as connection:
        wanted = [row["consignment_id"] for row in decided_of(connection, ["consignment_id"], [number(110)])]
        decided = decided_of(connection, ("mode", "risk", "stands"), wanted)
        cards = [row["card"] for row in declared_of(connection, ["card"], wanted)]
        scan = [rows.column_names for _, rows in scanned(connection, DECISIONS, ["mode", "day"], [segment])]
        with pytest.raises(ValueError, match="row by row"):  # a file need not hold the hash of a content
            next(scanned(connection, DECLARATIONS, ["content_sha256"], [segment]))
    assert [(row["mode"], row["stands"]) for row in decided] == [(None, True)]
    assert decided[0]["risk"] is not None
    assert cards == [None]
    assert scan == [["mode", "day"]]


def test_threads_read_beside_one_another(desk: Desk, store: Store) -> None:
    wanted = [number(100 * nth + of) for nth in range(1, FILES + 1) for of in (3, 9)]

    def bodies(_: int) -> list[str]:
        with store.reading() as connection:
            return sorted(row["body"]["decision_id"] for row in decided_of(connection, ["body"], wanted))

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(bodies, range(40)))
    assert told == [told[0]] * 40
    assert len(told[0]) == len(wanted)
