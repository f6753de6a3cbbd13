"""Features as functions: declared by being written, computed in steps, and hashed without their words."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from features import declared
from features.catalogue import INPUTS, fingerprint, number
from features.definition import DEFINITIONS, compute, needed, of_consignment, of_line, over_lines, steps

SIZE = (number("parcel_size", "Size", "Taille", "尺寸"),)


def test_a_feature_is_named_by_its_function_and_takes_its_arguments(registry: dict[str, Any]) -> None:
    @of_consignment
    def parcel_size(packages: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
        """Mass of
        one package."""
        return gross_mass_kg / packages

    told = registry["parcel_size"]
    assert (told.level, told.inputs, told.meaning) == (
        "of_consignment",
        ("packages", "gross_mass_kg"),
        "Mass of one package.",
    )
    frame = pl.DataFrame({"packages": [2.0], "gross_mass_kg": [3.0]})
    assert compute(frame, ["parcel_size"], "of_consignment")["parcel_size"].to_list() == [1.5]


@pytest.mark.parametrize("declare", [of_line, over_lines, of_consignment])
def test_a_feature_without_docstring_is_a_type_error(declare: Any, registry: dict[str, Any]) -> None:
    def wordless(packages: pl.Expr) -> pl.Expr:
        return packages

    with pytest.raises(TypeError, match="wordless needs a docstring"):
        declare(wordless)
    assert "wordless" not in registry


def test_features_in_a_circle_are_named(registry: dict[str, Any]) -> None:
    @of_consignment
    def hen(egg: pl.Expr) -> pl.Expr:
        """What lays an egg."""
        return egg

    @of_consignment
    def egg(hen: pl.Expr) -> pl.Expr:
        """What a hen comes from."""
        return hen

    with pytest.raises(TypeError, match="circle: egg, hen"):
        steps(("hen",), "of_consignment")


def test_a_feature_of_features_is_computed_after_them(registry: dict[str, Any]) -> None:
    @of_consignment
    def last_step(middle_step: pl.Expr, packages: pl.Expr) -> pl.Expr:
        """Of the middle and of the declaration."""
        return middle_step + packages

    @of_consignment
    def middle_step(first_step: pl.Expr) -> pl.Expr:
        """Of the first."""
        return first_step * 10

    @of_consignment
    def first_step(packages: pl.Expr) -> pl.Expr:
        """Of the declaration."""
        return packages + 1

    assert set(needed(["last_step"])) == {"last_step", "middle_step", "first_step"}
    assert [len(step) for step in steps(("last_step",), "of_consignment")] == [1, 1, 1]
    computed = compute(pl.DataFrame({"packages": [1.0, 2.0]}), ["last_step"], "of_consignment")
    assert computed["last_step"].to_list() == [21.0, 32.0]


def test_only_what_is_needed_is_computed() -> None:
    frame = pl.DataFrame({"gross_mass_kg": [2.0], "value_eur": [10.0]})
    computed = compute(frame, ["value_per_kg"], "of_consignment")
    assert set(computed.columns) == {"gross_mass_kg", "value_eur", "value_per_kg"}


def test_names_that_are_no_definition_need_nothing() -> None:
    assert needed(["gross_mass_kg", "consignor_hits_ever"]) == {}


# ---- the fingerprint


def declare_one() -> str:
    @of_consignment
    def parcel_size(packages: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
        """Mass of one package."""
        return gross_mass_kg / packages

    return fingerprint(SIZE)


def declare_reworded() -> str:
    @of_consignment
    def parcel_size(
        packages: pl.Expr,
        gross_mass_kg: pl.Expr,
    ) -> pl.Expr:
        """Kilograms for each package, in other words and another layout."""
        return gross_mass_kg / packages  # a comment

    return fingerprint(SIZE)


def declare_other_body() -> str:
    @of_consignment
    def parcel_size(packages: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
        """Mass of one package."""
        return gross_mass_kg / packages.clip(1.0)

    return fingerprint(SIZE)


def declare_other_inputs() -> str:
    @of_consignment
    def parcel_size(packages: pl.Expr, net_mass_total_kg: pl.Expr) -> pl.Expr:
        """Mass of one package."""
        return net_mass_total_kg / packages

    return fingerprint(SIZE)


def declare_through_another(factor: bool) -> str:
    if factor:

        @of_consignment
        def parcel_mass(gross_mass_kg: pl.Expr) -> pl.Expr:
            """Mass."""
            return gross_mass_kg * 1000.0

    else:

        @of_consignment
        def parcel_mass(gross_mass_kg: pl.Expr) -> pl.Expr:
            """Mass."""
            return gross_mass_kg * 1.0

    @of_consignment
    def parcel_size(packages: pl.Expr, parcel_mass: pl.Expr) -> pl.Expr:
        """Mass of one package."""
        return parcel_mass / packages

    return fingerprint(SIZE)


def test_the_fingerprint_holds_the_body_and_not_the_docstring(registry: dict[str, Any]) -> None:
    one = declare_one()
    assert declare_reworded() == one
    assert declare_other_body() != one
    assert declare_other_inputs() != one
    assert declare_one() == one


def test_the_fingerprint_holds_the_definitions_beneath(registry: dict[str, Any]) -> None:
    assert declare_through_another(True) != declare_through_another(False)


def test_definitions_that_no_input_needs_do_not_matter(registry: dict[str, Any]) -> None:
    before = fingerprint(INPUTS)
    declare_one()
    assert fingerprint(INPUTS) == before


def test_the_fingerprint_holds_the_constants_of_a_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(INPUTS)
    monkeypatch.setattr(declared, "GIFT_EUR", 100.0)
    assert fingerprint(INPUTS) != before


def test_every_definition_has_a_meaning_and_inputs_that_exist() -> None:
    for name, definition in DEFINITIONS.items():
        assert definition.meaning.endswith("."), name
        assert definition.inputs, name
