"""Importers that undervalue come first in the list for audits, in five worlds; what an audit found counts instead."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.fault import Fault
from pipelines.synthetic import Simulation, load_world
from service.oversight.operators import FOUND, KINDS, LINES, Operator, operators_of
from service.oversight.rates import load_rates

WORLDS, DAYS, PER_DAY = (1, 2, 3, 4, 5), 8, 600
IMPORTERS, PLANTED, FIRST = 150, 15, 10
NOTHING_FOUND = FOUND.to_frame()


@cache
def planted(seed: int) -> tuple[pl.DataFrame, frozenset[str]]:
    """LINES of a world that 150 importers bring in, and the 15 that declare half the value of most lines."""
    world = load_world().vary(flow={"amendment_share": 0.0})
    simulated = Simulation(world, DAYS, PER_DAY, seed, date(2026, 1, 5))
    rows = pl.concat([simulated.lodge(inspect=False).manifest for _ in range(DAYS)])
    rng = np.random.default_rng(seed)
    names = [f"FR{n:09d}" for n in range(IMPORTERS)]
    numbers = rows["consignment_id"].unique(maintain_order=True)
    weights = 1.0 / np.arange(1, IMPORTERS + 1)
    whose = pl.DataFrame(
        {"consignment_id": numbers, "importer": rng.choice(names, len(numbers), p=weights / weights.sum())}
    )
    cheats = frozenset(rng.choice(names[:100], PLANTED, replace=False).tolist())  # not among those of a few parcels
    joined = rows.join(whose, on="consignment_id", maintain_order="left")
    lowered = joined["importer"].is_in(list(cheats)) & pl.Series(rng.random(rows.height) < 0.8)
    lines = joined.with_columns(
        pl.when(lowered).then(pl.col("value") * 0.5).otherwise("value").alias("value"),
        pl.col("goods_origin_country").alias("origin"),
        pl.col("net_mass_kg").alias("mass"),
        *(pl.lit(None, pl.String).alias(kind) for kind in KINDS if kind != "importer"),
    )
    return lines.select(LINES.names()).cast(dict(LINES)), cheats  # type: ignore[arg-type]


def precision(names: list[str], cheats: frozenset[str]) -> float:
    return sum(name in cheats for name in names[:FIRST]) / FIRST


@pytest.mark.parametrize("seed", WORLDS)
def test_importers_that_undervalue_come_first(seed: int) -> None:
    lines, cheats = planted(seed)
    ranked = [one.name for one in operators_of(lines, NOTHING_FOUND, load_rates(), "importer", FIRST)]
    by_parcels = (
        lines.group_by("importer").agg(pl.col("consignment_id").n_unique()).sort("consignment_id", descending=True)
    )
    of_stake, of_parcels = precision(ranked, cheats), precision(by_parcels["importer"].to_list(), cheats)
    assert of_stake >= 0.8, (of_stake, of_parcels)
    assert of_stake >= of_parcels + 0.4


def lines_of(*given: tuple[str, int, float]) -> pl.DataFrame:
    """One-line consignments of importers: whose, how many, and the price of a piece."""
    rows = [
        {"consignment_id": f"{name}-{n}", "importer": name, "hs_code": "640411", "origin": "CN", "quantity": 2.0,
         "value": 2.0 * price * (1.0 + 0.1 * (n % 3 - 1))}
        for name, count, price in given
        for n in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LINES)


def found_on(*given: tuple[str, bool, bool, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=FOUND, orient="row")


def ranked(lines: pl.DataFrame, found: pl.DataFrame = NOTHING_FOUND) -> dict[str, Operator]:
    return {one.name: one for one in operators_of(lines, found, load_rates(), "importer", 10)}


def test_who_declares_as_others_do_has_nothing_at_stake() -> None:
    several = ranked(lines_of(("usual", 200, 20.0), ("alike", 60, 20.0), ("cheap", 40, 8.0)))
    assert (several["usual"].at_stake, several["alike"].at_stake) == (0.0, 0.0)
    assert next(iter(several)) == "cheap"
    missing = 40 * 2 * (20.0 - 8.0) * 0.2
    assert 0.5 * missing < several["cheap"].at_stake < missing
    assert len(several["cheap"].behind) == 20


def test_few_parcels_are_no_pattern_and_a_finding_is_shown_all_the_same() -> None:
    lines = lines_of(("usual", 200, 20.0), ("once", 2, 8.0), ("caught", 2, 20.0))
    assert "once" not in ranked(lines)
    caught = ranked(lines, found_on(("caught-0", True, False, None)))["caught"]
    assert (caught.controlled, caught.found, caught.audited) == (1, 1, 0)


def test_what_an_audit_found_counts_in_place_of_what_was_expected() -> None:
    lines = lines_of(("usual", 200, 20.0), ("cheap", 40, 8.0))
    before = ranked(lines)["cheap"]
    cleared = ranked(lines, found_on(*((f"cheap-{n}", False, True, None) for n in range(40))))["cheap"]
    assert (cleared.at_stake, cleared.audited, cleared.found) == (0.0, 40, 0)
    convicted = ranked(lines, found_on(("cheap-1", True, True, 160.0)))["cheap"]
    assert convicted.at_stake == pytest.approx(before.at_stake * 39 / 40 + (160.0 - 16.0) * 0.2, rel=0.05)
    assert convicted.behind[0] == "cheap-1"


def test_rates_are_those_of_the_longest_heading_and_of_the_origin(tmp_path: Path) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(
        "[default]\nduty = 0.0\nvat = 0.2\n"
        '[[rates]]\nhs = "64"\nduty = 0.1\nvat = 0.2\n'
        '[[rates]]\nhs = "6404"\norigin = "CN"\nduty = 0.5\nvat = 0.0\n'
    )
    rates = load_rates(file)
    assert rates.share("640411", "CN") == pytest.approx(0.5)
    assert rates.share("640411", "TR") == pytest.approx(0.1 + 0.2 * 1.1)
    assert rates.share("950300", None) == pytest.approx(0.2)
    assert (rates.neutral, load_rates().neutral) == (False, True)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("nonsense", "TOML"),
        ("[default]\nduty = 0.0\n", "vat"),
        ("[default]\nduty = true\nvat = 0.2\n", "duty"),
        ('[default]\nduty = 0\nvat = 0.2\n[[rates]]\nhs = "shoes"\nduty = 0\nvat = 0\n', "[[rates]] 1.hs"),
        ('[default]\nduty = 0\nvat = 0.2\n[[rates]]\nhs = "64"\ntax = 1\n', "[[rates]] 1 takes"),
    ],
)
def test_rates_that_cannot_be_read_name_the_place(tmp_path: Path, written: str, named: str) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(written)
    with pytest.raises(Fault) as fault:
        load_rates(file)
    assert named in str(fault.value)
