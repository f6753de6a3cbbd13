"""Features of sender and addressee from history: rates, shares and paces.

Constants multiply, they never divide: models learned on the last bit of such a product, and a quotient has another one.

Nothing is measured against the sender's own mean value or mass, as senders can set that mean with decoys.
"""

from __future__ import annotations

from features.algebra import Numbers, where
from features.definition import of_consignment

A_DAY = 1.0 / 30.0  # of thirty
PRIOR_WEIGHT = 5.0  # inspections: a clean record must be earned by inspections, not by shipments


def shrunk_rate(hits: Numbers, inspected: Numbers, mean: Numbers) -> Numbers:
    """Return hits per inspection, shrunk towards the mean of all inspections while those of the entity are few."""
    return (hits + mean * PRIOR_WEIGHT) / (inspected + PRIOR_WEIGHT)


@of_consignment
def consignor_hit_rate(
    consignor_hits_ever: Numbers, consignor_inspected_ever: Numbers, mean_hit_rate: Numbers
) -> Numbers:
    """Share of the sender's inspected consignments that were non-compliant, shrunk while inspections are few."""
    return shrunk_rate(consignor_hits_ever, consignor_inspected_ever, mean_hit_rate)


@of_consignment
def consignee_hit_rate(
    consignee_hits_ever: Numbers, consignee_inspected_ever: Numbers, mean_hit_rate: Numbers
) -> Numbers:
    """Share of the addressee's inspected consignments that were non-compliant, shrunk while inspections are few."""
    return shrunk_rate(consignee_hits_ever, consignee_inspected_ever, mean_hit_rate)


@of_consignment
def route_hit_rate(route_hits_90d: Numbers, route_inspected_90d: Numbers, mean_hit_rate: Numbers) -> Numbers:
    """Share of inspected consignments on the same route that were non-compliant in 90 days, shrunk."""
    return shrunk_rate(route_hits_90d, route_inspected_90d, mean_hit_rate)


@of_consignment
def goods_hit_rate(goods_hits_90d: Numbers, goods_inspected_90d: Numbers, mean_hit_rate: Numbers) -> Numbers:
    """Share of inspected consignments of the same goods and origin that were non-compliant in 90 days, shrunk."""
    return shrunk_rate(goods_hits_90d, goods_inspected_90d, mean_hit_rate)


@of_consignment
def consignor_burst(consignor_consignments_1d: Numbers, consignor_consignments_30d: Numbers) -> Numbers:
    """Consignments of the sender in the last day against its daily mean of 30 days."""
    return (consignor_consignments_1d + 1.0) / (consignor_consignments_30d * A_DAY + 1.0)


@of_consignment
def pair_share(pair_consignments_90d: Numbers, consignor_consignments_90d: Numbers) -> Numbers:
    """Share of the sender's consignments of 90 days that went to this addressee."""
    return where(consignor_consignments_90d > 0, pair_consignments_90d / consignor_consignments_90d)
