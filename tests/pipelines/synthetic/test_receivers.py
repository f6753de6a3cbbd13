"""Schemes of the receiving side: what is planted is there, and senders give nothing away."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.synthetic import build_world, load_world
from pipelines.synthetic.receivers import is_receiving, with_receivers

SCHEMES = [scheme for scheme in with_receivers(load_world()).schemes if is_receiving(scheme)]


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """First versions of 20 days with their truth."""
    out = tmp_path_factory.mktemp("receivers")
    build_world(20, 800, 5, out, receivers=True)
    lines = pl.read_parquet(out / "manifests" / "*.parquet").filter(version=1, line_no=1)
    return lines.join(pl.read_parquet(out / "truth.parquet"), on="consignment_id")


def test_the_schemes_are_the_four_of_the_receiving_side() -> None:
    assert [s.name for s in SCHEMES] == ["domestic_reseller", "names_at_one_house", "relatives", "drop_point"]
    assert not [scheme.name for scheme in load_world().schemes if is_receiving(scheme)]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_parcels_of_an_actor_go_to_few_homes_from_many_senders(parcels: pl.DataFrame, scheme: object) -> None:
    of_scheme = parcels.filter(scheme=scheme.name)  # type: ignore[attr-defined]
    assert of_scheme["illicit"].any()
    for (_,), of_actor in of_scheme.group_by("actor_id"):
        homes = of_actor["consignee_address"].n_unique()
        most = scheme.homes * (1 + (20 // scheme.home_days + 1 if scheme.home_days else 0))  # type: ignore[attr-defined]
        assert homes <= most
        assert of_actor["consignor_name"].n_unique() > of_actor.height / 2
        assert of_actor.group_by("consignee_address").agg(pl.col("consignee_name").n_unique())[
            "consignee_name"
        ].max() <= scheme.home_names  # type: ignore[attr-defined]  # fmt: skip


def test_their_senders_send_honest_parcels_too(parcels: pl.DataFrame) -> None:
    names = [scheme.name for scheme in SCHEMES]
    senders = parcels.filter(pl.col("scheme").is_in(names) & pl.col("illicit"))["consignor_id"].drop_nulls().unique()
    honest = parcels.filter(pl.col("consignor_id").is_in(senders.implode()) & (pl.col("scheme") == "honest"))
    assert honest.height > 3 * len(senders)


def test_honest_points_buildings_and_eager_homes_look_alike(parcels: pl.DataFrame) -> None:
    honest = parcels.filter(scheme="honest").group_by("consignee_address", "consignee_postcode")
    homes = honest.agg(pl.len(), names=pl.col("consignee_name").n_unique())
    assert homes.filter(pl.col("names") > 20).height >= 10, "points"
    assert homes.filter((pl.col("len") >= 5) & (pl.col("names") <= 3)).height >= 10, "homes that buy a lot"


def test_the_same_seed_gives_the_same_world_with_receivers_and_without(tmp_path: Path) -> None:
    for name, receivers in (("a", True), ("b", True), ("c", False)):
        build_world(3, 100, 5, tmp_path / name, receivers=receivers)
    a, b, c = (pl.read_parquet(tmp_path / name / "truth.parquet") for name in "abc")
    assert a.equals(b)
    assert not a.equals(c)
