"""Features of the identifiers of a sender: name, telephone, mailbox, account, shop, address.

A name is cheap to change, a telephone or a warehouse less so. Each identifier has a history of its own; together they
show a new name with old contacts, many names with one telephone, and findings made under another name.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tests.oracle.frames.columns.shipper import PRIOR_WEIGHT, shrunk_rate
from tests.oracle.frames.definition import of_consignment, of_consignment_for_each, of_consignment_over_each

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
Columns = Sequence[pl.Expr]


@of_consignment_for_each(DISGUISED | {"network": "the network"}, shared=("mean_hit_rate",))
def hit_rate(hits_ever: pl.Expr, inspected_ever: pl.Expr, mean_hit_rate: pl.Expr) -> pl.Expr:
    """Share of inspected consignments with {key} that were non-compliant, shrunk while inspections are few."""
    return shrunk_rate(hits_ever, inspected_ever, mean_hit_rate)


@of_consignment_for_each({"consignor": "the sender"} | DISGUISED | {"network": "the network"})
def grave_share(hits_grave_ever: pl.Expr, hits_ever: pl.Expr) -> pl.Expr:
    """Share of non-compliant findings with {key} that were dangerous or had a criminal link, shrunk while few."""
    return (hits_grave_ever + GRAVE_MEAN * PRIOR_WEIGHT) / (hits_ever + PRIOR_WEIGHT)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_grave_share(grave_share: Columns) -> pl.Expr:
    """The highest share of grave findings among the sender's identifiers."""
    return pl.max_horizontal(grave_share)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hit_rate(hit_rate: Columns) -> pl.Expr:
    """The highest hit rate among the sender's identifiers."""
    return pl.max_horizontal(hit_rate)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hits(hits_ever: Columns) -> pl.Expr:
    """Non-compliant findings for the identifier of the sender that has most of them."""
    return pl.max_horizontal(hits_ever)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_hits_90d(hits_90d: Columns) -> pl.Expr:
    """Non-compliant findings in 90 days for the identifier of the sender that has most of them."""
    return pl.max_horizontal(hits_90d)


@of_consignment_over_each(IDENTIFIERS)
def identifiers_age(days_since_first: Columns) -> pl.Expr:
    """Days since the oldest of the sender's identifiers was first seen."""
    return pl.max_horizontal(days_since_first)


@of_consignment_for_each({key: words for key, words in DISGUISED.items() if key != "name"})
def age(days_since_first: pl.Expr, consignments_90d: pl.Expr) -> pl.Expr:
    """Days since {key} was first seen: none where this consignment is the first, unknown where none is stated."""
    return pl.when(consignments_90d.is_not_null()).then(days_since_first.fill_null(0.0))


@of_consignment_over_each(tuple(DISGUISED))
def identifiers_consignments_7d(consignments_7d: Columns) -> pl.Expr:
    """Consignments in 7 days for the identifier of the sender that has most of them, not counting its declared name."""
    return pl.max_horizontal(consignments_7d)


@of_consignment_over_each(tuple(DISGUISED))
def identifiers_new(consignments_90d: Columns) -> pl.Expr:
    """Identifiers stated by the sender that were not seen in 90 days."""
    unseen = pl.sum_horizontal(*((seen == 0).cast(pl.Float64) for seen in consignments_90d))
    return pl.when(pl.any_horizontal(seen.is_not_null() for seen in consignments_90d)).then(unseen)


@of_consignment_over_each(CONTACTS)
def contact_consignments_most(consignments_90d: Columns) -> pl.Expr:
    """Consignments in 90 days with the most shared of the sender's contacts."""
    return pl.max_horizontal(consignments_90d)


@of_consignment
def identifiers_shared(contact_consignments_most: pl.Expr, consignor_consignments_90d: pl.Expr) -> pl.Expr:
    """Consignments in 90 days with the most shared of the sender's contacts against those of its name."""
    return (contact_consignments_most + 1.0) / (consignor_consignments_90d + 1.0)


@of_consignment
def sender_house_number(consignor_address: pl.Expr) -> pl.Expr:
    """The largest number in the sender's address: streets have no houses beyond some hundreds."""
    plain = consignor_address.str.normalize("NFKC")  # digits of full width are digits
    numbers = plain.str.extract_all(r"[0-9]{1,9}").list.eval(pl.element().cast(pl.Float64))
    return numbers.list.max()
