"""Features as functions: declared by being written, computed in order, and hashed without their words."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from features.algebra import Numbers, Text, at_least
from features.catalogue import INPUTS, number
from features.columns import declared, goods, identifiers
from features.compute import compute, with_features
from features.definition import DEFINITIONS, in_order, needed, of_consignment, of_line, over_lines
from features.fingerprint import fingerprint

SIZE = (number("parcel_size", "Size", "Taille", "尺寸"),)


def values(column: object) -> list[float]:
    assert isinstance(column, np.ndarray)
    return [float(value) for value in column]


def test_a_feature_is_named_by_its_function_and_takes_its_arguments(registry: dict[str, Any]) -> None:
    @of_consignment
    def parcel_size(packages: Numbers, gross_mass_kg: Numbers) -> Numbers:
        """Mass of
        one package."""
        return gross_mass_kg / packages

    told = registry["parcel_size"]
    assert (told.level, told.inputs, told.meaning) == (
        "of_consignment",
        ("packages", "gross_mass_kg"),
        "Mass of one package.",
    )
    columns = {"packages": np.array([2.0]), "gross_mass_kg": np.array([3.0])}
    assert values(compute(columns, ["parcel_size"], "of_consignment", 1)["parcel_size"]) == [1.5]


@pytest.mark.parametrize("declare", [of_line, over_lines, of_consignment])
def test_a_feature_without_docstring_is_a_type_error(declare: Any, registry: dict[str, Any]) -> None:
    def wordless(packages: Numbers) -> Numbers:
        return packages

    with pytest.raises(TypeError, match="wordless needs a docstring"):
        declare(wordless)
    assert "wordless" not in registry


def test_features_in_a_circle_are_named(registry: dict[str, Any]) -> None:
    @of_consignment
    def hen(egg: Numbers) -> Numbers:
        """What lays an egg."""
        return egg

    @of_consignment
    def egg(hen: Numbers) -> Numbers:
        """What a hen comes from."""
        return hen

    with pytest.raises(TypeError, match="circle: egg, hen"):
        in_order(("hen",), "of_consignment")


def test_a_feature_of_features_is_computed_after_them(registry: dict[str, Any]) -> None:
    @of_consignment
    def last_step(middle_step: Numbers, packages: Numbers) -> Numbers:
        """Of the middle and of the declaration."""
        return middle_step + packages

    @of_consignment
    def middle_step(first_step: Numbers) -> Numbers:
        """Of the first."""
        return first_step * 10

    @of_consignment
    def first_step(packages: Numbers) -> Numbers:
        """Of the declaration."""
        return packages + 1

    assert set(needed(["last_step"])) == {"last_step", "middle_step", "first_step"}
    ordered = [definition.name for definition in in_order(("last_step",), "of_consignment")]
    assert ordered == ["first_step", "middle_step", "last_step"]
    computed = compute({"packages": np.array([1.0, 2.0])}, ["last_step"], "of_consignment", 2)
    assert values(computed["last_step"]) == [21.0, 32.0]


def test_only_what_is_needed_is_computed() -> None:
    columns = {"gross_mass_kg": np.array([2.0]), "value_eur": np.array([10.0])}
    assert set(compute(columns, ["value_per_kg"], "of_consignment", 1)) == {*columns, "value_per_kg"}


def test_names_that_are_no_definition_need_nothing() -> None:
    assert needed(["gross_mass_kg", "consignor_hits_ever"]) == {}


def test_a_feature_that_lacks_an_input_is_named_with_it() -> None:
    with pytest.raises(LookupError, match="value_per_kg needs gross_mass_kg"):
        compute({"value_eur": np.array([10.0])}, ["value_per_kg"], "of_consignment", 1)


@pytest.mark.parametrize("result", [3.0, None, "x", np.zeros(3), np.array(["a", "b"]), Text.of(["a"])])
def test_what_is_no_column_of_as_many_rows_is_a_type_error(result: object, registry: dict[str, Any]) -> None:
    @of_consignment
    def odd_one(packages: Numbers) -> Any:
        """What a slip makes."""
        return result

    with pytest.raises(TypeError, match="feature odd_one"):
        compute({"packages": np.array([1.0, 2.0])}, ["odd_one"], "of_consignment", 2)


@pytest.mark.parametrize("result", [np.array([True, False]), np.array([1, 0]), np.array([1.0, 0.0], np.float32)])
def test_conditions_and_whole_numbers_become_numbers(result: object, registry: dict[str, Any]) -> None:
    @of_consignment
    def even(packages: Numbers) -> Any:
        """Whether it is even."""
        return result

    column = compute({"packages": np.array([2.0, 1.0])}, ["even"], "of_consignment", 2)["even"]
    assert isinstance(column, np.ndarray)
    assert column.dtype == np.float64
    assert values(column) == [1.0, 0.0]


def test_a_table_gets_its_columns_some_thousand_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pl.DataFrame({"hs_code": ["4202.31", None, "42"] * 3, "other": range(9)})
    whole = with_features(table, ["hs6", "hs_digits"], "of_line")
    assert whole.columns == ["hs_code", "other", "hs6", "hs_digits"]
    assert whole.rows()[:3] == [("4202.31", 0, "420231", 6.0), (None, 1, None, 0.0), ("42", 2, None, 2.0)]
    monkeypatch.setattr("features.compute.ROWS_AT_ONCE", 2)
    assert with_features(table, ["hs6", "hs_digits"], "of_line").equals(whole)
    assert with_features(table.clear(), ["hs6"], "of_line").schema["hs6"] == pl.String


# ---- called with plain values


def test_a_feature_is_called_with_plain_values() -> None:
    assert declared.value_per_kg(12.0, 0.5) == 24.0
    assert declared.value_per_kg(12.0, 0.0) is None
    assert declared.value_per_kg(12, None) is None
    assert declared.value_per_kg([12.0, None, 3], [0.5, 1.0, 1]) == [24.0, None, 3.0]
    assert declared.value_per_kg(gross_mass_kg=[0.5, 1.0], value_eur=12.0) == [24.0, 12.0]
    assert declared.hs_chapter("420231") == "42"
    assert declared.hs_chapter(["420231", None]) == ["42", None]
    assert declared.mailbox_name_fit("sunrise99@mail.cn", ["Sunrise Ltd", "Moon", None]) == [1.0, 0.0, None]


def test_a_feature_over_lines_takes_the_lines_of_one_consignment_or_of_several() -> None:
    assert goods.wording_words([3.0, 2.0, None]) == 2.0
    assert goods.wording_words([[3.0, 2.0], [5.0], [None]]) == [2.0, 5.0, None]
    assert goods.main_hs6(["420231", "610910"], [5.0, 9.0]) == "610910"
    assert goods.main_hs6([["420231", "610910"], ["1"]], [[5.0, None], [None]]) == ["420231", "1"]


def test_a_feature_over_keys_takes_a_value_of_each() -> None:
    assert identifiers.identifiers_hits([3.0, None, 7.0]) == 7.0
    assert identifiers.identifiers_hits([[3.0, 1.0], [None, 2.0], 0.0]) == [3.0, 2.0]
    assert DEFINITIONS["network_hit_rate"].of(1.0, 3.0, 0.2) == pytest.approx(2.0 / 8.0)


def test_a_feature_is_called_with_columns_too() -> None:
    column = declared.value_per_kg(np.array([12.0]), np.array([0.5]))
    assert isinstance(column, np.ndarray)
    assert declared.hs_chapter(Text.of(["420231"])).rows() == ["42"]


def test_an_argument_without_a_known_annotation_is_named(registry: dict[str, Any]) -> None:
    @of_consignment
    def unclear(packages: float) -> Numbers:
        """What nobody says."""
        return np.array([packages])

    with pytest.raises(TypeError, match="feature unclear: annotate packages"):
        unclear(1.0)


# ---- the fingerprint


def declare_one() -> str:
    @of_consignment
    def parcel_size(packages: Numbers, gross_mass_kg: Numbers) -> Numbers:
        """Mass of one package."""
        return gross_mass_kg / packages

    return fingerprint(SIZE)


def declare_reworded() -> str:
    @of_consignment
    def parcel_size(
        packages: Numbers,
        gross_mass_kg: Numbers,
    ) -> Numbers:
        """Kilograms for each package, in other words and another layout."""
        return gross_mass_kg / packages  # a comment

    return fingerprint(SIZE)


def declare_other_body() -> str:
    @of_consignment
    def parcel_size(packages: Numbers, gross_mass_kg: Numbers) -> Numbers:
        """Mass of one package."""
        return gross_mass_kg / at_least(packages, 1.0)

    return fingerprint(SIZE)


def declare_other_inputs() -> str:
    @of_consignment
    def parcel_size(packages: Numbers, net_mass_total_kg: Numbers) -> Numbers:
        """Mass of one package."""
        return net_mass_total_kg / packages

    return fingerprint(SIZE)


def declare_through_another(factor: bool) -> str:
    if factor:

        @of_consignment
        def parcel_mass(gross_mass_kg: Numbers) -> Numbers:
            """Mass."""
            return gross_mass_kg * 1000.0

    else:

        @of_consignment
        def parcel_mass(gross_mass_kg: Numbers) -> Numbers:
            """Mass."""
            return gross_mass_kg * 1.0

    @of_consignment
    def parcel_size(packages: Numbers, parcel_mass: Numbers) -> Numbers:
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
