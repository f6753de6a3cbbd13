"""Links die with the next one, only the guesser waits, nobody learns which names exist, and one person is one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, profiles
from fastapi.testclient import TestClient

from pipelines.training.standard_policy import standard_policy
from service.access import Access
from service.access.credentials import Denied
from service.access.four_eyes import require_two_people
from service.access.guard import COOKIE
from service.access.invitations import SET_UP
from service.access.log_in_backoff import FORGOTTEN_AFTER, TRIES, caller_of
from service.app import create
from service.officers.proposals import propose
from service.settings import Settings
from service.store.access_tables import LOG_INS_FAILED
from service.store.database import Store
from service.store.tables import CHAIN
from tests.service.access.closed import PASSWORD, accept, access, now
from tests.service.building import NOON

GUESSER, OWNER = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def known(either_store: Store) -> Access:
    return Access(either_store)


def entries(known: Access, what: str) -> list[dict[str, object]]:
    with known.store.reading() as connection:
        content = connection.execute(sa.select(CHAIN.c.content).order_by(CHAIN.c.number)).scalars()
        return [entry for entry in map(json.loads, content) if entry.get("what") == what]


def refusal(known: Access, name: str, address: str) -> str:
    with pytest.raises(Denied) as denied:
        known.log_in(name, "guessed and guessed", "targeting", NOON, address)
    return str(denied.value)


# one-time links


def test_a_set_up_link_dies_with_the_next_one_and_with_the_first_account(known: Access) -> None:
    first, second = (known.invite("", "admin", ["*"], SET_UP, NOON) for _ in range(2))
    with pytest.raises(Denied, match="replaced"):
        known.accept(first, "evil", PASSWORD, "en", NOON)
    known.accept(second, "boss", PASSWORD, "en", NOON)
    with pytest.raises(Denied, match="accounts already"):
        known.invite("", "admin", ["*"], SET_UP, NOON)
    assert known.invitation(first, NOON) is None


def test_a_set_up_link_of_an_earlier_version_makes_no_second_administrator(known: Access) -> None:
    """Such a store may hold several that are not used; the first account, made before, did not void them."""
    link = known.invite("", "admin", ["*"], SET_UP, NOON)
    known.store.write(lambda connection: connection.execute(sa.text(
        "INSERT INTO accounts (name, role, offices, language, password, failures, waits_until, active) "
        "VALUES ('boss', 'admin', '[\"*\"]', 'en', 'x', 0, 0, true)")))  # fmt: skip
    with pytest.raises(Denied, match="used"):
        known.accept(link, "evil", PASSWORD, "en", NOON)


def test_links_die_with_a_newer_one_for_the_name_and_with_the_account_that_is_closed(known: Access) -> None:
    accept(known, "boss", "admin", at=NOON)
    old, new = (known.invite("ana", "analyst", ["*"], "boss", NOON) for _ in range(2))
    assert known.invitation(old, NOON) is None
    assert known.invitation(new, NOON) is not None
    by_boss = known.invite("", "admin", ["*"], "boss", NOON)
    accept(known, "chief", "admin", at=NOON)
    for_boss = known.invite("boss", "admin", ["*"], "chief", NOON)
    known.close_account("boss", "chief", NOON)
    assert not any(known.invitation(link, NOON) for link in (new, by_boss, for_boss))


def test_nobody_is_called_as_the_set_up(known: Access) -> None:
    link = known.invite("", "analyst", ["*"], "ada", NOON)
    with pytest.raises(Denied, match="name"):
        known.accept(link, SET_UP, PASSWORD, "en", NOON)


# log-ins


def test_only_the_guesser_waits_and_not_the_owner(known: Access) -> None:
    accept(known, "ana", at=NOON)
    said = [refusal(known, "ana", GUESSER) for _ in range(TRIES + 1)]
    assert "wait" in said[-1]
    with pytest.raises(Denied, match="wait"):
        known.log_in("ana", PASSWORD, "targeting", NOON, GUESSER)
    assert known.log_in("ana", PASSWORD, "targeting", NOON, OWNER)
    with pytest.raises(Denied, match="wait"):  # the owner's log-in forgives the guesser nothing
        known.log_in("ana", PASSWORD, "targeting", NOON, GUESSER)
    assert refusal(known, "bob", GUESSER) == said[0]


def test_a_name_that_nobody_has_is_answered_like_one_that_somebody_has(known: Access) -> None:
    accept(known, "ana", at=NOON)
    accept(known, "gone", at=NOON)
    known.close_account("gone", "ada", NOON)
    known.vouched("elsewhere", "analyst", ["*"], "targeting", NOON)
    said = {name: [refusal(known, name, GUESSER) for _ in range(TRIES + 2)]
            for name in ("ana", "nobody", "gone", "elsewhere")}  # fmt: skip
    assert len(set(map(tuple, said.values()))) == 1
    assert [entry["whom"] for entry in entries(known, "log-in failed")].count("") == TRIES


def test_each_name_costs_one_slow_hash_and_one_write(known: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(known, "ana", at=NOON)
    known.vouched("elsewhere", "analyst", ["*"], "targeting", NOON)
    hashed: list[str] = []
    written: list[object] = []
    matches, write = known.matches, known.store.write

    def hashing(kept: str, secret: str) -> bool:
        hashed.append(kept)
        return matches(kept, secret)

    def writing(work: Any) -> Any:
        written.append(work)
        return write(work)

    monkeypatch.setattr(known, "matches", hashing)
    monkeypatch.setattr(known.store, "write", writing)
    for number, name in enumerate(("ana", "nobody", "elsewhere"), 1):
        refusal(known, name, GUESSER)
        assert (len(hashed), len(written)) == (number, number)
    assert all(one.startswith("$argon2id$") for one in hashed)


def test_neighbours_of_an_ipv6_address_are_one_caller_and_failures_are_forgotten(known: Access) -> None:
    assert caller_of("2001:db8::1", "ana") == caller_of("2001:db8::ffff:2", "ana")
    assert caller_of("2001:db8::1", "ana") != caller_of("2001:db8:0:1::1", "ana")
    assert caller_of("::ffff:192.0.2.1", "ana") == caller_of("192.0.2.1", "ana")
    refusal(known, "ana", GUESSER)
    with pytest.raises(Denied):
        known.log_in("bob", "x", "targeting", NOON + FORGOTTEN_AFTER + timedelta(seconds=1), OWNER)
    with known.store.reading() as connection:
        assert len(connection.execute(sa.select(LOG_INS_FAILED)).all()) == 1


def test_passwords_are_hashed_as_slowly_as_rfc_9106_asks(product_hasher: PasswordHasher) -> None:
    least = profiles.RFC_9106_LOW_MEMORY
    assert product_hasher.type is least.type
    assert product_hasher.time_cost >= least.time_cost
    assert product_hasher.memory_cost >= least.memory_cost


# four eyes


def two(known: Access, proposer: str, approver: str) -> None:
    number = propose(known.store, "policy", standard_policy(), "tests", proposer, NOON)
    require_two_people(known.store, number, approver, NOON)


def test_an_administrator_is_not_both_pairs_of_eyes(known: Access) -> None:
    def join(name: str, role: str, by: str) -> None:
        known.accept(known.invite(name, role, ["*"], by, NOON), "", PASSWORD, "en", NOON)

    boss_link = known.invite("", "admin", ["*"], SET_UP, NOON)
    known.accept(boss_link, "boss", PASSWORD, "en", NOON)
    for name, role, by in (
        ("eve1", "analyst", "boss"), ("eve2", "data_scientist", "boss"), ("puppet", "admin", "boss"),
        ("eve3", "analyst", "puppet"), ("ana", "analyst", "A. Martin"), ("bob", "analyst", "A. Martin"),
    ):  # fmt: skip
        join(name, role, by)
    known.vouched("carl", "analyst", ["*"], "targeting", NOON)
    for one, other in (("eve1", "eve2"), ("eve1", "eve3"), ("boss", "eve1"), ("eve3", "boss")):
        with pytest.raises(Denied, match="four-eyes"):
            two(known, one, other)
    refused = entries(known, "four eyes refused")
    assert (refused[0]["proposed_by"], refused[0]["by"]) == ("eve1", "eve2")
    assert refused[0]["behind both"] == ["boss"]
    for one, other in (("ana", "bob"), ("eve1", "ana"), ("carl", "eve2")):
        two(known, one, other)
    join("ana", "analyst", "boss")  # who gives a new password can use it
    with pytest.raises(Denied, match="four-eyes"):
        two(known, "ana", "eve1")


def test_the_console_refuses_it_and_says_why(home: Settings) -> None:
    with TestClient(create(home), follow_redirects=False) as client:
        known = access(client)
        accept(known, "boss", "admin")
        for name in ("eve1", "eve2"):
            known.accept(known.invite(name, "analyst", ["*"], "boss", now()), "", PASSWORD, "en", now())
        number = propose(known.store, "promotion", "1", "tests", "eve1", now())
        client.cookies.set(COOKIE, known.log_in("eve2", PASSWORD, "audit", now()))
        principal = known.person(client.cookies[COOKIE], now())
        assert principal is not None
        form = {"csrf": principal.csrf, "word": "approve", "page": "model"}
        answer = client.post(f"/console/proposals/{number}", data=form)
        assert answer.status_code == 422
        assert "four-eyes rule" in answer.text
        refuse = client.post(f"/console/proposals/{number}", data={**form, "word": "refuse"})
        assert refuse.status_code == 303
