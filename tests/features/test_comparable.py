"""Texts as keys: disguises fall off, differences stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.comparable import article, articles
from features.identifiers.letters import comparable
from features.identifiers.names import words_of_name

Making = Callable[[str], str | None]
KEYS: list[Making] = [comparable, words_of_name, article]


@pytest.mark.parametrize(
    ("make", "texts", "key"),
    [
        (comparable, ["Sunrise  Trading", "SUNRISE trading.", "Sunrisе Trаding", "Sünrise Trading",
                      "Sun\u200brise Trad\u00ading"],
         "sunrise trading"),
        (words_of_name, ["Mak Lee Trading Ltd", "Lee Mak Тrаding", "MAK LEE TRADE CO., LTD"], "lee mak"),
        (article, ["shoes KP1284", "chaussures kp 1284 noires", "KP-1284", "ＫＰ１２８４ boots"], "KP1284"),
    ],
)  # fmt: skip
def test_disguises_fall_off(make: Making, texts: list[str], key: str) -> None:
    assert list(map(make, texts)) == [key] * len(texts)


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (comparable, "金华市万利", "金华市学院"),
        (words_of_name, "Kwok Lee Trading Ltd", "Kwok Leung Trading Ltd"),
        (article, "shoes KP1284", "shoes KP1285"),
    ],
)
def test_differences_stay(make: Making, one: str, other: str) -> None:
    assert None not in (make(one), make(other))
    assert make(one) != make(other)


@pytest.mark.parametrize("make", KEYS)
@pytest.mark.parametrize("nothing", ["", "  ", "***"])
def test_nothing_is_nobody(make: Making, nothing: str) -> None:
    assert make(nothing) is None


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=40))
def test_the_first_of_all_codes_is_the_article(text: str) -> None:
    assert article(text) == (articles(text) or (None,))[0]
