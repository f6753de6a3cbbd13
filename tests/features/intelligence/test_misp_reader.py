"""MISP events: what is to be detected is listed; victims, recipients, organisations and comments are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.features.intelligence.lists import read, stated, texts


def attribute(
    kind: str, value: str, category: str = "Network activity", *, to_ids: bool = True, **more: Any
) -> dict[str, Any]:
    return {"type": kind, "value": value, "category": category, "to_ids": to_ids, "uuid": f"{kind} {value}", **more}


def within(relation: str, kind: str, value: str, *, to_ids: bool = False) -> dict[str, Any]:
    return attribute(kind, value, "Other", to_ids=to_ids, object_relation=relation)


def event(*attributes: dict[str, Any], **more: Any) -> bytes:
    orgs = {"Org": {"name": "Customs CERT"}, "Orgc": {"name": "Sole Brands SA"}}
    return json.dumps(
        {"Event": {"info": "case desk@customs.example", **orgs, "Attribute": attributes, **more}}
    ).encode()


RING = attribute("email-src", "ring@bad.example")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (attribute("email-src", "a@x.example"), ("email", "a@x.example")),
        (attribute("domain", "x.example"), ("url", "x.example")),
        (attribute("hostname", "www.x.example"), ("url", "www.x.example")),
        (attribute("url", "https://x.example"), ("url", "https://x.example")),
        (attribute("phone-number", "+8613800138000", "Person", to_ids=False), ("phone", "+8613800138000")),
        (attribute("iban", "DE89370400440532013000", "Financial fraud"), ("iban", "DE89370400440532013000")),
        (attribute("whois-registrant-email", "a@x.example", "Attribution", to_ids=False), ("email", "a@x.example")),
        (attribute("nationality", "China", "Person", to_ids=False), ("country", "CN")),
    ],
    ids=lambda value: str(value["type"]) if isinstance(value, dict) else "",
)  # fmt: skip
def test_an_attribute_is_one_subject(one: dict[str, Any], expected: tuple[str, str]) -> None:
    assert stated(event(one, RING)) == {
        str(one["uuid"]): {expected},
        str(RING["uuid"]): {("email", "ring@bad.example")},
    }


def test_two_values_in_one_attribute_are_one_subjects() -> None:
    assert stated(event(attribute("domain|ip", "x.example|198.51.100.7"))) == {
        "domain|ip x.example|198.51.100.7": {("url", "x.example"), ("ip", "198.51.100.7")}
    }


@pytest.mark.parametrize(
    "one",
    [
        attribute("email-dst", "ipr@sole.example", "Payload delivery"),
        attribute("target-email", "ipr@sole.example", "Targeting data"),
        attribute("email-src", "ipr@sole.example", "Targeting data"),
        attribute("email-src", "ipr@sole.example", to_ids=False),
        attribute("comment", "ipr@sole.example", "Other"), attribute("text", "ipr@sole.example", "Other"),
        attribute("link", "https://sole.example/report", "External analysis"),
        attribute("url", "https://sole.example", "External analysis"),
        attribute("email-src", "ipr@sole.example", deleted=True),
        attribute("target-org", "Sole Brands SA", "Targeting data"),
        attribute("md5", "d41d8cd98f00b204e9800998ecf8427e", "Payload delivery"),
        attribute("url", "https://sole.example", "Internal reference"),
    ],
    ids=lambda one: f"{one['type']} {one['category']}",
)  # fmt: skip
def test_a_victim_a_recipient_and_an_explanation_are_not_listed(one: dict[str, Any]) -> None:
    content = event(one, RING)
    assert stated(content) == {str(RING["uuid"]): {("email", "ring@bad.example")}}
    assert sum(number for (kind, _), number in read(content).left_out.items() if kind == "attribute") == 1


def test_organisations_comments_and_galaxies_state_nothing() -> None:
    actor = {"type": "threat-actor", "GalaxyCluster": [{"value": "Copycat Ring"}]}
    content = event({**RING, "comment": "told by ipr@sole.example"}, Galaxy=[actor], Tag=[{"name": "tlp:amber"}])
    assert stated(content) == {str(RING["uuid"]): {("email", "ring@bad.example")}}
    assert read(content).left_out["organisation", "an author of the list"] == 2


PERSON = {
    "name": "person",
    "uuid": "o1",
    "Attribute": [within("full-name", "full-name", "Li Wei"), within("nationality", "nationality", "cn")],
}
ACCOUNT = {"name": "user-account", "uuid": "o2", "Attribute": [within("username", "text", "kicks88")]}


def test_an_object_is_one_subject_with_what_it_refers_to() -> None:
    refers = {**PERSON, "ObjectReference": [{"referenced_uuid": "o2", "relationship_type": "uses"}]}
    assert stated(event(Object=[refers, ACCOUNT])) == {
        "o1": {("name", "Li Wei"), ("country", "CN"), ("account", "kicks88")}
    }
    assert len(stated(event(Object=[PERSON, ACCOUNT]))) == 2


@pytest.mark.parametrize(
    "one",
    [
        {"name": "victim", "uuid": "v", "Attribute": [within("name", "text", "Sole Brands SA"),
         within("email", "email", "ipr@sole.example", to_ids=True)]},
        {"name": "target-system", "uuid": "v",
         "Attribute": [within("email", "email", "ipr@sole.example", to_ids=True)]},
        {"name": "person", "uuid": "v", "Attribute": [within("full-name", "full-name", "Ann"),
         within("role", "text", "Victim")]},
        {"name": "organization", "uuid": "v",
         "Attribute": [within("name", "text", "Sole"), within("role", "text", "complainant")]},
        {"name": "report", "uuid": "v", "Attribute": [within("link", "url", "https://sole.example", to_ids=True)]},
        {**PERSON, "uuid": "v", "deleted": True},
    ],
    ids=["victim", "system", "by role", "complainant", "report", "deleted"],
)  # fmt: skip
def test_an_object_of_an_innocent_is_not_listed(one: dict[str, Any]) -> None:
    assert set(stated(event(RING, Object=[one]))) == {str(RING["uuid"])}


def test_an_account_of_a_victim_is_not_listed() -> None:
    victim = {
        "name": "victim",
        "uuid": "v",
        "Attribute": [],
        "ObjectReference": [{"referenced_uuid": "o2", "relationship_type": "owns"}],
    }
    assert not texts(event(RING, Object=[victim, ACCOUNT]), "account")


@pytest.mark.parametrize("shape", ["list", "response", "response of one", "bare", "attributes"])
def test_an_event_is_known_in_every_wrapping(shape: str) -> None:
    inner = json.loads(event(RING))
    content = {
        "list": [inner], "response": {"response": [inner]}, "response of one": {"response": inner},
        "bare": inner["Event"],
        "attributes": {"response": {"Attribute": [RING]}},
    }[shape]  # fmt: skip
    assert read(json.dumps(content).encode()).format == "misp"
    assert texts(json.dumps(content).encode(), "email") == {"ring@bad.example"}
