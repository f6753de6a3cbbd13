"""Mailboxes: one key for what reaches the same person, none for a mailbox that is nobody's own."""

from __future__ import annotations

import pytest

from features.identifiers.mailboxes import is_common_name, mailbox, mailbox_stem, mailboxes


@pytest.mark.parametrize(
    "written",
    [
        "jianzhu52@gmail.com",
        "jian.zhu52@gmail.com",
        "JianZhu52@GMail.com",
        "jianzhu52+shop@gmail.com",
        "jianzhu52@googlemail.com",
        '"Zhu, Jian" <jianzhu52@gmail.com>',
        "mailto:jianzhu52@gmail.com?subject=Order",
        "jianzhu52@gmail.com (Jian Zhu)",
        "E-mail: jianzhu52@gmail.com",
        "jianzhu52\u200b@gmail.com",
        "ｊｉａｎｚｈｕ52＠gmail.com",
        "jianzhu52@gmail.com; other99@qq.com",
        "邮箱：jianzhu52@gmail.com",
    ],
)
def test_all_ways_of_writing_a_mailbox_are_one(written: str) -> None:
    assert mailbox(written) == "jianzhu52@gmail.com"


@pytest.mark.parametrize(
    ("alias", "first"),
    [
        ("lwei7@protonmail.com", "lwei7@proton.me"),
        ("lwei7@pm.me", "lwei7@proton.me"),
        ("lwei7@ya.ru", "lwei7@yandex.ru"),
        ("lwei7@yandex.com", "lwei7@yandex.ru"),
        ("lwei7@me.com", "lwei7@icloud.com"),
        ("lwei7@mac.com", "lwei7@icloud.com"),
    ],
)
def test_another_name_of_a_provider_is_the_provider(alias: str, first: str) -> None:
    assert mailbox(alias) == mailbox(first) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jiaqi.chen837@inbox.example", "jiaqi.chen83742@inbox.example"),
        ("bestkicks380@shop.example", "bestkicks38017@shop.example"),
        ("jadesport380@163.com", "jade.sport38012@163.com"),
        ("yiwucrafts118@qq.com", "yiwu.crafts11855+x@qq.com"),
        ("timbrespascher123@web.de", "timbrespascher12399@web.de"),
        ("sneakerzfactory2024@gmail.com", "sneakerz.factory202411@googlemail.com"),
    ],
)
def test_digits_that_a_disguise_adds_are_undone(one: str, other: str) -> None:
    assert set(mailboxes(one)) & set(mailboxes(other))
    assert mailbox(one) == mailbox(other) or len(one.rstrip("0123456789")) < len(one) - 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("184739056@qq.com", "184739012@qq.com"),
        ("13805712846@139.com", "13805712899@139.com"),
        ("wangwei12345@163.com", "wangwei12367@163.com"),
        ("john.smith12345@gmail.com", "johnsmith12367@gmail.com"),
        ("lily12345@qq.com", "lily12388@qq.com"),
        ("zhang12345@sina.com", "zhang12388@sina.com"),
        ("li52@gmail.com", "li52@qq.com"),
        ("fashion12345@163.com", "fashion12388@163.com"),
        ("maria_garcia19851@hotmail.com", "mariagarcia19888@hotmail.com"),
        ("jianzhu52@outlook.com", "jianzhu52@hotmail.com"),
    ],
)
def test_mailboxes_of_two_people_share_nothing(one: str, other: str) -> None:
    assert mailboxes(one)
    assert mailboxes(other)
    assert not set(mailboxes(one)) & set(mailboxes(other))


@pytest.mark.parametrize(
    "text",
    ["", "n/a", "none", "none@none.com", "noreply@carrier.example", "no-reply@shop.example", "Do.Not.Reply@x.cn",
     "test@test.com", "test@gmail.com", "xxx@qq.com", "abc@qq.com", "123456@qq.com", "0000@163.com", "a@b", "@", "@@@@",
     "foo@", "@gmail.com", "noemail@noemail.com", "info@gmail.com", "sales@163.com", "li.wei@dhl.com",
     "support@dpd.co.uk", "service@mail.fedex.com", "someone@example.com", "a b c", "user@domain.com"],
)  # fmt: skip
def test_a_mailbox_of_nobody_is_none(text: str) -> None:
    assert mailbox(text) is None
    assert mailboxes(text) == ()
    assert mailbox_stem(text) is None


@pytest.mark.parametrize("role", ["info", "Sales", "support", "contact", "orders", "verkauf", "in.fo", "ventas"])
def test_a_department_on_a_host_of_its_own_is_the_hosts(role: str) -> None:
    assert mailbox(f"{role}@solekicks.example") == "*@solekicks.example"
    assert mailbox_stem(f"{role}@solekicks.example") is None
    assert mailbox(f"{role}@ebay.com") is None


@pytest.mark.parametrize(
    ("stem", "common"),
    [("wangwei", True), ("johnsmith", True), ("smithjohn", True), ("jsmith", True), ("lily", True), ("zhang", True),
     ("jiaqichen", False), ("bestkicks", False), ("timbrespascher", False), ("", False)],
)  # fmt: skip
def test_common_names(stem: str, common: bool) -> None:
    assert is_common_name(stem) is common


def test_the_stem_has_no_digits_at_its_end() -> None:
    assert mailbox_stem("jiaqi.chen837@inbox.example") == mailbox_stem("jiaqichen112@inbox.example")
    assert mailbox_stem("184739056@qq.com") is None
