"""A bundle made before the catalogue gained an input: it decides after it as it did before, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features import catalogue, compatible
from features.algebra import Numbers
from features.assemble import assemble
from features.catalogue import EVERY_INPUT, FORMER, INPUTS, Input, number
from features.compatible import means_the_same
from features.consignment import Consignments
from features.definition import DEFINITIONS, forget_definitions, of_consignment
from features.fingerprint import code_fingerprint, fingerprint, fingerprint_over
from features.history.facts import facts_of, with_entities
from features.history.totals import FactTable
from service.scoring import BundleRefused, load_bundle
from service.settings import Settings
from service.store.database import Store
from service.targeting import target
from tests.service.building import declared, message
from tests.service.quick import desk_of
from tests.worlds import consignments_of

KEPT = Path(__file__).parents[2] / "kept"


def kilograms_per_line(gross_mass_kg: Numbers, lines: Numbers) -> Numbers:
    """Gross mass in kilograms for each goods line."""
    return gross_mass_kg / lines


@pytest.fixture
def add_input(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Input]]:
    """Adds an input to the catalogue, in its middle: one function and one line."""
    before = dict(DEFINITIONS)

    def add() -> Input:
        of_consignment(kilograms_per_line)
        forget_definitions()
        added = number("kilograms_per_line", "Mass per line", "Masse par ligne", "每行重量", "kg")
        for module, name in ((catalogue, "INPUTS"), (compatible, "EVERY_INPUT")):
            monkeypatch.setattr(module, name, (*INPUTS[:20], added, *INPUTS[20:], *FORMER))
        return added

    yield add
    DEFINITIONS.clear()
    DEFINITIONS.update(before)
    forget_definitions()


def risks_of(settings: Settings, world: Consignments, store: Path) -> list[bytes]:
    """Margins and risks that the bundle of a home gives to all of a world, and what a call of two decides."""
    model, _ = load_bundle(settings.serving, settings.keys)
    history = FactTable(facts_of(with_entities(world)), holds_all=True)
    scores = model.score(assemble(world, history, model.fits, model.inputs)).frame
    opened = Store(f"sqlite:///{store}")
    decided = target(message(declared(1), declared(2)), desk_of(opened, model)).as_json()
    opened.close()
    assert {(decision["mode"], decision["model_id"]) for decision in decided} == {("full", model.model_id)}
    assert scores["risk"].null_count() == 0
    assert scores["margin"].n_unique() > 50
    called = np.array([decision["risk"] for decision in decided])
    return [numbers.tobytes() for numbers in (scores["margin"].to_numpy(), scores["risk"].to_numpy(), called)]


def test_a_bundle_from_before_an_input_was_added_decides_as_it_did(
    sealed_home: Path, trained_home: Settings, tmp_path: Path, add_input: Callable[[], Input]
) -> None:
    world = consignments_of(sorted((sealed_home.parent / "world" / "manifests").glob("*.parquet"))[:5])
    before = risks_of(trained_home, world, tmp_path / "before.db")
    added = add_input()
    assert fingerprint((*INPUTS, added)) != fingerprint(INPUTS)
    assert risks_of(trained_home, world, tmp_path / "after.db") == before


def test_what_was_listed_before_an_input_was_added_is_listed_after_it(add_input: Callable[[], Input]) -> None:
    had = pl.read_parquet_schema(sorted(KEPT.glob("*/features.parquet"))[0])
    inputs = tuple(item for item in EVERY_INPUT if item.name in had)
    listed = compatible.SAME_FEATURES_AS[code_fingerprint(inputs)]
    assert listed
    add_input()
    assert all(means_the_same(inputs, fingerprint_over(inputs, earlier), earlier) for earlier in listed)


def test_a_bundle_whose_input_went_is_refused_by_name(trained_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compatible, "EVERY_INPUT", tuple(item for item in INPUTS if item.name != "has_ioss"))
    with pytest.raises(BundleRefused, match=r"\(has_ioss is in the catalogue no more\)"):
        load_bundle(trained_home.serving, trained_home.keys)


def test_a_bundle_whose_input_is_computed_otherwise_is_refused_by_name(
    trained_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from features.columns import declared as columns

    monkeypatch.setattr(columns, "LOW_VALUE_EUR", 151.0)
    with pytest.raises(BundleRefused, match=r"\(short_of_low_value is computed otherwise\)"):
        load_bundle(trained_home.serving, trained_home.keys)
