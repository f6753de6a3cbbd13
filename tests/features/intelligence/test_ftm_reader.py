"""FollowTheMoney: what a party holds is its own, whoever else holds it too; edges between two parties join neither."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.features.intelligence.lists import entity, json_lines, read, stated, texts

ONE, TWO = entity("p1", name="Wang Xiaoming", country="cn"), entity("p2", name="Li Wei")
OF_ONE = {("name", "Wang Xiaoming"), ("country", "CN")}
AT = entity("a1", "Address", full="No. 12 Dongfeng Road, Yiwu", country="cn")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json_lines(entity("p1", name="Wang", addressEntity="a1"), AT), "No. 12 Dongfeng Road, Yiwu"),
        (json_lines(AT, entity("p1", name="Wang", addressEntity="a1")), "No. 12 Dongfeng Road, Yiwu"),
        (json_lines(entity("p1", "Company", name="Wang", addressEntity=["a1"]), AT), "No. 12 Dongfeng Road, Yiwu"),
        (json_lines(entity("p1", name="Wang", addressEntity=[AT])), "No. 12 Dongfeng Road, Yiwu"),
        (json_lines(entity("p1", name="Wang", addressEntity="a1"),
         entity("a1", "Address", street="12 Dongfeng Road", city="Yiwu")),
         "12 Dongfeng Road, Yiwu"),
        (json.dumps([entity("p1", name="Wang", addressEntity="a1"), AT]).encode(), "No. 12 Dongfeng Road, Yiwu"),
    ],
    ids=["after", "before", "company", "nested", "in parts", "array"],
)  # fmt: skip
def test_an_address_belongs_to_whoever_is_there(content: bytes, expected: str) -> None:
    assert set(stated(content)) == {"p1"}
    assert ("address", expected) in stated(content)["p1"]


@pytest.mark.parametrize(
    "thing",
    [
        entity("t", "UserAccount", username="kicks88"), entity("t", "BankAccount", iban="DE89370400440532013000"),
        entity("t", "CryptoWallet", publicKey="bc1qx"), entity("t", "Company", name="Kicks Ltd", email="a@x.example"),
        entity("t", "Passport", number="X1234567"), entity("t", "Address", full="1 High Street"),
        entity("t", "UserAccount", email="a@x.example"),
    ],
    ids=lambda thing: str(thing["schema"]),
)  # fmt: skip
def test_what_two_own_belongs_to_both(thing: dict[str, Any]) -> None:
    edges = [entity(f"o{party}", "Ownership", owner=party, asset="t") for party in ("p1", "p2")]
    of = stated(json_lines(ONE, TWO, thing, *edges))
    assert set(of) == {"p1", "p2"}
    assert of["p1"] & of["p2"]


EDGES = {
    "Directorship": ("director", "organization"), "Membership": ("member", "organization"),
    "Employment": ("employer", "employee"),
    "Family": ("person", "relative"), "Associate": ("person", "associate"), "UnknownLink": ("subject", "object"),
    "Representation": ("agent", "client"), "Payment": ("payer", "beneficiary"),
    "Succession": ("predecessor", "successor"),
}  # fmt: skip


@pytest.mark.parametrize("schema", EDGES)
def test_an_edge_between_two_parties_makes_neither_answer_for_the_other(schema: str) -> None:
    first, second = EDGES[schema]
    content = json_lines(ONE, TWO, entity("e", schema, **{first: "p1", second: "p2"}, country="us"))
    assert stated(content) == {"p1": OF_ONE, "p2": {("name", "Li Wei")}}
    assert read(content).left_out["edge", "it ties two parties, and neither answers for the other"] == 1


@pytest.mark.parametrize("schema", EDGES)
def test_an_account_at_the_end_of_any_edge_is_the_partys(schema: str) -> None:
    first, second = EDGES[schema]
    account = entity("u", "UserAccount", username="kicks88")
    for ends in ({first: "p1", second: "u"}, {first: "u", second: "p1"}):
        assert stated(json_lines(ONE, account, entity("e", schema, **ends))) == {
            "p1": OF_ONE | {("account", "kicks88")}
        }


@pytest.mark.parametrize(
    "measure",
    [
        entity("s", "Sanction", entity="p1", country="us", authority="Some Office"),
        entity("s", "Sanction", entity=["p1"], country=["us", "eu"]),
        entity("s", "Sanction", entity="p1", name="Order 7", jurisdiction="us"),
        entity("s", "Document", country="us", name="A report"),
        entity("s", "Article", country="us", name="A story"),
        entity("s", "Event", country="us", name="A raid", involved="p1"),
    ],
)  # fmt: skip
def test_the_country_of_an_authority_is_not_the_persons(measure: dict[str, Any]) -> None:
    for content in (json_lines(measure, ONE), json_lines(ONE, measure)):
        assert stated(content) == {"p1": OF_ONE}


def test_nested_entities_are_read_as_those_apart_are() -> None:
    nested = entity(
        "p1", name="Wang Xiaoming", country="cn",
        sanctions=[entity("s", "Sanction", country="us")],
        ownershipOwner=[entity("o", "Ownership",
         asset=[entity("c", "Company", name="Kicks Ltd", email="a@x.example")])],
        accounts=[entity("u", "UserAccount", username="kicks88")],
        familyPerson=[entity("f", "Family", relative=[entity("p2", name="Li Wei", email="li@x.example")])],
    )  # fmt: skip
    of = stated(json_lines(nested))
    assert of["p1"] == OF_ONE | {("name", "Kicks Ltd"), ("email", "a@x.example"), ("account", "kicks88")}
    assert set(of) == {"p1"}  # a relative, in a list that accuses by sanction


@pytest.mark.parametrize(
    "of_two",
    [
        {"topics": ["role.victim"]}, {"topics": "victim"}, {"topics": ["role.witness"]},
        {"topics": ["role.victim", "role.pep"]},
    ],
)  # fmt: skip
def test_a_victim_by_topic_is_listed_nowhere_and_what_it_holds_neither(of_two: dict[str, Any]) -> None:
    content = json_lines(
        ONE, entity("p2", name="Li Wei", **of_two), entity("u", "UserAccount", username="k", owner="p2")
    )
    assert set(stated(content)) == {"p1"}
    assert not texts(content, "account")


def test_what_is_no_target_and_who_is_only_related_is_not_listed() -> None:
    assert set(stated(json_lines({**ONE, "target": True}, {**TWO, "target": False}))) == {"p1"}
    crime = entity("p1", name="Wang Xiaoming", topics="crime.fraud")
    family = entity("f", "Family", person="p1", relative="p2")
    assert set(stated(json_lines(crime, TWO, family))) == {"p1"}
    both = json_lines(crime, entity("p2", name="Li Wei", topics="wanted"), family)
    assert set(stated(both)) == {"p1", "p2"}


@pytest.mark.parametrize(
    "content", [b'{"id": 1, "properties": {}}', b'[{"id": "a"}, 7]', b'{"id": "a", "properties": []}']
)
def test_what_is_no_entity_is_told(content: bytes) -> None:
    good = json_lines(ONE)
    listed = read(good + b"\n" + content) if content[:1] == b"{" else read(b"[" + good + b"," + content[1:])
    assert {problem["reason"] for problem in listed.problems} == {"not an entity"}
    assert stated(good) == {"p1": OF_ONE}
