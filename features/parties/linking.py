"""Linking of consignments to parties and networks, off unless a unit has switched it on."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from features.consignment import Consignments


class Parties(Protocol):
    """What a desk asks of a linking component."""

    def link(self, consignments: Consignments) -> Consignments:
        """The same consignments with `party_id` and `network_id`, null where nobody is known."""
        ...


class Unlinked:
    """Linking switched off: consignments are scored as goods, and no person is attributed to them."""

    def link(self, consignments: Consignments) -> Consignments:
        """The same consignments with `party_id` and `network_id` null."""
        nobody = pl.lit(None, pl.String)
        return consignments.with_columns(nobody.alias("party_id"), nobody.alias("network_id"))
