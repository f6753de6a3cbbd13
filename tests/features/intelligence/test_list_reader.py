"""Lists are read whatever they are written in; what cannot be read is told by line, and nothing of it is told back."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence import as_ftm, read_list, subjects_of, ties_of
from features.intelligence.ftm_writer import TAG_SERVICE
from features.intelligence.statements import Unreadable
from features.parties.evidence import NAMES, level_of

PERSON = {
    "id": "p1", "schema": "Person",
    "properties": {"name": ["Best Seller"], "alias": ["Best Kicks"], "email": ["a@shop.example"], "country": ["cn"]},
}  # fmt: skip
ACCOUNT = {"id": "a1", "schema": "UserAccount", "properties": {"username": ["kicks88"], "owner": ["p1"]}}
WALLET = {"id": "w1", "schema": "CryptoWallet", "properties": {"publicKey": ["bc1qx"], "holder": ["p1"]}}
BANK = {"id": "b1", "schema": "BankAccount", "properties": {"iban": ["DE89370400440532013000"]}}
OWNS = {"id": "o1", "schema": "Ownership", "properties": {"owner": ["p1"], "asset": ["b1"]}}
SAMPLES = Path(__file__).parents[3].parent / "shared" / "samples" / "intelligence"


def lines(*entities: object) -> bytes:
    return "\n".join(json.dumps(entity) for entity in entities).encode()


def told(content: bytes) -> dict[str, set[tuple[str, str]]]:
    """What is stated of each subject, by label."""
    found: dict[str, set[tuple[str, str]]] = {}
    for _, label, prop, text, _ in read_list(content, "tests").statements.iter_rows():
        found.setdefault(label, set()).add((prop, text))
    return found


def test_follow_the_money_brings_a_person_and_what_is_its_own_together() -> None:
    assert told(lines(PERSON, ACCOUNT, WALLET, BANK, OWNS)) == {
        "Best Seller": {
            ("name", "Best Seller"), ("name", "Best Kicks"), ("email", "a@shop.example"), ("country", "CN"),
            ("account", "kicks88"), ("wallet", "bc1qx"), ("iban", "DE89370400440532013000"),
        }
    }  # fmt: skip


def test_what_is_written_is_read_again_as_it_was() -> None:
    held = {"id": "t1", "schema": "UserAccount",
            "properties": {"username": ["G-ABCDEF1234"], "service": [TAG_SERVICE], "owner": ["p1"]}}  # fmt: skip
    first = read_list(lines(PERSON, ACCOUNT, WALLET, BANK, OWNS, held), "tests").statements
    again = read_list("\n".join(as_ftm(first)).encode(), "tests").statements
    compared = ["subject_id", "property", "text"]
    assert again.select(compared).sort(compared).equals(first.select(compared).sort(compared))
    assert {text for prop, text in again.select("property", "text").rows() if prop == "tag"} == {"G-ABCDEF1234"}


def test_shops_are_tied_conclusively_or_only_alike_and_alike_joins_nobody() -> None:
    shops = b"subject_id,url,tag\none,https://kicks21.example,G-ABCDEF1234\ntwo,https://other.example,G-ABCDEF1234\n"
    shops += b"three,https://kicks22.example,\n"
    listed = read_list(shops, "tests")
    ties = ties_of(subjects_of("shops", listed.statements))
    assert {(frozenset((tie.first, tie.second)), tie.conclusive, tie.evidence) for tie in ties} == {
        (frozenset(("one", "two")), True, "the same payment or analytics number, or rare pseudonym"),
        (frozenset(("one", "three")), False, "web shops of nearly the same name"),
    }
    written = "\n".join(as_ftm(listed.statements, ties))
    assert {json.loads(line)["schema"] for line in written.splitlines()} == {
        "LegalEntity", "UserAccount", "UnknownLink", "Similar",
    }  # fmt: skip
    again = read_list(written.encode(), "tests")
    assert (
        again.statements["subject_id"].n_unique() == 3
    )  # a link between two parties makes neither answer for the other
    assert [tie.conclusive for tie in ties_of(subjects_of("shops", again.statements))].count(True) == 1


def test_stix_brings_related_objects_together() -> None:
    objects = [
        {"type": "identity", "id": "i1", "name": "Best Seller", "contact_information": "a@shop.example"},
        {"type": "user-account", "id": "u1", "account_login": "kicks88", "display_name": "Best Kicks"},
        {"type": "url", "id": "l1", "value": "https://kicks.example/store"},
        {"type": "relationship", "id": "r1", "source_ref": "i1", "target_ref": "u1"},
        {"type": "relationship", "id": "r2", "source_ref": "u1", "target_ref": "l1"},
        {"type": "email-addr", "id": "e1", "value": "other@shop.example"},
    ]
    found = told(json.dumps({"type": "bundle", "id": "b", "objects": objects}).encode())
    assert found["Best Seller"] == {
        ("name", "Best Seller"), ("email", "a@shop.example"), ("account", "kicks88"), ("name", "Best Kicks"),
        ("url", "https://kicks.example/store"),
    }  # fmt: skip
    assert found["e1"] == {("email", "other@shop.example")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_its_columns_as_people_do(delimiter: str) -> None:
    rows = [
        ("Name", "E-Mail", "Telephone", "Website", "note"),
        ("Best Seller", "a@x.example|b@x.example", "+86 13800138000", "", "x"),
    ]
    content = "\n".join(delimiter.join(row) for row in rows).encode()
    assert told(content) == {
        "Best Seller": {
            ("name", "Best Seller"),
            ("email", "a@x.example"),
            ("email", "b@x.example"),
            ("phone", "+86 13800138000"),
        }
    }


def test_what_cannot_be_read_is_told_by_line_and_the_rest_is_read() -> None:
    listed = read_list(lines(PERSON) + b"\n{broken\n[1]\n" + lines(ACCOUNT), "tests")
    assert [problem["line"] for problem in listed.problems] == [2, 3]
    assert "broken" not in json.dumps(listed.problems)
    assert listed.statements.height == 5
    table = read_list(b"name,email\nA,\n,\n", "tests")
    assert [problem["line"] for problem in table.problems] == [3]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"type": "bundle"}', b"x,y\n1,2\n", b"\xff\xfe", b"name\n\n", b"[[[["]
)
def test_what_holds_nothing_is_refused_with_a_remedy(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_list(content, "tests")


def is_read_or_refused(content: bytes) -> None:
    """Anything but Unreadable is a fault of the reader."""
    with contextlib.suppress(Unreadable):
        assert read_list(content, "tests").statements.height


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@pytest.mark.slow
def test_no_list_breaks_the_reader(content: bytes) -> None:
    is_read_or_refused(content)


KEYS = st.sampled_from(["id", "type", "properties", "objects", "name", "owner", "schema", "source_ref"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_entity_breaks_the_reader(entity: object) -> None:
    is_read_or_refused(lines(entity))
    is_read_or_refused(json.dumps({"type": "bundle", "objects": entity}).encode())


def test_a_circle_of_owners_ends() -> None:
    circle = [{"id": str(n), "schema": "Company", "properties": {"name": ["X"], "owner": [str(1 - n)]}} for n in (0, 1)]
    assert read_list(lines(*circle), "tests").statements["subject_id"].to_list() == ["0"]


def test_subjects_state_the_same_evidence_as_senders() -> None:
    listed = read_list(lines(PERSON, ACCOUNT), "tests")
    subjects = subjects_of("watch", listed.statements)
    assert subjects["label"].to_list() == ["Best Seller"]
    levels = {NAMES[level_of(value)] for value in subjects["values"][0]}
    assert {"account", "mailbox", "name_common"} <= levels
    again = subjects_of("watch", listed.statements)
    assert again.equals(subjects)
    assert subjects_of("other", listed.statements)["entity"][0] != subjects["entity"][0]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the exchange's sample lists are not beside the checkout")
@pytest.mark.parametrize("name", ["ftm_entities.jsonl", "stix21_identity_bundle.json"])
def test_the_samples_of_the_exchange_are_read_whole(name: str) -> None:
    listed = read_list((SAMPLES / name).read_bytes(), name)
    assert not listed.problems
    assert listed.statements["label"].unique().to_list() == ["Held-out Seller One"]
    assert {"name", "email", "account"} <= set(listed.statements["property"])
