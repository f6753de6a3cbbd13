"""Files of settled history in the form of before and in today's: both are read, and a merge writes today's."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from features.fault import Fault
from features.history.facts import FACTS
from features.history.running_totals import running_totals
from features.history.totals import FactTable, HistoryUnavailable
from features.history.windows import read_windows
from service.history import compaction
from service.history.compaction import settle
from service.history.posting import list_segment, segments_listed
from service.history.stored_history import StoredHistory
from service.store.database import Store
from service.store.segment_files import FORM, FORM_KEY, LOW, Part, Segment, SegmentFiles, SegmentGone, mapped
from tests.history_world import READINGS, World, former_reads, history_world, same
from tests.oracle.history import segment_files as former

NOW = 10**18


@pytest.fixture(scope="module")
def world() -> World:
    return history_world()


def of_before(folder: Path, running: pl.DataFrame, level: int = 0) -> Segment:
    """A segment as the former code wrote it."""
    written = former.SegmentFiles(folder).write([(LOW, running)], level)
    return Segment(written.segment_id, written.level, tuple(Part(**asdict(part)) for part in written.parts))


def path_of(folder: Path, segment: Segment) -> Path:
    (part,) = segment.parts
    return folder / part.file


def form_of(path: Path) -> int:
    with pa.memory_map(str(path)) as file:
        return int(pa.ipc.open_file(file).schema.metadata[FORM_KEY])


@pytest.mark.parametrize(
    "some",
    [FACTS, ("lodged",), ("value", "hits"), FACTS[:1], FACTS[-3:], ("mass", "value", "lodged", "pieces"), ()],
    ids=len,
)
def test_both_forms_hold_the_same(tmp_path: Path, world: World, some: tuple[str, ...]) -> None:
    """A fact that is nothing everywhere stands in neither; rows stay where all of them are nothing."""
    rest = [fact for fact in FACTS if fact not in some]
    running = running_totals(world.facts[:5_000]).with_columns(pl.lit(0, pl.Int64).alias(fact) for fact in rest)
    files = SegmentFiles(tmp_path)
    segments = [of_before(tmp_path, running), files.write([(LOW, running)], 0)]
    assert [form_of(path_of(tmp_path, segment)) for segment in segments] == [1, FORM] == [1, 2]
    for segment in segments:
        frame = files.frame(path_of(tmp_path, segment).name)
        held = {name: frame[name].cast(pl.Int64).to_list() for name in frame.columns}
        assert held == {name: running[name].to_list() for name in ("entity", "known_at", *FACTS) if name not in rest}


def test_ranges_of_entities_are_cut_out_of_both_forms(tmp_path: Path, world: World) -> None:
    running = running_totals(world.facts[:2_000])
    entities = running["entity"].unique().sort().to_list()
    paths = [
        path_of(tmp_path, of_before(tmp_path, running)),
        path_of(tmp_path, SegmentFiles(tmp_path).write([(LOW, running)], 0)),
    ]
    bounds = [(LOW, NOW), (entities[3], entities[3]), (entities[3] + 1, entities[9] - 1), (entities[-1], 2**63 - 1),
              (entities[0] + 1, entities[0] + 1), (entities[5], entities[4])]  # fmt: skip
    for low, high in bounds:
        expected = running.filter(pl.col("entity").is_between(low, high))
        for path in paths:
            held = mapped(path).columns(low, high)
            assert held["entity"].tolist() == expected["entity"].to_list()
            assert held["known_at"].tolist() == expected["known_at"].to_list()
            assert held["value"].tolist() == expected["value"].to_list()


def test_a_store_with_files_of_both_forms_reads_and_merges_them(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = [world.facts.gather_every(8, offset) for offset in range(4)]
    keyed = [running_totals(store.pseudonyms.keyed_columns(part, "entity")) for part in facts]
    for number, running in enumerate(keyed):
        segment = of_before(store.segments.folder, running) if number % 2 else store.segments.write([(LOW, running)], 0)
        with store.writing() as connection:
            list_segment(connection, segment)
    expected, history = former_reads(world.asked, pl.concat(facts)), StoredHistory(store)
    assert same(read_windows(READINGS, world.asked, history), expected)
    assert same(read_windows(READINGS, world.asked[5], history), expected[5])
    entities = np.unique(facts[0]["entity"].to_numpy())
    parts = [table.columns()["entity"] for table in history.parts(entities)]
    assert all(np.array_equal(np.unique(part), part[np.append(True, part[1:] != part[:-1])]) for part in parts)
    monkeypatch.setattr(compaction, "FANOUT", 2)
    assert settle(store).merged >= 4
    with store.reading() as connection:
        kept = segments_listed(connection)
    assert {form_of(path_of(store.segments.folder, segment)) for segment in kept} == {FORM}
    assert same(read_windows(READINGS, world.asked, history), expected)


def test_a_file_of_a_later_form_is_refused_with_the_remedy(tmp_path: Path, world: World) -> None:
    path = path_of(tmp_path, SegmentFiles(tmp_path).write([(LOW, running_totals(world.facts[:50]))], 0))
    batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    later = batch.replace_schema_metadata({**batch.schema.metadata, FORM_KEY: str(FORM + 1).encode()})
    with pa.ipc.new_file(str(tmp_path / "later.arrow"), later.schema) as writer:
        writer.write_batch(later)
    with pytest.raises(Fault, match=f"a later version; this one reads forms up to {FORM}"):
        mapped(tmp_path / "later.arrow")


@pytest.mark.parametrize("cut", [0, 1, 7, 100, -1])
def test_a_file_that_is_cut_off_is_unavailable(tmp_path: Path, world: World, cut: int) -> None:
    path = path_of(tmp_path, SegmentFiles(tmp_path).write([(LOW, running_totals(world.facts[:50]))], 0))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(HistoryUnavailable, match=path.name):
        mapped(path)


def test_a_file_that_is_gone_was_merged(tmp_path: Path) -> None:
    with pytest.raises(SegmentGone, match=r"gone\.arrow"):
        mapped(tmp_path / "gone.arrow")


def test_files_are_mapped_and_not_read(tmp_path: Path, world: World) -> None:
    path = path_of(tmp_path, SegmentFiles(tmp_path).write([(LOW, running_totals(world.facts))], 0))
    before = pa.total_allocated_bytes()
    table: FactTable = mapped(path)
    assert len(table) > 10_000
    assert pa.total_allocated_bytes() - before < 10_000
