"""What the identifiers of a sender tell together, by hand."""

from __future__ import annotations

import pytest

from features.columns.identifiers import CONTACTS, DISGUISED, IDENTIFIERS
from tests.features.conftest import feature


def each(keys: tuple[str, ...], suffix: str, **known: float) -> dict[str, float | None]:
    """A reading for every key, unknown unless given."""
    return {f"{key}_{suffix}": known.get(key) for key in keys}


@pytest.mark.parametrize("key", [*DISGUISED, "network"])
@pytest.mark.parametrize(("hits", "inspected", "rate"), [(0, 0, 0.2), (0, 5, 0.1), (5, 5, 0.6), (20, 95, 0.21)])
def test_hit_rates_of_identifiers_are_shrunk(key: str, hits: int, inspected: int, rate: float) -> None:
    read = {f"{key}_hits_ever": float(hits), f"{key}_inspected_ever": float(inspected)}
    assert feature(f"{key}_hit_rate", **read, mean_hit_rate=0.2) == pytest.approx(rate)
    assert feature(f"{key}_hit_rate", **dict.fromkeys(read), mean_hit_rate=0.2) is None


@pytest.mark.parametrize("key", IDENTIFIERS)
def test_a_finding_under_any_identifier_is_seen(key: str) -> None:
    assert (
        feature("identifiers_hit_rate", **each(IDENTIFIERS, "hit_rate", consignor=0.1) | {f"{key}_hit_rate": 0.6})
        == 0.6
    )
    assert feature("identifiers_hits", **each(IDENTIFIERS, "hits_ever", **{key: 3.0})) == 3.0
    assert feature("identifiers_hits_90d", **each(IDENTIFIERS, "hits_90d", **{key: 2.0})) == 2.0
    assert feature("identifiers_age", **each(IDENTIFIERS, "days_since_first", **{key: 9.5})) == 9.5


def test_nobody_is_known_by_nothing() -> None:
    assert feature("identifiers_hit_rate", **each(IDENTIFIERS, "hit_rate")) is None
    assert feature("identifiers_new", **each(tuple(DISGUISED), "consignments_90d")) is None


def test_identifiers_never_seen_are_counted() -> None:
    seen = each(tuple(DISGUISED), "consignments_90d", phone=0.0, mailbox=0.0, address=12.0)
    assert feature("identifiers_new", **seen) == 2.0


def test_many_names_behind_one_contact() -> None:
    assert feature("contact_consignments_most", **each(CONTACTS, "consignments_90d", phone=9.0, shop=4.0)) == 9.0
    assert feature("identifiers_shared", contact_consignments_most=9.0, consignor_consignments_90d=1.0) == 5.0


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("No.3071 Tangxia Road", 3071.0),
        ("12 Harbour Road, Unit 7", 12.0),
        ("Rue Haute", None),
        ("东门路１２３号", 123.0),  # full width
        ("شارع ١٢٣", None),
    ],
)
def test_the_largest_number_of_an_address(address: str, number: float | None) -> None:
    assert feature("sender_house_number", consignor_address=address) == number


@pytest.mark.parametrize("key", [key for key in DISGUISED if key != "name"])
@pytest.mark.parametrize(
    ("since", "seen", "age"), [(9.5, 3.0, 9.5), (120.0, 0.0, 120.0), (None, 0.0, 0.0), (None, None, None)]
)
def test_an_identifier_is_as_old_as_its_first_sight_and_new_is_not_unknown(
    key: str, since: float | None, seen: float | None, age: float | None
) -> None:
    assert feature(f"{key}_age", **{f"{key}_days_since_first": since, f"{key}_consignments_90d": seen}) == age
