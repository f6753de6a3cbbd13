"""Features of the identifiers of a sender: name, telephone, mailbox, account, shop, address.

A name is cheap to change, a telephone or a warehouse less so. Each identifier has a history of its own; together they
show a new name with old contacts, many names with one telephone, and findings made under another name.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.algebra import UNKNOWN, Numbers, Pattern, Text, count, known, missing, most, where, with_plain_digits
from features.columns.shipper import PRIOR_WEIGHT, shrunk_rate
from features.definition import of_consignment, of_consignment_for_each, of_consignment_over_each

DISGUISED = {
    "name": "the sender's name, however it is written",
    "phone": "the sender's telephone",
    "mailbox": "the sender's mailbox",
    "account": "the seller account",
    "shop": "the web shop",
    "address": "the sender's address",
    "article": "the article code",
}
IDENTIFIERS = ("consignor", *DISGUISED)
CONTACTS = ("phone", "mailbox", "account", "shop", "article")  # not shared by honest strangers
GRAVE_MEAN = 0.3  # prior share of grave findings
NUMBER = Pattern(r"[0-9]{1,9}")


@of_consignment_for_each(DISGUISED | {"network": "the network"}, shared=("mean_hit_rate",))
def hit_rate(hits_ever: Numbers, inspected_ever: Numbers, mean_hit_rate: Numbers) -> Numbers:
    """Share of inspected consignments with {key} that were non-compliant, shrunk while inspections are few."""
    return shrunk_rate(hits_ever, inspected_ever, mean_hit_rate)


@of_consignment_for_each({"consignor": "the sender"} | DISGUISED | {"network": "the network"})
def grave_share(hits_grave_ever: Numbers, hits_ever: Numbers) -> Numbers:
    """Share of non-compliant findings with {key} that were dangerous or had a criminal link, shrunk while few."""
    return (hits_grave_ever + GRAVE_MEAN * PRIOR_WEIGHT) / (hits_ever + PRIOR_WEIGHT)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_grave_share(grave_share: Sequence[Numbers]) -> Numbers:
    """The highest share of grave findings among the sender's identifiers."""
    return most(grave_share)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hit_rate(hit_rate: Sequence[Numbers]) -> Numbers:
    """The highest hit rate among the sender's identifiers."""
    return most(hit_rate)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hits(hits_ever: Sequence[Numbers]) -> Numbers:
    """Non-compliant findings for the identifier of the sender that has most of them."""
    return most(hits_ever)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hits_90d(hits_90d: Sequence[Numbers]) -> Numbers:
    """Non-compliant findings in 90 days for the identifier of the sender that has most of them."""
    return most(hits_90d)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_age(days_since_first: Sequence[Numbers]) -> Numbers:
    """Days since the oldest of the sender's identifiers was first seen."""
    return most(days_since_first)


@of_consignment_for_each({key: words for key, words in DISGUISED.items() if key != "name"})
def age(days_since_first: Numbers, consignments_90d: Numbers) -> Numbers:
    """Days since {key} was first seen: none where this consignment is the first, unknown where none is stated."""
    first_seen_now = known(consignments_90d) & missing(days_since_first)
    return where(first_seen_now, 0.0, days_since_first)


@of_consignment_over_each(tuple(DISGUISED))
def identifiers_consignments_7d(consignments_7d: Sequence[Numbers]) -> Numbers:
    """Consignments in 7 days for the identifier of the sender that has most of them, not counting its declared name."""
    return most(consignments_7d)


@of_consignment_over_each(tuple(DISGUISED))
def identifiers_new(consignments_90d: Sequence[Numbers]) -> Numbers:
    """Identifiers stated by the sender that were not seen in 90 days."""
    unseen = count([seen == 0 for seen in consignments_90d])
    return where(known(most(consignments_90d)), unseen)


@of_consignment_over_each(CONTACTS)
def contact_consignments_most(consignments_90d: Sequence[Numbers]) -> Numbers:
    """Consignments in 90 days with the most shared of the sender's contacts."""
    return most(consignments_90d)


@of_consignment
def identifiers_shared(contact_consignments_most: Numbers, consignor_consignments_90d: Numbers) -> Numbers:
    """Consignments in 90 days with the most shared of the sender's contacts against those of its name."""
    return (contact_consignments_most + 1.0) / (consignor_consignments_90d + 1.0)


def largest_number(address: str) -> float:
    """Return the largest number in an address, of at most nine digits each; unknown where there is none."""
    return max(map(float, NUMBER.all(with_plain_digits(address))), default=UNKNOWN)


@of_consignment
def sender_house_number(consignor_address: Text) -> Numbers:
    """The largest number in the sender's address: streets have no houses beyond some hundreds."""
    return consignor_address.number(largest_number)
