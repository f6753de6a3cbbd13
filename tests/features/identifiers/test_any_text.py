"""Whatever strangers write: every function answers, in linear time, and the same for the key it gave."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identifiers.accounts import account
from features.identifiers.mailboxes import mailbox, mailbox_stem, mailboxes
from features.identifiers.placeholders import plain_words, says_nothing
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop, shops_near
from features.identifiers.telephones import telephone, telephones
from features.identifiers.visible import UNSEEN, visible

FUNCTIONS: list[Callable[[str], object]] = [
    visible, plain_words, says_nothing, account, registered_number, telephone, telephones, mailbox, mailboxes,
    mailbox_stem, shop, shops_near,
]  # fmt: skip
HOSTILE = {
    "signs": "@.:/+-#?&=;,|<>()[]{}*%~_!",
    "at": "a@", "dots": "a.", "slashes": "/", "plus": "+", "digits": "7", "zeros": "0", "letters": "a",
    "percent": "%2f", "query": "https://www.amazon.de/sp?a=1&", "path": "https://www.amazon.de/stores/",
    "mail": "a@b.c ",
    "telephones": "+86 138 0571 2846; ", "extension": "1ext", "no": "no ", "numbers": "GB 1",
    "accents": "e\u0301\u0316",
    "marks": "\u0301\u0316", "unseen": "\u200b", "ligature": "ﷺ", "punycode": "xn--a-", "spaces": " ", "han": "统一",
}  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.text(alphabet="+0123456789 ()-./@aeo:wnx#%&=?", max_size=60))


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.sampled_from(["CN", "FR", "", "XX", None]))
def test_every_text_has_an_answer(text: str, country: str | None) -> None:
    for function in FUNCTIONS:
        function(text)
    assert (telephone(text, country) is None) == (telephones(text, country) == ())
    assert (mailbox(text) is None) == (mailboxes(text) == ())
    assert registered_number(text, country) != ""


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_what_is_unseen_changes_nothing(text: str) -> None:
    hidden = "\u200b".join(text)
    assert visible(visible(text)) == visible(text)
    for function in (account, telephones, mailboxes, shop):
        assert function(hidden[:400]) == function(visible(hidden[:400]))


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_a_key_is_its_own_key(text: str) -> None:
    key = mailbox(text)
    if key is not None and not key.startswith("*"):
        again = mailbox(key)
        assert again == key or again == mailboxes(key)[-1]  # of seven digits, added twice, two more are cut
    number = registered_number(text, None)
    assert number is None or registered_number(number, None) in (number, None)
    phone = telephone(text, None)
    if phone is not None and phone.startswith("+"):
        assert phone in telephones(phone, None)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.__name__))
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hundred_kilobytes_take_no_longer_than_their_length(function: Callable[[str], object], kind: str) -> None:
    text = (HOSTILE[kind] * 100_000)[:100_000]
    began = time.process_time()
    function(text)
    assert time.process_time() - began < 0.5


def test_whatever_shows_nothing_is_unseen() -> None:
    formats = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cf", "Cc")}
    assert formats <= set(UNSEEN)
    assert visible("best\u200bkicks\ufe0f\u00ad 2\t3") == "bestkicks 2 3"
