"""What a text identifies does not depend on the version of Unicode that a Python knows."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from features.algebra.characters import AGREED, agreed, ranges_of
from features.comparable import articles
from features.hs_codes import hs_plain_text
from features.identifiers.accounts import account
from features.identifiers.addresses import address_to_unit, building, street
from features.identifiers.mailboxes import mailbox_stem, mailboxes
from features.identifiers.names import is_rare, name_readings, sound_readings
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shops import shop, shops_near
from features.identifiers.telephones import telephones
from features.product_codes import named

IDENTIFYING: tuple[Callable[[str], object], ...] = (
    lambda c: account(f"Nike{c}zone {c}"),
    lambda c: (name_readings(f"Ning{c}bo {c}umen"), sound_readings(f"{c}bo Lumen"), is_rare(f"Ningbo Lumen {c}umen")),
    lambda c: mailboxes(f"ji{c}aqi{c}.chen83742@in{c}box.example"),
    lambda c: mailbox_stem(f"jiaqi.chen837{c}@inbox.example"),
    lambda c: shop(f"https://solek{c}icks.co.uk/{c}"),
    lambda c: shop(f"amazon.de/sp?seller=A1{c}YZ"),
    lambda c: shops_near(f"{c}solekicks-shop.example"),
    lambda c: telephones(f"+86 195 1607 374{c}7", "CN"),
    lambda c: registered_number(f"GB 123{c}456782", "GB"),
    lambda c: building(f"{c}4 Dong{c}feng Road", f"Ning{c}bo", f"3150{c}0", "CN"),
    lambda c: street(f"{c}4 Dong{c}feng Road", f"Ning{c}bo", f"3150{c}0", "CN"),
    lambda c: address_to_unit(f"{c}4 Dong{c}feng Road", f"Ning{c}bo", f"3150{c}0", "GB"),
    lambda c: articles(f"shoes kp{c}1284{c} XK4417"),
    lambda c: hs_plain_text(f"64.0{c}4"),
    lambda c: named(f"(01)04006381333931(21)AB{c}12"),
)  # fmt: skip
DIGEST = "253b116055f27497487456e4080c2f62e415be714b01c2b50e168d1a6ce7500a"
EVERY = 101  # of some 280,000 characters one is tried; all of them take five minutes


def characters() -> Iterator[str]:
    """Some of the characters that all know, of every script."""
    all_known = (code for first, last in ranges_of("agreed") for code in range(first, last + 1))
    yield from map(chr, islice(all_known, 0, None, EVERY))


def identified() -> str:
    """The hash of what is identified by texts with each character in them."""
    digest = hashlib.sha256()
    for one in characters():
        digest.update(repr([function(one) for function in IDENTIFYING]).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@pytest.mark.slow
def test_every_python_identifies_the_same() -> None:
    assert identified() == DIGEST


@pytest.mark.parametrize("newer", ["\U0001e030", "\u0cf3", "\U00011f04", "\U0002ebf0", "\U00010d4a", "\U00016ea0"])
def test_a_character_that_only_some_know_is_a_sign_to_all(newer: str) -> None:
    assert [function(newer) for function in IDENTIFYING] == [function("\ufffd") for function in IDENTIFYING]


def test_what_this_python_knows_of_old_is_what_is_agreed() -> None:
    known = {code for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")}
    of_all = {code for first, last in ranges_of("agreed") for code in range(first, last + 1)}
    assert of_all - known <= {code for code in of_all if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE}
    assert agreed("Ningbo 宁波 ﬁ 😀") == "Ningbo 宁波 ﬁ 😀"
    assert AGREED[ord("a")] == ord("a")
