"""Readings of history against the former code, bit for bit: one row, many, by the pass, in layers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from features.algebra.tables import Table
from features.history import windows
from features.history.named_entities import MEMBERS, named_by
from features.history.totals import FactTable, Layered
from features.history.windows import plan_of, read_history, read_windows
from tests.history_world import FACTS_IN_ALL, READINGS, ROWS, World, former_reads, history_world, same


@pytest.fixture(scope="module")
def world() -> World:
    return history_world()


def test_the_world_is_worth_asking(world: World) -> None:
    read = world.former()
    assert read.width == len(READINGS) > 330
    assert all(0 < column.null_count() < ROWS for column in read)
    assert all(column.drop_nulls().n_unique() > 1 for column in read)


def test_a_table_reads_as_before(world: World) -> None:
    assert same(read_windows(READINGS, world.asked, FactTable(world.facts)), world.former())


def test_rows_that_are_read_alone_read_as_before(world: World) -> None:
    table, expected = FactTable(world.facts), world.former()
    for row in range(0, ROWS, 11):
        assert same(read_windows(READINGS, world.asked[row], table), expected[row])


@pytest.mark.parametrize("rows", [1, 3, 64, 699, 700, 701])
def test_passes_read_as_the_whole(world: World, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(windows, "ROWS_PER_PASS", rows)
    asked = world.asked if rows > 1 else world.asked.gather_every(10)
    assert same(read_windows(READINGS, asked, FactTable(world.facts)), former_reads(asked, world.facts))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_layers_read_as_before(world: World, share: float) -> None:
    cut = round(share * FACTS_IN_ALL)
    layered = Layered(FactTable(world.facts[cut:]), FactTable(world.facts[:cut]))
    assert same(read_windows(READINGS, world.asked, layered), world.former())


def test_arrays_are_the_frame_with_nan_where_it_is_null(world: World) -> None:
    lodged_at = world.asked["lodged_at"].dt.epoch("us").to_numpy().astype(np.int64)
    named = named_by(Table.of_frame(world.asked), plan_of(READINGS).keys)
    columns = read_history(plan_of(READINGS), lodged_at, named, FactTable(world.facts))
    assert list(columns) == [reading.name for reading in READINGS]
    assert all(column.dtype == np.float64 and column.flags.c_contiguous for column in columns.values())
    assert same(pl.DataFrame(columns, nan_to_null=True), world.former())


def test_nobody_is_linked_where_the_frame_has_no_networks(world: World) -> None:
    asked = world.asked.drop(MEMBERS)
    assert same(read_windows(READINGS, asked, FactTable(world.facts)), former_reads(asked, world.facts))


def test_a_key_that_the_frame_lacks_is_an_error(world: World) -> None:
    with pytest.raises(KeyError, match="shop_entity"):
        read_windows(READINGS, world.asked.drop("shop_entity"), FactTable(world.facts))


def test_no_rows_have_no_readings(world: World) -> None:
    nothing = read_windows(READINGS, world.asked[:0], FactTable(world.facts))
    assert nothing.schema == pl.Schema({reading.name: pl.Float64 for reading in READINGS})
    assert nothing.is_empty()
