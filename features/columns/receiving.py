"""Features of the receiving side: how much comes to a home or telephone, of how many senders, under how many names.

Goods for resale come to one home or telephone under several names, in parcels of several senders, each of which looks
like any other. What many share, as a pick-up point, a forwarder or a large building does, is nobody's: nothing is read
of it. What was found in parcels counts by name and by telephone, never by home: there are neighbours.
"""

from __future__ import annotations

from features.algebra import Numbers, known, missing, where
from features.columns.shipper import shrunk_rate
from features.definition import of_consignment, of_consignment_for_each

MOST_NAMES = 10.0  # new at a home, or with a telephone, in a year: more are no household's
CENT = 0.01
RECEIVING = {"home": "the addressee's home", "recipient_phone": "the addressee's telephone"}


def of_few(names: Numbers, amount: Numbers) -> Numbers:
    """Return an amount where few names were seen, unknown elsewhere."""
    return where(names <= MOST_NAMES, amount)


@of_consignment_for_each(RECEIVING)
def parcels(new_name_365d: Numbers, consignments_30d: Numbers) -> Numbers:
    """Consignments to {key} in 30 days, unknown where many share it."""
    return of_few(new_name_365d, consignments_30d)


@of_consignment_for_each(RECEIVING)
def items(new_name_365d: Numbers, pieces_30d: Numbers) -> Numbers:
    """Pieces to {key} in 30 days, unknown where many share it."""
    return of_few(new_name_365d, pieces_30d)


@of_consignment_for_each(RECEIVING)
def worth(new_name_365d: Numbers, value_30d: Numbers) -> Numbers:
    """Value in euro declared to {key} in 30 days, unknown where many share it."""
    return of_few(new_name_365d, value_30d * CENT)


@of_consignment_for_each(RECEIVING)
def names(new_name_365d: Numbers, new_name_90d: Numbers) -> Numbers:
    """Names at {key} that were new in 90 days, unknown where many share it."""
    return of_few(new_name_365d, new_name_90d)


@of_consignment
def home_senders(home_new_name_365d: Numbers, home_new_sender_30d: Numbers) -> Numbers:
    """Senders to the addressee's home that were new in 30 days, unknown where many share it."""
    return of_few(home_new_name_365d, home_new_sender_30d)


@of_consignment
def recipient_phone_found(recipient_phone_new_name_365d: Numbers, recipient_phone_hits_ever: Numbers) -> Numbers:
    """Non-compliant findings with the addressee's telephone, unknown where many share it."""
    return of_few(recipient_phone_new_name_365d, recipient_phone_hits_ever)


@of_consignment
def recipient_phone_rate(
    recipient_phone_new_name_365d: Numbers,
    recipient_phone_hits_ever: Numbers,
    recipient_phone_inspected_ever: Numbers,
    mean_hit_rate: Numbers,
) -> Numbers:
    """Share of inspected consignments with the addressee's telephone that were non-compliant, shrunk while few."""
    rate = shrunk_rate(recipient_phone_hits_ever, recipient_phone_inspected_ever, mean_hit_rate)
    return of_few(recipient_phone_new_name_365d, rate)


@of_consignment
def consignee_age(consignee_days_since_first: Numbers, consignee_consignments_90d: Numbers) -> Numbers:
    """Days since the addressee was first seen: none where this consignment is its first."""
    first_seen_now = known(consignee_consignments_90d) & missing(consignee_days_since_first)
    return where(first_seen_now, 0.0, consignee_days_since_first)
