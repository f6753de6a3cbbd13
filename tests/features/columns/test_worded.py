"""What the words of goods say beside heading, value and mass, with values worked out by hand."""

from __future__ import annotations

import math

import pytest

from features.columns import worded
from tests.features.conftest import feature


def test_value_is_measured_against_goods_so_worded() -> None:
    known = {"worded_value_per_kg_norm": 3.0, "worded_value_per_kg_spread": 0.5}
    assert feature("line_value_as_worded", line_value_per_kg_log=2.0, **known) == -2.0
    unknown = dict.fromkeys(known)
    assert feature("line_value_as_worded", line_value_per_kg_log=2.0, **unknown) is None


def test_mass_is_measured_against_what_the_norms_of_value_imply() -> None:
    norms = {
        "value_per_piece_norm": math.log(20.0), "value_per_kg_norm": math.log(40.0),  # half a kilogram a piece
        "value_per_piece_spread": 0.3, "value_per_kg_spread": 0.4,
    }  # fmt: skip
    usual = feature("line_mass_deviation", line_mass_kg=1.0, quantity=2.0, **norms)
    light = feature("line_mass_deviation", line_mass_kg=0.5, quantity=2.0, **norms)
    assert usual == pytest.approx(0.0)
    assert light == pytest.approx(math.log(0.5) / 0.5)
    assert feature("line_mass_deviation", line_mass_kg=None, quantity=2.0, **norms) is None


def test_the_oddest_line_speaks_for_the_consignment() -> None:
    assert worded.wording_heading_odds([0.0, 3.0, None]) == 3.0
    assert worded.wording_heading(["9102", "8517", None], [0.0, 3.0, None]) == "8517"
    assert worded.value_as_worded([1.0, -2.0]) == -2.0
    assert worded.mass_deviation([0.5, -1.5]) == -1.5
