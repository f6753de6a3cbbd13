"""E-mail addresses and telephones that a reader of a text could use, and nothing that only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence.bank_accounts import ibans_in
from features.intelligence.contacts_in_text import contacts_in
from features.intelligence.mailboxes import mailboxes_in, unguarded
from features.intelligence.telephones import telephones_in


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("write to sales@kicks-one.example.", "sales@kicks-one.example"),
        ("E-mail:sales@x.example", "sales@x.example"), ("<a.b+c@x.example>", "a.b+c@x.example"),
        ("邮箱sales@x.com欢迎", "sales@x.com"), ("info@münchen.example", "info@münchen.example"),
        ("a@b.co.uk, c", "a@b.co.uk"), ("(a_b@x.example)", "a_b@x.example"),
        ("sales [at] kicks [dot] example", "sales@kicks.example"), ("sales(at)kicks.example", "sales@kicks.example"),
        ("sales {at} kicks {dot} co {dot} uk", "sales@kicks.co.uk"),
        ("sales [arobase] kicks [point] fr", "sales@kicks.fr"), ("sales (AT) kicks (DOT) com", "sales@kicks.com"),
        ("sales at kicks dot com", "sales@kicks.com"),
        ("boss@xn--kcks-6ra.example", "boss@xn--kcks-6ra.example"),
    ],
)  # fmt: skip
def test_an_address_is_read(text: str, mailbox: str) -> None:
    assert list(mailboxes_in(text)) == [mailbox]


@pytest.mark.parametrize(
    "text",
    [
        "logo@2x.png", "hero@3x.webp", "icon@1.5x.jpg", "swiper@8.4.7", "npm/swiper@8.4.7/swiper.min.js",
        "react@18.2.0", "style@2x.css", "main@next.js",
        "@media screen", "@kicks88", "@user@mastodon.example", "git@github.com:kicks/shop.git",
        "https://user:pass@kicks.example/", "ftp://anonymous@kicks.example",
        "https://www.flickr.com/photos/12345@N03", "https://medium.com/@kicks", "lodash@latest", "user@localhost",
        "a@b", "@", "a@", "@b.example", "a@@b.example",
        "meet us at shop.example", "call us at kicks dot com", "look at kicks dot com", "we are at home",
        "a..b@x.example", "x@server.local", "picture@home.svg",
        "maps.google.com/@48.85,2.35,17z", "vue@3.4.21", "@fontsource/inter@5.0.8",
    ],
)  # fmt: skip
def test_what_nobody_can_write_to_is_none(text: str) -> None:
    assert list(mailboxes_in(text)) == []


@pytest.mark.parametrize("code", ["", "zz", "4", "00", "4231", "ff" * 2_000, "é"])
def test_a_guard_that_hides_no_address_is_none(code: str) -> None:
    assert unguarded(code) is None


def test_a_guarded_address_is_read_with_any_key() -> None:
    for key in range(256):
        hidden = bytes([key, *(sign ^ key for sign in b"sales@kicks.example")]).hex()
        assert unguarded(hidden) == "sales@kicks.example"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+86 138 0013 8000", None, "+86 138 0013 8000"), ("Tel:+8613800138000", None, "+8613800138000"),
        ("0086 138 0013 8000", None, "0086 138 0013 8000"),
        ("call 0033 6 12 34 56 78 now", None, "0033 6 12 34 56 78"), ("+49 (0)209 9566 0", None, "+49 (0)209 9566 0"),
        ("(+86)13800138000", None, "(+86)13800138000"),
        ("Tél. 06 12 34 56 78", "FR", "06 12 34 56 78"), ("电话：13800138000", "CN", "13800138000"),
        ("Telefon 0209 95660", "DE", "0209 95660"),
        ("WhatsApp +852 9123 4567.", None, "+852 9123 4567"), ("Phone: +65 6123 4567, fax", None, "+65 6123 4567"),
        ("+1 (212) 555-2368", None, "+1 (212) 555-2368"),
    ],
)  # fmt: skip
def test_a_telephone_is_read(text: str, region: str | None, number: str) -> None:
    assert list(telephones_in(text, region)) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "EAN: 4006381333931", "EAN 4 006381 333931", "ISBN 978-3-16-148410-0", "IBAN DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000",
        "FR76 3000 6000 0112 3456 7890 189", "0x52908400098527886E0F7030069857D2E4169EE7",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4",
        "Order no. 0033612345678", "订单号 0033612345678", "ref: 0033612345678", "price 0033612345678",
        "0033612345678 €", "$0033612345678", "+3.50", "+1 000 000 000",
        "00123456789012", "12345+33612345678", "a0033612345678", "0033612345678abc", "1.0033612345678",
        "00000000000000", "+99912345678", "06 12 34 56 78",
        "2026-01-02 00:33:61", "v1.0033.612.345.678", "id=0033612345678", "/p/0033612345678", "90033612345678",
        "GTIN 00336123456785", "EORI GB003361234567800",
    ],
)  # fmt: skip
def test_a_number_of_anything_else_is_no_telephone(text: str) -> None:
    assert list(telephones_in(text)) == []


@pytest.mark.parametrize(
    "text",
    ["06 12 34 56 78", "ref 06 12 34 56 78", "Bestellung 0209 95660", "order 13800138000", "Tel 12 34 56 78 90 12 34"],
)
@pytest.mark.parametrize("region", ["FR", "DE", "CN"])
def test_a_number_without_its_countrys_code_needs_a_word_for_a_telephone(text: str, region: str) -> None:
    assert list(telephones_in(text, region)) == []


@pytest.mark.parametrize(
    ("text", "ibans"),
    [
        ("IBAN DE89 3704 0044 0532 0130 00", ["DE89370400440532013000"]),
        ("pay DE89370400440532013000 now", ["DE89370400440532013000"]),
        ("DE88 3704 0044 0532 0130 00", []), ("FR7630006000011234567890189", ["FR7630006000011234567890189"]),
        ("AB12", []), ("MODEL DE89370400", []),
    ],
)  # fmt: skip
def test_an_iban_is_known_by_its_check_digits(text: str, ibans: list[str]) -> None:
    assert list(ibans_in(text)) == ibans


def test_the_contact_of_a_record_is_read_whole() -> None:
    assert list(contacts_in("a@x.example; +8613800138000")) == [("email", "a@x.example"), ("phone", "+8613800138000")]
    assert list(contacts_in("138 0013 8000")) == [("phone", "138 0013 8000")]
    assert list(contacts_in("Postbox 1, Yiwu")) == []


HOSTILE = [
    "@",
    "a@",
    "a.",
    "a@a.",
    "1",
    "1 ",
    "+1",
    "00",
    "a at b dot ",
    "[at]",
    "sales [at] ",
    "DE89 ",
    "(",
    "a@b.c@",
    "+33 6 12 34 56 78 ",
    "ａ＠",
    "-@-.",
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_five_megabytes_of_anything_cost_a_few_seconds(text: str) -> None:
    """Linear: twice as much takes no more than some three times as long."""
    spent = []
    for size in (2_500_000, 5_000_000):
        hostile = text * (size // len(text))
        began = time.process_time()
        for _ in (
            *mailboxes_in(hostile),
            *zip(telephones_in(hostile, "FR"), range(1_000), strict=False),
            *ibans_in(hostile),
        ):
            pass
        spent.append(time.process_time() - began)
    assert spent[1] < 20
    assert spent[1] < 3.5 * spent[0] + 1


@given(st.text(alphabet="a1@.+0 -()[]{}<>:/dotDE89\n\u200b＠", max_size=300))
def test_any_text_is_looked_through(text: str) -> None:
    for mailbox in mailboxes_in(text):
        assert mailbox.count("@") == 1
    for telephone in telephones_in(text, "FR"):
        assert sum(map(str.isdigit, telephone)) >= 7
