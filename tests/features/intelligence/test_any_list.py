"""Any list is read or refused: shapes that no exporter writes, relations without ends, enormous patterns."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence.statements import PROPERTIES, Unreadable
from features.intelligence.stix_patterns import NotSimple, Paths, alternatives
from tests.features.intelligence.lists import read

TEXT = st.sampled_from(
    [
        "a",
        "b",
        "a@x.example",
        "[email-addr:value='a@x.example']",
        "China",
        "uses",
        "targets",
        "related-to",
        "is",
        "",
        "\x00",
    ]
)
VALUE = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
STIX = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["identity", "threat-actor", "indicator", "relationship", "observed-data", "location", "email-addr",
             "email-message",
             "sighting", "infrastructure", "user-account", "note", "x-other"]
        ) | VALUE,
        "id": st.sampled_from("abcdef") | VALUE,
    },
    optional={
        name: st.sampled_from("abcdef") | VALUE
        for name in ("name", "value", "source_ref", "target_ref", "relationship_type", "pattern", "objects",
         "object_refs",
                     "created_by_ref", "revoked", "country", "contact_information", "to_refs", "from_ref", "modified",
                     "labels")
    },
)  # fmt: skip
FTM = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abcdef") | VALUE,
        "schema": st.sampled_from(["Person", "Company", "Address", "Ownership", "Family", "Sanction",
         "UserAccount"]) | VALUE,
        "properties": VALUE | st.dictionaries(
            st.sampled_from(["name", "owner", "asset", "entity", "person", "relative", "addressEntity", "country",
             "topics"]),
            st.lists(st.sampled_from("abcdef") | VALUE, max_size=3), max_size=5,
        ),
    },
    optional={"target": VALUE},
)  # fmt: skip
NESTED = FTM.flatmap(
    lambda inner: FTM.map(lambda outer: {**outer, "properties": {"accounts": [inner, inner], "name": "a"}})
)
ATTRIBUTE = st.dictionaries(
    st.sampled_from(["type", "value", "category", "to_ids", "object_relation", "uuid", "deleted"]),
    st.sampled_from(["email-src", "domain|ip", "text", "name", "a|b", "Targeting data"]) | VALUE,
    max_size=7,
)
MISP = st.dictionaries(
    st.sampled_from(["Attribute", "Object", "Orgc", "Galaxy", "info", "response", "Event"]),
    VALUE
    | st.lists(
        ATTRIBUTE | st.fixed_dictionaries({"Attribute": st.lists(ATTRIBUTE, max_size=2), "ObjectReference": VALUE}),
        max_size=3,
    ),
    max_size=5,
)


def is_read_or_refused(content: object) -> None:
    """Anything but Unreadable is a fault of the reader."""
    with contextlib.suppress(Unreadable):
        listed = read(json.dumps(content).encode())
        assert set(listed.statements["property"]) <= set(PROPERTIES)
        assert listed.account()["read"]["subject"] >= 1


@given(st.lists(STIX, max_size=8))
def test_any_bundle_is_read_or_refused(objects: list[object]) -> None:
    is_read_or_refused({"type": "bundle", "objects": objects})


@given(st.lists(FTM | NESTED, max_size=8))
def test_any_entities_are_read_or_refused(entities: list[object]) -> None:
    is_read_or_refused(entities)


@given(MISP)
def test_any_event_is_read_or_refused(event: object) -> None:
    is_read_or_refused({"Event": event})
    is_read_or_refused(event)


PATHS = Paths({"email-addr:value": "email"}, frozenset(["email-addr:display_name"]))
PIECES = st.sampled_from(
    ["[", "]", "(", ")", "email-addr:value", "=", "!=", "'a'", "'", "AND", "OR", "NOT", "IN", ",", " ", "FOLLOWEDBY",
     "t'x'", "5", "x.'y'", "\\"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map(" ".join))
def test_any_pattern_is_read_or_refused(pattern: str) -> None:
    with contextlib.suppress(NotSimple):
        ways, left_out = alternatives(pattern, PATHS)
        assert all(ways)
        assert len(ways) + left_out > 0


@pytest.mark.parametrize(
    "piece",
    ["[", "(", "'", "a", " OR ", "[email-addr:value='a'] AND ", "[email-addr:value='a'] OR ",
     "(email-addr:value='a' OR email-addr:value='b') AND ",
     "email-addr:value IN ('a',", "\\'", "NOT ", "=", "[email-addr:value='" , "x.'y'"],
)  # fmt: skip
def test_a_pattern_of_a_hundred_kilobytes_costs_little(piece: str) -> None:
    began = time.process_time()
    for start, end in (("", ""), ("[", "]"), ("[email-addr:value IN ('x', ", "'y')]")):
        with contextlib.suppress(NotSimple):
            alternatives(start + piece * (100_000 // len(piece)) + end, PATHS)
    assert time.process_time() - began < 5


def test_a_list_of_many_relations_costs_little() -> None:
    """Ten thousand mailboxes of one actor, and a chain of as many owners."""
    actor = {"type": "threat-actor", "id": "t", "name": "Ring"}
    mails = [{"type": "email-addr", "id": f"e{n}", "value": f"a{n}@x.example"} for n in range(10_000)]
    uses = [
        {"type": "relationship", "id": f"r{n}", "relationship_type": "uses", "source_ref": "t", "target_ref": f"e{n}"}
        for n in range(10_000)
    ]
    began = time.process_time()
    assert read(json.dumps({"type": "bundle", "objects": [actor, *mails, *uses]}).encode()).statements.height == 10_001
    chain = [
        {"id": f"c{n}", "schema": "Company", "properties": {"name": ["A"], "owner": [f"c{n + 1}"]}}
        for n in range(10_000)
    ]
    assert read("\n".join(map(json.dumps, chain)).encode()).statements["subject_id"].n_unique() == 1
    assert time.process_time() - began < 30
