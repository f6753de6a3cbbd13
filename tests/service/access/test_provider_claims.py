"""Names, roles and offices in the forms in which providers state them; what is not understood is told by its claim."""

from __future__ import annotations

from typing import Any

import pytest

from service.access.credentials import NAME, Denied
from service.access.provider_claims import claim_at, name_of, offices_of, role_of

NESTED = {"realm_access": {"roles": ["offline_access", "analyst", "uma_authorization"]}}


@pytest.mark.parametrize(
    ("claims", "claim", "role"),
    [
        ({"tamis_role": "analyst"}, "tamis_role", "analyst"),
        ({"tamis_role": ["analyst"]}, "tamis_role", "analyst"),
        ({"tamis_role": "Analyst"}, "tamis_role", "analyst"),
        ({"tamis_role": ["data-scientist", "default-roles-x"]}, "tamis_role", "data_scientist"),
        (NESTED, "realm_access.roles", "analyst"),
        ({"resource_access": {"tamis.web": {"roles": ["auditor"]}}}, "resource_access.tamis.web.roles", "auditor"),
        ({"https://tamis.example/roles": ["clearance"]}, "https://tamis.example/roles", "clearance"),
        ({"roles": "openid profile analyst"}, "roles", "analyst"),
        ({"roles": ["admin", "tamis-analyst"]}, "roles", "analyst"),  # marked: the others are of other applications
        ({"groups": ["/tamis/auditor", "/staff"]}, "groups", "auditor"),
        ({"a.b": "analyst", "a": {"b": "auditor"}}, "a.b", "analyst"),  # its own name first
    ],
)
def test_a_role_is_read_where_it_stands(claims: dict[str, Any], claim: str, role: str) -> None:
    assert role_of(claims, claim) == role


@pytest.mark.parametrize(
    ("claims", "claim", "says"),
    [
        ({}, "tamis_role", "states no role: there is no claim tamis_role"),
        ({"realm_access": {}}, "realm_access.roles", "no claim realm_access.roles"),
        ({"realm_access": ["analyst"]}, "realm_access.roles", "no claim realm_access.roles"),
        ({"tamis_role": {"name": "analyst"}}, "tamis_role", "tamis_role of the provider is not understood"),
        ({"tamis_role": [["analyst"]]}, "tamis_role", "is not understood"),
        ({"tamis_role": 7}, "tamis_role", "is not understood"),
        ({"tamis_role": "secret-root"}, "tamis_role", "names no role here; it takes one of clearance, analyst"),
        ({"tamis_role": []}, "tamis_role", "names no role here"),
        ({"tamis_role": ["right_holder"]}, "tamis_role", "names no role here"),  # a machine's alone
        (
            {"tamis_role": ["analyst", "auditor"]},
            "tamis_role",
            "several roles in the claim tamis_role: analyst, auditor",
        ),
    ],
)
def test_a_role_that_is_not_understood_is_told_as_such(claims: dict[str, Any], claim: str, says: str) -> None:
    with pytest.raises(Denied) as denied:
        role_of(claims, claim)
    assert says in str(denied.value)
    assert "secret" not in str(denied.value)


@pytest.mark.parametrize(
    ("stated", "offices"),
    [
        (["FRCDG1"], ("FRCDG1",)),
        ("FRCDG1", ("FRCDG1",)),
        ("FRCDG1, FRORY1", ("FRCDG1", "FRORY1")),
        ("FRCDG1;FRORY1 FRCDG1", ("FRCDG1", "FRORY1")),
        (["FRCDG1 ", "FRORY1", ""], ("FRCDG1", "FRORY1")),
        ("*", ("*",)),
    ],
)
def test_offices_are_a_list_or_a_text(stated: Any, offices: tuple[str, ...]) -> None:
    assert offices_of({"tamis_offices": stated}, "tamis_offices") == offices
    assert offices_of({"org": {"offices": stated}}, "org.offices") == offices


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({}, "states no office"),
        ({"tamis_offices": []}, "is empty"),
        ({"tamis_offices": " , "}, "is empty"),
        ({"tamis_offices": [1]}, "is not understood"),
        ({"tamis_offices": {"FRCDG1": True}}, "is not understood"),
        ({"tamis_offices": True}, "is not understood"),
    ],
)
def test_offices_that_are_not_understood_are_told_as_such(claims: dict[str, Any], says: str) -> None:
    with pytest.raises(Denied, match=says):
        offices_of(claims, "tamis_offices")


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("auth0|5f7c1b", "auth0-5f7c1b-"),
        ("google-oauth2|1098", "google-oauth2-1098-"),
        ("CUSTOMS\\ana", "CUSTOMS-ana-"),
        ("ana_x.fr#EXT#@tenant.example", "ana_x.fr-EXT-@tenant.example-"),
        ("Zoë Müller", "Zoe-Muller-"),
        ("urn:user:17", "urn-user-17-"),
        ("a" * 100, "a" * 55 + "-"),
    ],
)
def test_a_name_of_a_provider_becomes_one_that_can_be_used(name: str, begins: str) -> None:
    mapped = name_of({"sub": name})
    assert mapped.startswith(begins)
    assert NAME.fullmatch(mapped)
    assert mapped == name_of({"preferred_username": name, "sub": "x"})


def test_names_that_are_alike_without_their_signs_stay_two() -> None:
    names = ["auth0|5f7c", "auth0:5f7c", "auth0-5f7c", "auth0/5f7c"]
    assert len({name_of({"sub": name}) for name in names}) == len(names)
    assert name_of({"sub": "auth0-5f7c"}) == "auth0-5f7c"


@pytest.mark.parametrize("name", ["<script>", "a\nb", "||", '"; drop', "名前", "x" * 300, "a\x00b"])
def test_a_name_that_no_name_can_be_made_of_lets_nobody_in(name: str) -> None:
    with pytest.raises(Denied, match="a name that cannot be used here"):
        name_of({"sub": name})


def test_a_path_of_many_names_ends() -> None:
    deep: Any = "analyst"
    for _ in range(30):
        deep = {"a": deep}
    assert claim_at(deep, ".".join("a" * 30)) is None
    assert claim_at(deep, ".".join("a" * 3)) is not None
