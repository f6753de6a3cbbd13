"""What comes to a home or telephone is read where few share it; what many share is nobody's."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from features.assemble import assemble
from features.catalogue import INPUTS
from features.history.facts import attributed, facts_of, facts_of_outcomes, with_entities
from features.history.totals import FactTable
from tests.features.conftest import LODGED_AT, consignments_of, nothing_fitted, row

RECEIVING = [item for item in INPUTS if item.name.startswith(("home_", "recipient_phone_", "consignee_age"))]
TELEPHONE = "+33 6 12 34 56 78"
HOME = {
    "consignee_address": "12 rue des Lilas", "consignee_city": "Roubaix", "consignee_postcode": "59100",
    "consignee_country": "FR",
}  # fmt: skip


def sent(number: int, name: str, sender: str = "Sender", **stated: object) -> dict[str, object]:
    """A parcel of 3 pieces and 20 € to a name at a home, so many hours after the first."""
    at = (LODGED_AT + timedelta(hours=number)).isoformat()
    of_parcel = {"message_id": f"M{number}", "consignment_id": f"C{number}", "lodged_at": at, "value": "20",
                 "currency": "EUR", "quantity": "3"}  # fmt: skip
    return row(**{**of_parcel, **HOME, "consignee_name": name, "consignor_name": sender, **stated})


def last_of(*rows: dict[str, object], found_in: tuple[str, ...] = ()) -> dict[str, float | None]:
    """What is read of the receiving side when the last of these is lodged, an hour after findings in some of them."""
    consignments = with_entities(consignments_of(*rows))
    lodged_at = consignments.frame["lodged_at"]
    facts = [facts_of(consignments)]
    last = lodged_at.sort().tail(1) - timedelta(minutes=1)
    if found_in:
        results = pl.DataFrame({"consignment_id": found_in, "result": ["non_compliant"] * len(found_in)})
        results = results.join(last.to_frame("known_at"), how="cross")
        facts.append(facts_of_outcomes(attributed(results, consignments.frame)))
    read = assemble(consignments, FactTable(pl.concat(facts), holds_all=True), nothing_fitted(), RECEIVING).frame
    return read.drop("row").row(-1, named=True)


def test_a_home_counts_parcels_pieces_value_senders_and_names() -> None:
    stock = [sent(n, name, f"Sender {n}") for n, name in enumerate(["Kevin L", "Kevin L", "Sylvie L"])]
    read = last_of(*stock, sent(9, "Marc L", "Another"))
    assert {name: read[f"home_{name}"] for name in ("parcels", "items", "worth", "senders", "names")} == {
        "parcels": 3, "items": 9, "worth": 60, "senders": 3, "names": 2,
    }  # fmt: skip
    assert read["consignee_age"] == 0, "a name that nobody has seen"


def test_a_sender_or_a_name_that_came_before_is_not_new() -> None:
    read = last_of(*(sent(n, "Kevin L") for n in range(4)))
    assert (read["home_parcels"], read["home_senders"], read["home_names"]) == (3, 1, 1)


def test_a_telephone_is_followed_to_another_home() -> None:
    first = [sent(n, "Kevin L", consignee_phone=TELEPHONE) for n in range(2)]
    elsewhere = sent(9, "K Lem", consignee_phone="0612345678", consignee_address="3 place Verte")
    read = last_of(*first, elsewhere, found_in=("C0",))
    assert (read["recipient_phone_parcels"], read["recipient_phone_items"], read["home_parcels"]) == (2, 6, 0)
    assert read["recipient_phone_found"] == 1
    assert read["recipient_phone_names"] == 1


def test_a_finding_at_a_neighbour_s_says_nothing_of_this_home() -> None:
    stranger = sent(0, "Neighbour", consignee_phone=TELEPHONE)
    honest = sent(9, "Honest Buyer", consignee_phone="+33 6 87 65 43 21")
    assert last_of(stranger, honest, found_in=("C0",)) == last_of(stranger, honest)


@pytest.mark.parametrize("shared", [{}, {"consignee_phone": TELEPHONE}], ids=["a point", "a point with its telephone"])
def test_what_many_names_share_is_nobody_s(shared: dict[str, str]) -> None:
    many = [sent(n, f"Customer {n}", **shared) for n in range(12)]
    found = last_of(*many, sent(20, "Customer 99", **shared), found_in=("C0", "C1"))
    assert {value for name, value in found.items() if name.startswith(("home_", "recipient_phone_"))} == {None}
    few = last_of(*many[:9], sent(20, "Customer 99", **shared))
    assert few["home_names"] == 9


def test_a_room_in_a_tower_is_a_home_of_its_own() -> None:
    tower = [sent(n, f"Tenant {n}", consignee_address=f"12 rue des Lilas, Apt {n}") for n in range(12)]
    read = last_of(*tower, sent(20, "Tenant 3", consignee_address="12 rue des Lilas, Apt 3"))
    assert (read["home_parcels"], read["home_names"]) == (1, 1)


def test_an_amendment_that_moves_a_parcel_takes_it_back() -> None:
    moved = sent(1, "Kevin L", consignment_id="C0", version="2", consignee_address="3 place Verte")
    read = last_of(sent(0, "Kevin L"), moved, sent(9, "Kevin L"))
    assert read["home_parcels"] == 0
