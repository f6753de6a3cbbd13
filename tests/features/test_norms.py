"""Norms of goods: medians and spreads by hand, from the narrowest group known, and never from the future."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Text
from features.moments import micros
from features.norms import FEWEST, FITTED, NARROWEST_SPREAD, Norms, fit_norms

DATE = datetime(2026, 3, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MEMORY = timedelta(days=90)


def line(value: float = 10.0, *, at: datetime = DATE - timedelta(days=1), **changes: object) -> dict[str, object]:
    """A goods line of one piece of one kilogram."""
    same = {"hs_code": "420231", "goods_origin_country": "CN", "net_mass_kg": 1.0, "quantity": 1.0}
    return {**same, "line_value_eur": value, "lodged_at": at, **changes}


def goods(*lines: dict[str, object]) -> pl.DataFrame:
    schema = {
        "hs_code": pl.String(),
        "goods_origin_country": pl.String(),
        "net_mass_kg": pl.Float64(),
        "quantity": pl.Float64(),
        "line_value_eur": pl.Float64(),
        "lodged_at": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(list(lines), schema=schema)


def asked(norms: Norms, hs6: str | None, origin: str | None, at: datetime = DATE) -> dict[str, float | None]:
    """What serves one line."""
    told = norms.attach(Text.of([hs6]), Text.of([origin]), np.array([micros(at)]))
    return {name: None if math.isnan(value) else value for name, (value,) in told.items()}


def test_a_norm_is_the_median_of_logarithms_and_its_spread_the_scaled_median_deviation() -> None:
    values = [math.exp(i) for i in range(21)]  # logarithms 0 … 20: median 10, median deviation 5
    told = asked(fit_norms(goods(*(line(v, quantity=2.0) for v in values)), [DATE]), "420231", "CN")
    assert told["value_per_kg_norm"] == pytest.approx(10.0)
    assert told["value_per_kg_spread"] == pytest.approx(5 * 1.4826)
    assert told["value_per_piece_norm"] == pytest.approx(10.0 - math.log(2))
    assert told["value_per_kg_norm_lines"] == told["value_per_piece_norm_lines"] == 21.0


def test_goods_of_one_price_have_the_narrowest_spread() -> None:
    told = asked(fit_norms(goods(*[line()] * FEWEST), [DATE]), "420231", "CN")
    assert told["value_per_kg_spread"] == NARROWEST_SPREAD


def test_too_few_lines_make_no_norm() -> None:
    assert fit_norms(goods(*[line()] * (FEWEST - 1)), [DATE]).table.is_empty()
    assert fit_norms(goods(*[line()] * FEWEST), [DATE]).table.height == 5


def test_a_norm_by_mass_needs_as_many_masses() -> None:
    lines = [line(), *[line(net_mass_kg=None)] * FEWEST]
    assert asked(fit_norms(goods(*lines), [DATE]), "420231", "CN")["value_per_kg_norm"] is None


def test_the_lines_of_a_norm_are_those_of_the_norm_that_serves() -> None:
    massless = [line(net_mass_kg=None)] * FEWEST
    others = [line(hs_code="420299")] * FEWEST
    told = asked(fit_norms(goods(*massless, *others), [DATE]), "420231", "CN")
    assert told["value_per_kg_norm"] == pytest.approx(math.log(10))
    assert told["value_per_kg_norm_lines"] == FEWEST


def test_the_narrowest_known_group_serves() -> None:
    lines = [
        *[line(1.0)] * FEWEST,
        *[line(2.0, goods_origin_country="VN")] * (FEWEST - 1),
        *[line(4.0, hs_code="420299")] * FEWEST,
        *[line(8.0, hs_code="4299")] * 40,  # no HS6: everything's norm alone
    ]
    norms = fit_norms(goods(*lines), [DATE])

    def lines_of(hs6: str | None, origin: str | None) -> float | None:
        return asked(norms, hs6, origin)["value_per_kg_norm_lines"]

    assert asked(norms, "420231", "CN")["value_per_kg_norm"] == 0.0  # HS6 and origin
    assert lines_of("420231", "CN") == FEWEST
    assert lines_of("420231", "VN") == 2 * FEWEST - 1  # too few from there: HS6
    assert lines_of("420212", "CN") == 3 * FEWEST - 1  # HS4
    assert lines_of("429999", "CN") == 3 * FEWEST - 1  # chapter
    assert lines_of("610910", "CN") == 3 * FEWEST - 1 + 40  # everything
    assert lines_of(None, None) == 3 * FEWEST - 1 + 40


def test_before_the_first_date_nothing_is_known_and_from_it_on_the_norm_serves() -> None:
    norms = fit_norms(goods(*[line()] * FEWEST), [DATE])
    assert set(asked(norms, "420231", "CN", DATE - MICROSECOND).values()) == {None}
    assert asked(norms, "420231", "CN", DATE)["value_per_kg_norm"] == pytest.approx(math.log(10))
    assert asked(norms, "420231", "CN", DATE + timedelta(days=900))["value_per_kg_norm"] is not None


def test_each_date_serves_until_the_next() -> None:
    later = DATE + timedelta(days=7)
    lines = [*[line(1.0)] * FEWEST, *[line(math.e**2, at=DATE)] * (FEWEST + 1)]
    norms = fit_norms(goods(*lines), [later, DATE])
    assert asked(norms, "420231", "CN", later - MICROSECOND)["value_per_kg_norm"] == pytest.approx(0.0)
    assert asked(norms, "420231", "CN", later)["value_per_kg_norm"] == pytest.approx(2.0)


def test_norms_rest_on_ninety_days_before_their_date_and_on_nothing_else() -> None:
    within = [line(float(i + 1)) for i in range(FEWEST)]
    alone = fit_norms(goods(*within), [DATE]).table
    outside = [line(999.0, at=DATE), line(999.0, at=DATE + MICROSECOND), line(999.0, at=DATE - MEMORY - MICROSECOND)]
    assert fit_norms(goods(*within, *outside), [DATE]).table.equals(alone)
    for edge in (DATE - MICROSECOND, DATE - MEMORY):
        assert not fit_norms(goods(*within, line(999.0, at=edge)), [DATE]).table.equals(alone)


FUTURE = st.lists(
    st.tuples(st.floats(0.0, 1e6), st.integers(0, 10**12), st.sampled_from(["420231", "610910", None])), max_size=6
)


@settings(max_examples=20, deadline=None)
@given(FUTURE)
def test_no_line_from_the_date_on_has_any_influence(future: list[tuple[float, int, str | None]]) -> None:
    past = [line(float(i + 1)) for i in range(FEWEST)]
    later = [line(value, at=DATE + timedelta(microseconds=us), hs_code=code) for value, us, code in future]
    assert fit_norms(goods(*past, *later), [DATE]).table.equals(fit_norms(goods(*past), [DATE]).table)


def test_nothing_fitted_leaves_every_line_unknown_and_no_line_is_no_line() -> None:
    norms = fit_norms(goods(), [DATE])
    assert set(asked(norms, "420231", "CN").values()) == {None}
    told = norms.attach(Text.of([]), Text.of([]), np.empty(0, np.int64))
    assert {name: len(values) for name, values in told.items()} == dict.fromkeys(FITTED, 0)


def test_lines_keep_their_order() -> None:
    norms = fit_norms(goods(*[line()] * FEWEST), [DATE])
    moments = np.array([micros(DATE) + step for step in (0, -1, 1)])
    told = norms.attach(Text.of(["420231", "420231", None]), Text.of(["CN", "CN", None]), moments)
    assert np.isnan(told["value_per_kg_norm"]).tolist() == [False, True, False]
