"""Texts as keys: disguises fall off, differences stay."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import comparable as c

Making = Callable[[str], pl.Expr]
KEYS: list[Making] = [
    c.comparable, c.words_of_name, c.article,
]  # fmt: skip


def made(make: Making, *texts: str | None) -> list[str | None]:
    return pl.DataFrame({"t": pl.Series(texts, dtype=pl.String)}).select(make("t"))["t"].to_list()


@pytest.mark.parametrize(
    ("make", "texts", "key"),
    [
        (c.comparable, ["Sunrise  Trading", "SUNRISE trading.", "Sunrisе Trаding", "Sünrise Trading",
                        "Sun\u200brise Trad\u00ading"],
         "sunrise trading"),
        (c.words_of_name, ["Mak Lee Trading Ltd", "Lee Mak Тrаding", "MAK LEE TRADE CO., LTD"], "lee mak"),
        (c.article, ["shoes KP1284", "chaussures kp 1284 noires", "KP-1284"], "KP1284"),
    ],
)  # fmt: skip
def test_disguises_fall_off(make: Making, texts: list[str], key: str) -> None:
    assert made(make, *texts) == [key] * len(texts)


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (c.comparable, "金华市万利", "金华市学院"),
        (c.words_of_name, "Kwok Lee Trading Ltd", "Kwok Leung Trading Ltd"),
        (c.article, "shoes KP1284", "shoes KP1285"),
    ],
)
def test_differences_stay(make: Making, one: str, other: str) -> None:
    told = made(make, one, other)
    assert None not in told
    assert told[0] != told[1]


@pytest.mark.parametrize("make", KEYS)
@pytest.mark.parametrize("nothing", [None, "", "  ", "***"])
def test_nothing_is_nobody(make: Making, nothing: str | None) -> None:
    assert made(make, nothing) == [None]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=20))
def test_a_text_alone_is_what_it_is_among_others(texts: list[str]) -> None:
    for make in KEYS:
        assert made(make, *texts) == [made(make, text)[0] for text in texts]
