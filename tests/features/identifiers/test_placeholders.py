"""What stands where an identifier should and identifies nobody, and what only looks like it."""

from __future__ import annotations

import pytest

from features.identifiers.placeholders import LONGEST, is_patterned, plain_words, says_nothing

NOTHING = {
    "words": ["N/A", "n.a.", "None", "NULL", "unknown", "TBA", "not provided", "Not Available", "no phone number"],
    "joined": ["NOTAVAILABLE", "notprovided", "NoEmail", "see-box", "SEELABEL", "noname"],
    "languages": ["无", "没有", "未提供", "нет", "не указан", "inconnu", "keine Angabe", "sin datos", "não informado",
                  "brak", "yok", "bilinmiyor", "なし", "없음", "لا يوجد", "לא ידוע", "không có", "onbekend", "ukjent"],
    "signs": ["", " ", ".", "?", "-", "--", "***", "#N/A", "<none>", "[null]", "(unknown)", "！"],
    "unseen": ["\u200b", "n\u200b/a", "\ufeffnone", "Ｎ／Ａ", "t\u00adba"],
    "zeros": ["0", "00", "0000000000", "000-000-0000", "0000001", "1000000", "GB000000000", "VAT 000000"],
    "running": ["123456789", "1234567890", "0123456789", "123-456-7890", "12345", "987654321", "9876543210", "54321"],
    "repeated": ["999999", "xxx", "XXXXXXXX", "aaa", "111222333", "123123123", "12341234", "121212", "112233"],
    "test": ["test", "TEST123", "test 1", "demo", "sample1", "asdf asdf", "qwerty", "foo bar", "abc", "dummy 12345"],
}  # fmt: skip
SOMETHING = [
    "GB123456789", "CN295900214", "bestkicks2024", "bestkicks123", "nana", "23456789", "13800", "A1XYZ", "Jade_Sport",
    "91330200MA2AF12345", "S-88123", "20000017", "0000000172", "testarossa", "test-arena", "李晓明", "nakd", "1101",
    "9902", "no1shop", "Nonesuch", "Naomi", "unknownpleasures", "无印良品", "нетто", "keinek", "84719026",
]  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in NOTHING.values() for text in texts])
def test_placeholders_say_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", SOMETHING)
def test_what_only_looks_like_a_placeholder_says_something(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize("text", ["N/A", "  n / a  ", "N.A.", "ｎ/ａ", "n\u200ba", "Ñ/Ä"])
def test_a_placeholder_is_the_same_however_it_is_written(text: str) -> None:
    assert plain_words(text).replace(" ", "") == "na"


def test_what_is_too_long_identifies_nobody() -> None:
    assert not says_nothing("kicks4 " * (LONGEST // 7))
    assert says_nothing("kicks4 " * LONGEST)


@pytest.mark.parametrize(("characters", "patterned"), [("3456", False), ("2345", False), ("4321", True), ("", True)])
def test_digits_run_from_where_people_begin_to_count(characters: str, patterned: bool) -> None:
    assert is_patterned(characters) is patterned
