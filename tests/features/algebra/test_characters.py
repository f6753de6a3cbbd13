"""Patterns and lower case: what polars finds and makes, and the same on every Python."""

from __future__ import annotations

import hashlib
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Pattern, character_source, lower, with_plain_digits
from features.algebra.characters import UnknownClass, meaning_of_characters, ranges_of
from features.columns import declared, goods, identifiers, route

EVERYTHING = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
CLASSES = (r"\p{L}", r"\p{Lu}", r"\p{N}", r"\p{M}", r"\p{Han}", r"\d", r"\s", r"\w")
SOURCES = (*CLASSES, r"[\p{L}\p{N}]+", r"\p{L}+", r"\D+", r"\S", r"\W", r"[^;\s]+", r"[^\p{L}\p{N}]+", r"\bа?\w",
           r"\w\b", r"[0-9]{1,9}", r"a|\bb\b|手", goods.VAGUE.source)  # fmt: skip
ODD = "aAbg .,_-;1²½Ⅷ٤１①\u0301\u200dΣσςİıßǅÉé礼品配件𠀀\U00010d50\U00010d4a\U00016ea0\ua7d2🎁\t\x00\x1c\x85\u00a0"
ODD_TEXTS = st.one_of(
    st.text(max_size=10),
    st.text(alphabet=ODD, max_size=12),
    st.lists(st.sampled_from(["gift", "parts", "Pièces", "li pin", "礼品", *ODD]), max_size=7).map("".join),
)


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=150, deadline=None)
@given(ODD_TEXTS)
def test_a_pattern_finds_what_polars_finds(source: str, text: str) -> None:
    pattern, series = Pattern(source), pl.Series([text])
    assert pattern.all(text) == series.str.extract_all(source)[0].to_list()
    assert pattern.count(text) == series.str.count_matches(source)[0]
    assert pattern.less(text) == series.str.replace_all(source, "")[0]
    assert pattern.replaced(text, r"\1 ") == series.str.replace_all(source, r"\1 ")[0]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_holds_the_characters_that_polars_knows(name: str) -> None:
    pattern = Pattern(name)
    known = pl.Series(EVERYTHING).str.contains(name).to_list()
    assert [pattern.count(character) == 1 for character in EVERYTHING] == known


def test_every_character_has_the_lower_case_and_the_digits_that_polars_gives() -> None:
    series = pl.Series(EVERYTHING)
    assert [lower(character) for character in EVERYTHING] == series.str.to_lowercase().to_list()
    plain = series.str.normalize("NFKC").to_list()
    digits = re.compile("[0-9]")
    given_digits = [digits.findall(with_plain_digits(character)) for character in EVERYTHING]
    assert given_digits == [digits.findall(character) for character in plain]


@settings(max_examples=300)
@given(ODD_TEXTS)
def test_a_text_has_the_lower_case_that_polars_gives(text: str) -> None:
    assert lower(text) == pl.Series([text]).str.to_lowercase()[0]


@pytest.mark.parametrize(
    "word", ["ΟΔΟΣ", "Σ", "ΣΑΣ", "Α\u0301Σ", "ΑΣ\u0301", "ΑΣ.Β", "ΑΣ Β", "ΑΣ1", "1Σ", "ΑΣ\u00adΑ", "ΣΣ"]
)
def test_a_sigma_that_ends_its_word_is_final(word: str) -> None:
    assert lower(word) == pl.Series([word]).str.to_lowercase()[0]


def test_what_patterns_find_is_the_same_on_every_python() -> None:
    """Python 3.11, 3.12 and 3.13 know Unicode 14.0, 15.0 and 15.1; none of that shows."""
    told = hashlib.sha256()
    patterns = [Pattern(name) for name in (r"[\p{L}\p{N}]", r"\d", r"\s", r"\w", r"\p{Han}", r"\p{M}", r"a\b")]
    for character in EVERYTHING:
        text = f"a{character}"
        counts = ",".join(str(pattern.count(text)) for pattern in patterns)
        told.update(f"{lower(text)}{lower('ΑΣ' + text)}{with_plain_digits(text)}{counts}".encode())
    assert told.hexdigest().startswith("00309c3566e5e681")


def test_the_tables_are_those_that_their_script_writes() -> None:
    written = character_source.TABLES.read_bytes()
    assert character_source.written(character_source.tables()) == written.decode("ascii")


@pytest.mark.parametrize("source", [r"\p{Greek}", r"\pL", r"\A", r"\z", r"[\p{Latin}]"])
def test_a_class_without_a_table_is_named(source: str) -> None:
    with pytest.raises(UnknownClass, match=r"characters\.json|write"):
        Pattern(source)


@pytest.mark.parametrize("source", ["(", "[a", "*"])
def test_what_is_no_pattern_is_refused_where_it_is_written(source: str) -> None:
    with pytest.raises(re.error):
        Pattern(source)


def test_ranges_are_in_order_and_apart() -> None:
    for name in ("d", "L", "w", "cased", "ignorable"):
        flat = [code for pair in ranges_of(name) for code in pair]
        assert flat == sorted(flat)
        assert len(meaning_of_characters()) == 64


@pytest.mark.parametrize("text", ["a" * 100_000, " " * 100_000, "礼" * 100_000, "a \u0301" * 30_000, "1" * 100_000])
@pytest.mark.parametrize(
    "pattern", [goods.VAGUE, goods.WORD, goods.HAN, declared.LETTERS, identifiers.NUMBER, route.COUNTRY]
)
def test_a_long_text_takes_time_in_proportion(pattern: Pattern, text: str) -> None:
    whole = sum(map(len, pattern.all(text)))
    assert whole in (0, len(text), len(text) // 3, len(text) * 2 // 3)
