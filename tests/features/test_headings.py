"""Headings that words suggest: learned alike in every language, on the past alone, the same for one line and many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.algebra import Text
from features.headings import FEWEST, Headings, fit_headings, no_headings, sequences
from features.moments import micros

START = datetime(2026, 1, 1, tzinfo=UTC)
CUT = START + timedelta(days=40)
GOODS = {  # heading → what such goods are called, by language
    "9102": (
        ("quartz watch", "men watch"),
        ("montre quartz", "montre femme"),
        ("石英手表", "男士手表"),
    ),
    "6404": (("running shoes", "canvas sneakers"), ("chaussures de sport", "baskets toile"), ("运动鞋", "帆布鞋")),
    "8517": (("mobile phone", "smartphone 5g"), ("téléphone portable", "smartphone"), ("智能手机", "手机")),
    "3926": (("silicone phone case", "phone cover"), ("coque de téléphone", "étui silicone"), ("手机壳", "硅胶手机套")),
    "6109": (("cotton t-shirt", "men tee shirt"), ("t-shirt coton", "tee-shirt homme"), ("纯棉T恤", "短袖T恤")),
    "7117": (
        ("fashion earrings", "bracelet"),
        ("boucles d'oreilles", "bracelet perles"),
        ("时尚耳环", "串珠手链"),
    ),
}
LANGUAGES = ("en", "fr", "zh")
ADJECTIVES = (("new", "fashion", "hot sale"), ("neuf", "mode", "promo"), ("新款", "时尚", "热卖"))


def flow(lines: int, seed: int, swapped: float = 0.05) -> pl.DataFrame:
    """Goods lines of 50 days in three languages; of a share of them the heading is another one."""
    draw = np.random.default_rng(seed)
    headings = list(GOODS)
    rows = []
    for _ in range(lines):
        heading, language = headings[draw.integers(len(headings))], int(draw.integers(len(LANGUAGES)))
        names = GOODS[heading][language]
        words = [names[draw.integers(len(names))]]
        if draw.random() < 0.4:
            words.insert(0, ADJECTIVES[language][draw.integers(3)])
        if draw.random() < 0.3:
            words.append(f"AB{draw.integers(1000, 9999)}")
        other = draw.random() < swapped
        stated = (
            headings[(headings.index(heading) + draw.integers(1, len(headings))) % len(headings)] if other else heading
        )
        at = START + timedelta(minutes=int(draw.integers(50 * 24 * 60)))
        rows.append((" ".join(words), f"{stated}.10", at, LANGUAGES[language], other))
    schema = pl.Schema({
        "description": pl.String(), "hs_code": pl.String(), "lodged_at": pl.Datetime("us", "UTC"),
        "language": pl.String(), "swapped": pl.Boolean(),
    })  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def asked(headings: Headings, lines: pl.DataFrame) -> tuple[np.ndarray, list[str | None]]:
    codes = Text.of([code.replace(".", "") if code else None for code in lines["hs_code"]])
    described = Text.of(lines["description"].to_list())
    odds, suggested = headings.attach(codes, described, lines["lodged_at"].dt.epoch("us").to_numpy())
    return odds, suggested.rows()


@pytest.fixture(scope="module")
def fitted() -> Headings:
    return fit_headings(flow(6_000, 1), [CUT])


def one(headings: Headings, words: str, code: str | None) -> tuple[float, str | None]:
    odds, suggested = headings.attach(Text.of([code]), Text.of([words]), np.array([micros(CUT)]))
    return float(odds[0]), suggested.rows()[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_swapped_in_a_twentieth_of_lines_are_found_in_each_language(fitted: Headings, language: str) -> None:
    later = flow(6_000, 2).filter(pl.col("lodged_at") >= CUT, pl.col("language") == language)
    odds, _ = asked(fitted, later)
    assert roc_auc_score(later["swapped"].to_numpy(), np.nan_to_num(odds)) > 0.95


@pytest.mark.parametrize("words", ["watch", "MONTRE", "手表", "montre, neuf (AB1234)"])
def test_a_watch_is_a_watch_in_every_language(fitted: Headings, words: str) -> None:
    assert one(fitted, words, "910211") == (0.0, "9102")
    odds, suggested = one(fitted, words, "640411")
    assert odds > 1
    assert suggested == "9102"


def test_a_phone_case_under_footwear_is_odd_and_its_heading_is_named(fitted: Headings) -> None:
    assert one(fitted, "phone case", "640411")[0] > 2
    assert one(fitted, "phone case", "640411")[1] == "3926"
    assert one(fitted, "phone case", "392690")[0] == 0.0


@pytest.mark.parametrize("code", [None, "999999"])
def test_an_undeclared_heading_is_unknown_and_one_never_declared_fits_as_any_text_does(
    fitted: Headings, code: str | None
) -> None:
    odds, suggested = one(fitted, "running shoes", code)
    assert suggested == "6404"
    assert np.isnan(odds) if code is None else odds > 0.5


@pytest.mark.parametrize("words", ["", "X9", "Ω", "12345"])
def test_words_that_were_never_seen_suggest_nothing(fitted: Headings, words: str) -> None:
    odds, suggested = one(fitted, words, "640411")
    assert np.isnan(odds)
    assert suggested is None


def test_nothing_is_suggested_before_the_first_date_nor_from_few_wordings(fitted: Headings) -> None:
    before = flow(50, 3).with_columns(pl.lit(CUT - timedelta(microseconds=1)).alias("lodged_at"))
    odds, suggested = asked(fitted, before)
    assert np.isnan(odds).all()
    assert set(suggested) == {None}
    assert fit_headings(flow(FEWEST // 2, 4), [CUT]).table.is_empty()
    assert one(no_headings(), "watch", "910211")[1] is None


def test_no_line_is_measured_against_its_own_future(fitted: Headings) -> None:
    everything = flow(6_000, 1)
    past = everything.filter(pl.col("lodged_at") < CUT)
    assert fit_headings(past, [CUT]).table.equals(fitted.table)


def test_the_order_of_lines_and_the_parcels_of_a_day_teach_nothing(fitted: Headings) -> None:
    everything = flow(6_000, 1)
    assert fit_headings(everything.sample(fraction=1.0, shuffle=True, seed=5), [CUT]).table.equals(fitted.table)
    flood = everything.filter(pl.col("description") == "phone cover").head(1).with_columns(hs_code=pl.lit("6404.10"))
    flooded = fit_headings(pl.concat([everything, *[flood] * 3_000]), [CUT])
    assert one(flooded, "phone cover", "640410")[0] > 2


def test_one_line_comes_out_as_it_does_among_many(fitted: Headings) -> None:
    lines = flow(300, 6).with_columns((pl.col("lodged_at") + timedelta(days=20)).alias("lodged_at"))
    odds, suggested = asked(fitted, lines)
    for row in range(0, lines.height, 17):
        alone, of_alone = asked(fitted, lines[row : row + 1])
        assert alone.tobytes() == odds[row : row + 1].tobytes()
        assert of_alone == suggested[row : row + 1]


@given(st.text(max_size=60))
def test_any_text_has_sequences(text: str) -> None:
    found = sequences(text)
    assert np.array_equal(found, np.unique(found))
