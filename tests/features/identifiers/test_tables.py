"""The tables of identifiers: every row says where it is from, can be read, and does what it is there for."""

from __future__ import annotations

from datetime import date

import pytest

from features.identifiers.domains import registered_domain
from features.identifiers.mailboxes import is_common_name, mailbox
from features.identifiers.number_plans import code_of_region
from features.identifiers.placeholders import says_nothing
from features.identifiers.registered_numbers import registered_number
from features.identifiers.shared_hosts import Address, seller, shared_host
from features.identifiers.shops import shop, shops_near
from features.identifiers.tables import FOLDER, Row, table
from features.identifiers.telephones import telephones

TABLES = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem != "chinese_towns")
KINDS = {
    "common_names": {"given", "surname"},
    "hosts": {"marketplace", "social network", "messenger", "link shortener", "page of links", "shop builder",
              "of all the world", "carrier", "another name"},
    "mailboxes": {"provider", "role", "nobody", "invented"},
    "number_labels": {"label"},
    "placeholders": {"alone", "denial", "filler", "test"},
    "shop_words": {"of shops", "department", "old ending"},
    "telephones": {"plan", "fiction", "carrier"},
}  # fmt: skip


def rows(name: str, *kinds: str) -> list[Row]:
    return [row for row in table(name) if row["kind"] in kinds]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_kind_a_source_and_a_day(name: str) -> None:
    assert {row["kind"] for row in table(name)} == KINDS[name]
    for row in table(name):
        assert len(row["source"]) > 5
        assert date(2026, 1, 1) <= date.fromisoformat(row["seen"])
        assert None not in row.values()


@pytest.mark.parametrize("name", TABLES)
def test_no_row_stands_twice(name: str) -> None:
    told = [tuple(value for column, value in row.items() if column not in ("source", "seen")) for row in table(name)]
    assert len(told) == len(set(told))


def test_every_placeholder_says_nothing() -> None:
    assert [row["words"] for row in rows("placeholders", "alone", "test") if not says_nothing(row["words"])] == []


def test_every_denial_says_nothing_with_every_filler_of_its_language() -> None:
    for denial in rows("placeholders", "denial"):
        for filler in rows("placeholders", "filler"):
            if filler["language"] == denial["language"]:
                assert says_nothing(f"{denial['words']} {filler['words']}")


def test_every_host_is_found_and_every_rule_names_a_seller() -> None:
    for row in table("hosts"):
        host = row["host"].replace(".*", ".com")
        found = shared_host(f"bestkicks.{host}" if row["where"] == "subdomain" else host)
        assert found is not None, host
        if row["where"] not in ("none", "alias"):
            assert seller(_example(row, host), *found) is not None, row


def _example(row: Row, host: str) -> Address:
    """An address that the rule of a row is for."""
    if row["where"] == "query":
        return Address(host, "", f"{row['rule'].split('|')[0]}=Kicks77")
    pattern = row["rule"].partition(" !")[0].partition(";")[0].strip().replace("**/", "").replace("*", "any")
    return Address(host, pattern.strip("/").replace("{}", "Kicks77") if row["where"] == "path" else "")


def test_every_other_name_of_a_host_is_the_host() -> None:
    for row in rows("hosts", "another name"):
        found = shared_host(row["host"])
        assert found is not None
        assert found[0].name == row["rule"]


def test_no_carrier_is_a_sender() -> None:
    for row in rows("hosts", "carrier"):
        host = row["host"].replace(".*", ".com")
        assert shop(f"https://www.{host}/x") is None
        assert mailbox(f"li.wei7@{host}") is None


def test_every_provider_has_mailboxes_of_persons_below_its_first_name() -> None:
    for row in rows("mailboxes", "provider"):
        assert mailbox(f"timbrespascher7@{row['name']}") == f"timbrespascher7@{row['same_as'] or row['name']}"
        assert mailbox(f"info@{row['name']}") is None


def test_every_role_is_the_hosts_and_nobodys_mailbox_is_none() -> None:
    assert {mailbox(f"{row['name']}@kicks.example") for row in rows("mailboxes", "role")} == {"*@kicks.example"}
    assert {mailbox(f"{row['name']}@kicks.example") for row in rows("mailboxes", "nobody")} == {None}
    assert {mailbox(f"bestkicks@{row['name']}") for row in rows("mailboxes", "invented")} == {None}


def test_every_name_is_common_and_written_as_mailboxes_write_it() -> None:
    assert all(row["name"].isascii() and row["name"].islower() for row in table("common_names"))
    assert all(is_common_name(row["name"]) for row in table("common_names"))


def test_every_plan_is_a_region_and_every_number_is_nobodys() -> None:
    assert all(code_of_region(row["number"]) for row in rows("telephones", "plan"))
    for row in rows("telephones", "fiction", "carrier"):
        assert telephones("+" + row["number"].replace("#", "2"), None) == ()


def test_every_label_falls_off_a_number() -> None:
    for row in table("number_labels"):
        assert registered_number(f"{row['words']}: GB 874 6543 21", "CN") == "gb874654321", row["words"]


def test_every_word_of_shops_falls_off_what_is_near_and_endings_are_old() -> None:
    for row in rows("shop_words", "of shops"):
        assert "solebrand" in shops_near(f"https://solebrand-{row['word']}.shop")
    assert all(registered_domain(f"kicks.{row['word']}").is_common for row in rows("shop_words", "old ending"))
    assert all(shop(f"https://{row['word']}.taobao.com") is None for row in rows("shop_words", "department"))
