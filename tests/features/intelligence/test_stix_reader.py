"""STIX bundles: suspects and what is theirs are listed; victims, authors, witnesses and lenders are not."""

from __future__ import annotations

from typing import Any

import pytest

from features.intelligence.statements import Unreadable
from tests.features.intelligence.lists import (
    ACTOR,
    RING,
    USES,
    bundle,
    identity,
    mailbox,
    read,
    relation,
    stated,
    texts,
)

SOLE = identity("Sole Brands SA", contact_information="ipr@sole.example")
CUSTOMS = identity("Customs Unit", contact_information="desk@customs.example")
ITS_MAIL = mailbox("office@sole.example")
BELONGS = relation("related-to", SOLE["id"], ITS_MAIL["id"])
ACTOR_ID = ACTOR["id"]


def innocents(content: bytes) -> set[str]:
    return texts(content, "name") & {"Sole Brands SA", "Customs Unit"} | texts(content, "email") - {"ring@bad.example"}


@pytest.mark.parametrize(
    "kind", ["targets", "impersonates", "compromises", "attacks", "extorts", "defrauds", "counterfeits", "Targets"]
)
def test_a_victim_is_listed_nowhere(kind: str) -> None:
    content = bundle(ACTOR, RING, USES, SOLE, ITS_MAIL, BELONGS, relation(kind, ACTOR_ID, SOLE["id"]))
    assert not innocents(content)
    assert texts(content, "email") == {"ring@bad.example"}
    assert read(content).left_out["identity", "a victim"] == 1


@pytest.mark.parametrize(
    "objects",
    [
        (relation("targeted-by", SOLE["id"], ACTOR_ID), SOLE),
        (identity("Sole Brands SA", contact_information="ipr@sole.example", roles=["victim"]),),
        (identity("Sole Brands SA", labels=["Victim"]),),
        (identity("Sole Brands SA", identity_class="class"),),
        ({"type": "malware", "id": "malware--1"}, relation("targets", "malware--1", SOLE["id"]), SOLE),
        (SOLE, {**CUSTOMS, "created_by_ref": SOLE["id"]}, relation("targets", ACTOR_ID, CUSTOMS["id"])),
        (SOLE, {"type": "sighting", "id": "s", "sighting_of_ref": ACTOR_ID, "where_sighted_refs": [SOLE["id"]]}),
        (SOLE, {"type": "report", "id": "report--1", "created_by_ref": SOLE["id"], "object_refs": [ACTOR_ID]}),
        (SOLE, {"type": "marking-definition", "id": "m", "created_by_ref": SOLE["id"]}),
        (SOLE, CUSTOMS, relation("targets", ACTOR_ID, SOLE["id"]), relation("duplicate-of", CUSTOMS["id"], SOLE["id"])),
        (SOLE, {"type": "infrastructure", "id": "infrastructure--1"},
         relation("hosts", SOLE["id"], "infrastructure--1")),
    ],
    ids=["reverse", "role", "label", "class", "by malware", "author of a victim", "witness", "report", "marking",
     "same", "host"],
)  # fmt: skip
def test_whoever_is_no_suspect_is_listed_nowhere(objects: tuple[dict[str, Any], ...]) -> None:
    assert not innocents(bundle(ACTOR, RING, USES, *objects))


@pytest.mark.parametrize("named", [ACTOR, RING, USES, {"type": "note", "id": "note--1", "content": "x"}])
def test_the_author_of_any_object_is_no_subject(named: dict[str, Any]) -> None:
    others = [item for item in (ACTOR, RING, USES) if item is not named]
    assert not innocents(bundle(CUSTOMS, {**named, "created_by_ref": CUSTOMS["id"]}, *others))


def test_an_author_or_victim_whom_the_bundle_accuses_stays_a_suspect() -> None:
    accused = relation("attributed-to", ACTOR_ID, CUSTOMS["id"])
    content = bundle({**ACTOR, "created_by_ref": CUSTOMS["id"]}, CUSTOMS, accused, RING, USES)
    assert stated(content)[str(CUSTOMS["id"])] == {
        ("name", "Customs Unit"), ("name", "Copycat Ring"), ("email", "desk@customs.example"),
        ("email", "ring@bad.example"),
    }  # fmt: skip


def test_what_a_suspect_and_its_victim_share_is_no_evidence_but_for_the_country() -> None:
    place = {"type": "location", "id": "location--1", "country": "CN"}
    shared = [relation("uses", ACTOR_ID, ITS_MAIL["id"]), relation("located-at", ACTOR_ID, "location--1")]
    content = bundle(
        ACTOR, SOLE, ITS_MAIL, BELONGS, place, *shared, relation("located-at", SOLE["id"], "location--1"),
        relation("targets", ACTOR_ID, SOLE["id"]),
    )  # fmt: skip
    assert stated(content) == {ACTOR_ID: {("name", "Copycat Ring"), ("country", "CN")}}


OWNING = ["uses", "owns", "has", "controls", "operates", "related-to", None]


@pytest.mark.parametrize("kind", OWNING)
def test_what_a_suspect_uses_is_its_own(kind: str | None) -> None:
    assert stated(bundle(ACTOR, RING, relation(kind, ACTOR_ID, str(RING["id"])))) == {
        ACTOR_ID: {("name", "Copycat Ring"), ("email", "ring@bad.example")}
    }


@pytest.mark.parametrize("kind", ["belongs-to", "used-by", "owned-by", "related-to"])
def test_a_relation_may_be_told_from_the_other_side(kind: str) -> None:
    assert ("email", "ring@bad.example") in stated(bundle(ACTOR, RING, relation(kind, str(RING["id"]), ACTOR_ID)))[
        ACTOR_ID
    ]


@pytest.mark.parametrize(
    "item",
    [
        mailbox("ring@bad.example"),
        {"type": "user-account", "id": "user-account--1", "account_login": "kicks88"},
        {"type": "url", "id": "url--1", "value": "https://kicks.example"},
        {"type": "domain-name", "id": "domain-name--1", "value": "kicks.example"},
        {"type": "location", "id": "location--1", "country": "CN"},
        {"type": "phone-number", "id": "phone-number--1", "value": "+8613800138000"},
        {"type": "cryptocurrency-wallet", "id": "w--1", "value": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
    ],
    ids=lambda item: str(item["type"]),
)
def test_an_object_of_two_belongs_to_both(item: dict[str, Any]) -> None:
    one, two = identity("Golden Lotus"), identity("Harbour Light")
    kind = "located-at" if item["type"] == "location" else "uses"
    uses = [relation(kind, str(party["id"]), str(item["id"])) for party in (one, two)]
    of = stated(bundle(one, two, item, *uses))
    assert len(of) == 2
    first, second = of.values()
    assert len(first & second) == 1


def test_two_parties_that_have_to_do_with_one_another_stay_two() -> None:
    one, two = identity("Golden Lotus", contact_information="a@x.example"), identity("Harbour Light")
    for kind in ("related-to", "employed-by", "cooperates-with", "uses"):
        assert len(stated(bundle(one, two, relation(kind, str(one["id"]), str(two["id"]))))) == 2


def test_a_place_that_is_targeted_is_not_the_suspects() -> None:
    places = [{"type": "location", "id": f"location--{code}", "country": code} for code in ("China", "FR")]
    content = bundle(
        ACTOR,
        *places,
        relation("originates-from", ACTOR_ID, "location--China"),
        relation("targets", ACTOR_ID, "location--FR"),
    )
    assert stated(content)[ACTOR_ID] == {("name", "Copycat Ring"), ("country", "CN")}


@pytest.mark.parametrize("revoked", [0, 1, 2])
def test_what_was_revoked_is_not_listed(revoked: int) -> None:
    objects = [dict(item) for item in (ACTOR, RING, USES)]
    objects[revoked]["revoked"] = True
    other = mailbox("other@bad.example")
    content = bundle(*objects, other)
    assert ("email", "ring@bad.example") not in stated(content).get(ACTOR_ID, set())
    assert read(content).left_out["object", "it was revoked"] == 1 or revoked == 2


def test_the_newest_version_of_an_object_counts() -> None:
    older, newer = (
        {**ACTOR, "name": name, "modified": f"{year}-01-01T00:00:00Z"} for name, year in (("A", 2024), ("B", 2025))
    )
    assert texts(bundle(newer, older), "name") == {"B"}


def test_observables_inside_observed_data_are_read_with_what_they_refer_to() -> None:
    observed = {"type": "observed-data", "id": "observed-data--1", "objects": {
        "0": {"type": "email-addr", "value": "ring@bad.example", "belongs_to_ref": "1"},
        "1": {"type": "user-account", "user_id": "kicks88"},
    }}  # fmt: skip
    indicator = {
        "type": "indicator",
        "id": "indicator--1",
        "labels": ["malicious-activity"],
        "pattern": "[url:value = 'https://a.example']",
    }
    relations = (
        relation("based-on", "indicator--1", "observed-data--1"),
        relation("indicates", "indicator--1", ACTOR_ID),
    )
    content = bundle(ACTOR, observed, indicator, *relations, version="2.0")
    assert stated(content) == {ACTOR_ID: {
        ("name", "Copycat Ring"), ("email", "ring@bad.example"), ("account", "kicks88"), ("url", "https://a.example"),
    }}  # fmt: skip


def test_whoever_received_a_message_is_not_listed_and_whoever_sent_it_is() -> None:
    sent = {"type": "email-message", "id": "email-message--1", "from_ref": RING["id"], "to_refs": [ITS_MAIL["id"]]}
    content = bundle(ACTOR, RING, ITS_MAIL, sent, relation("uses", ACTOR_ID, "email-message--1"))
    assert texts(content, "email") == {"ring@bad.example"}
    assert set(stated(content)) == {ACTOR_ID}


def test_a_relation_of_an_unknown_kind_lists_nobody_and_is_told() -> None:
    content = bundle(ACTOR, RING, relation("x-frobnicates", ACTOR_ID, str(RING["id"])))
    assert texts(content, "email") == set()
    assert read(content).left_out["relation", "its kind is not known"] == 1


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[email-addr:value = 'a@x.example']", [{("email", "a@x.example")}]),
        ("[ email-addr:value='a@x.example' ]", [{("email", "a@x.example")}]),
        ("[domain-name:value = 'x.example' OR url:value = 'https://y.example/a,b']",
         [{("url", "x.example")}, {("url", "https://y.example/a,b")}]),
        ("[email-addr:value = 'a@x.example'] OR [phone-number:value = '+8613800138000']",
         [{("email", "a@x.example")}, {("phone", "+8613800138000")}]),
        ("[email-addr:value = 'a@x.example' AND domain-name:value = 'x.example']",
         [{("email", "a@x.example"), ("url", "x.example")}]),
        ("[user-account:account_login = 'k88' AND user-account:account_type = 'ebay']", [{("account", "k88")}]),
        ("[domain-name:value IN ('x.example', 'y.example')]", [{("url", "x.example")}, {("url", "y.example")}]),
        ("[ipv4-addr:value = '198.51.100.7']", [{("ip", "198.51.100.7")}]),
        ("[(url:value = 'https://a.example' OR url:value = 'https://b.example') AND email-addr:value = 'a@x.example']",
         [{("url", "https://a.example"), ("email", "a@x.example")},
          {("url", "https://b.example"), ("email", "a@x.example")}]),
        (r"[url:value = 'https://a.example/it\'s']", [{("url", "https://a.example/it's")}]),
    ],
)  # fmt: skip
def test_a_simple_pattern_is_read_alternatives_apart(pattern: str, expected: list[set[tuple[str, str]]]) -> None:
    content = bundle({"type": "indicator", "id": "indicator--1", "pattern": pattern, "pattern_type": "stix"})
    assert list(stated(content).values()) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "[email-addr:value LIKE '%@x.example']", "[email-addr:value != 'a@x.example']",
        "[NOT email-addr:value = 'a@x.example']",
        "[email-addr:value NOT = 'a@x.example']", "[email-addr:value MATCHES '^a.*']", "[file:hashes.'SHA-256' = 'aa']",
        "[email-addr:value = 'a@x.example' AND file:name = 'x.exe']",
        "[email-addr:value = 'a@x.example'] FOLLOWEDBY [url:value = 'b']",
        "[email-addr:value = 'a@x.example'] REPEATS 5 TIMES", "[email-addr:value = 'a@x.example'] WITHIN 5 SECONDS",
        "[email-addr:value = ]", "[", "", "[email-addr:value = 'a", "[" * 200, "email-addr", "[email-addr:value = 5]",
        "[email-addr:value ISSUBSET '10.0.0.0/8']",
    ],
)  # fmt: skip
def test_any_other_pattern_is_left_out_and_told(pattern: str) -> None:
    content = bundle(ACTOR, {"type": "indicator", "id": "indicator--1", "pattern": pattern})
    assert set(stated(content)) == {ACTOR_ID}
    assert read(content).left_out["indicator", "its pattern is no equality of something that is compared"] == 1


@pytest.mark.parametrize(
    "more",
    [{"indicator_types": ["benign"]}, {"indicator_types": ["compromised"]}, {"labels": ["benign"]},
     {"labels": ["compromised"]},
     {"pattern_type": "yara"}, {"pattern_type": "sigma"}, {"revoked": True}],
)  # fmt: skip
def test_an_indicator_that_accuses_nobody_is_left_out(more: dict[str, Any]) -> None:
    pattern = "[email-addr:value = 'a@x.example']"
    content = bundle(ACTOR, {"type": "indicator", "id": "indicator--1", "pattern": pattern, **more})
    assert not texts(content, "email")
    assert sum(read(content).left_out.values()) == 1


def test_alternatives_of_a_known_suspect_are_all_its_own() -> None:
    pattern = "[domain-name:value = 'x.example' OR email-addr:value = 'a@x.example' OR file:name = 'x']"
    indicator = {"type": "indicator", "id": "indicator--1", "pattern": pattern}
    content = bundle(ACTOR, indicator, relation("indicates", "indicator--1", ACTOR_ID))
    assert stated(content) == {ACTOR_ID: {("name", "Copycat Ring"), ("url", "x.example"), ("email", "a@x.example")}}
    assert (
        read(content).left_out[
            "alternative of an indicator", "its pattern is no equality of something that is compared"
        ]
        == 1
    )


def test_what_indicates_no_party_is_a_subject_of_its_own() -> None:
    indicators = [
        {"type": "indicator", "id": f"indicator--{n}", "pattern": f"[domain-name:value = 'x{n}.example']"}
        for n in (1, 2)
    ]
    kit = {"type": "malware", "id": "malware--1", "name": "Skimmer"}
    relations = [relation("indicates", str(one["id"]), "malware--1") for one in indicators]
    assert len(stated(bundle(kit, *indicators, *relations))) == 2


def test_a_contact_is_read_as_people_write_it() -> None:
    contact = "Tel. +86 138 0013 8000, mail: a@x.example; Room 5, Yiwu"
    assert stated(bundle(identity("Golden Lotus", contact_information=contact)))["identity--Golden Lotus"] == {
        ("name", "Golden Lotus"), ("phone", "+86 138 0013 8000"), ("email", "a@x.example"),
    }  # fmt: skip


def test_a_list_of_innocents_alone_says_why_it_is_refused() -> None:
    with pytest.raises(Unreadable, match="an author of the list"):
        read(bundle({**CUSTOMS, "created_by_ref": CUSTOMS["id"]}))
