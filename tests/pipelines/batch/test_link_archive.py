"""`tamis link` on a world whose truth is known: who belongs together, honest forwarders and siblings included."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.catalogue import INPUTS
from features.fault import Fault
from features.parties import Unlinked
from features.parties.graph import Graph
from pipelines.batch.archive import Archive
from pipelines.batch.link_archive import forget, resolve
from pipelines.benchmark.network_quality import pairwise
from pipelines.training.training_frame import build_training_frame, linked
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import whole_graph
from service.settings import Settings
from service.store.database import open_store
from tests.worlds import SmallWorld


@pytest.fixture
def home(small_world: SmallWorld, tmp_path: Path) -> Settings:
    """A copy of the small world's home, linking switched off."""
    shutil.copytree(small_world.home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


def switched_on(settings: Settings) -> LinkingSwitch:
    switch = LinkingSwitch(settings.linking)
    switch.turn_on("tests", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    return switch


def held(settings: Settings) -> Graph:
    store = open_store(settings)
    with store.reading() as connection:
        graph = whole_graph(connection)
    store.close()
    return graph


def test_switched_off_nothing_is_resolved(home: Settings) -> None:
    with pytest.raises(Fault, match="tamis link --on --by NAME --basis TEXT"):
        resolve(home)


def test_who_belongs_together_is_found_and_strangers_stay_apart(home: Settings, small_world: SmallWorld) -> None:
    switched_on(home)
    done = resolve(home)
    graph = held(home)
    assert done.cards == len(graph.cards) > 500
    truth = pl.read_parquet(small_world.manifests[0].parent.parent / "truth.parquet")
    figures = pairwise(Archive(home.archive).consignments(), graph.network_of, truth)
    assert figures["precision"] > 0.97
    assert figures["recall"] > 0.6


def test_switched_off_again_nothing_is_left(home: Settings) -> None:
    switched_on(home)
    resolve(home)
    forget(home)
    assert not held(home).cards
    assert not LinkingSwitch(home.linking).on


def test_training_attributes_each_row_by_what_was_known_then(home: Settings, small_world: SmallWorld) -> None:
    archive = Archive(home.archive, linking=True)
    frame = build_training_frame(archive, INPUTS, end=small_world.end)
    cards = frame.rows.frame["network_cards"]
    assert cards.min() == 1.0
    assert max(cards.to_list()) > 3.0
    whole = linked(archive.consignments())
    early = archive.consignments(None, small_world.end - timedelta(days=5))
    short = linked(early)
    both = whole.frame.join(short.frame, on=["message_id", "consignment_id", "version"], how="inner")
    assert both["network_cards"].equals(both["network_cards_right"])
    assert both["network_members"].equals(both["network_members_right"])


def test_without_linking_networks_are_unknown_to_a_model(home: Settings, small_world: SmallWorld) -> None:
    frame = build_training_frame(Archive(home.archive), INPUTS, end=small_world.end)
    assert frame.rows.frame["network_cards"].null_count() == len(frame.rows.frame)
    assert frame.rows.frame["network_hit_rate"].null_count() == len(frame.rows.frame)
    assert Unlinked().link(frame.labelled).frame["party_id"].null_count() == len(frame.labelled)
