"""Letters: what looks the same is the same, and no word of another script is turned into look-alikes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.identifiers.letters import comparable, folded, latin_readings


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("ΝΙΚΕΖΟΝΕ", "nikezone"),  # Greek capitals
        ("ΗΥΒΜ", "hybm"),
        ("ΧΡΤΙ-9", "xpti 9"),
        ("ΖΑΚΟ Shop", "zako shop"),
        ("КОМЕТА_1", "kometa 1"),  # Cyrillic capitals
        ("Nіке Outlet", "nike outlet"),
        ("Aԁіԁаѕ", "adidas"),
        ("ᏚᎪᏞᎬ", "sale"),  # Cherokee
        ("best\u200bkicks", "bestkicks"),
        ("best\u00adkicks", "bestkicks"),
        ("best\u2060kicks", "bestkicks"),
        ("best\ufeffkicks", "bestkicks"),
        ("best\u200dki\u180ecks", "bestkicks"),
        ("ｂｅｓｔ kicks", "best kicks"),
        ("Łódź Đakovo Øster", "lodz dakovo oster"),
        ("Straße Þór Æsir Œuvre", "strasse thor aesir oeuvre"),
        ("Iğdır İzmir", "igdir izmir"),
        ("ŋħŧ", "nght"),
    ],
)
def test_what_looks_the_same_is_the_same(written: str, key: str) -> None:
    assert comparable(written) == key


@pytest.mark.parametrize(
    "word", ["Мосторгсервис", "Иван Петров", "Αθήνα", "Ελευθερία", "Հայաստան", "Українці", "Београд Љубав"]
)
def test_a_word_of_a_script_of_its_own_shows_no_latin_letter(word: str) -> None:
    assert not any(letter.isascii() and letter.isalpha() for letter in folded(word))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Αθήνα", "ΑΘΗΝΑ"),
        ("Орёл", "ОРЕЛ"),
        ("한국", "한국"),
        ("ﾔﾏﾄ", "ヤマト"),
        ("Σοφός", "ΣΟΦΟΣ"),
        ("İSTANBUL", "istanbul"),
    ],
)
def test_case_accents_and_widths_fall_off_in_every_script(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Müller", {"muller", "mueller"}),
        ("Søren Ågård", {"soren agard", "soeren aagaard"}),
        ("Юрий", {"yuriy", "iurii"}),
        ("Đorđe", {"dorde", "djordje"}),
        ("Peña", {"pena", "penya"}),
        ("Smith", {"smith"}),
        ("ΜΑΡΙΑ ΚΟΚΚΙΝΟΥ", {"maria kokkinoy", "maria kokkinou"}),
    ],
)
def test_a_name_has_every_common_way_of_writing_it(name: str, written: set[str]) -> None:
    assert set(latin_readings(name)) & written == set(latin_readings(name))


@given(st.text(max_size=60))
def test_a_key_is_its_own_key(text: str) -> None:
    key = comparable(text)
    assert key is None or comparable(key) == key


@pytest.mark.parametrize("text", ["аa" * 200_000, "\u0301" * 400_000, "Α" * 400_000, "\u200b" * 400_000, "ä" * 400_000])
def test_long_texts_take_linear_time(text: str) -> None:
    began = time.perf_counter()
    folded(text)
    latin_readings(text)
    assert time.perf_counter() - began < 5.0
