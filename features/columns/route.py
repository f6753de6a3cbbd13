"""Features of the route, and of the time of lodging."""

from __future__ import annotations

from features.algebra import Moments, Numbers, Pattern, Text, differ, hour_of, missing, yes_no
from features.definition import of_consignment

COUNTRY = Pattern(r"[^;\s]+")


@of_consignment
def transits(transit_countries: Text) -> Numbers:
    """Number of countries of transit."""
    return transit_countries.number(COUNTRY.count, missing=0.0)


@of_consignment
def sender_elsewhere(consignor_country: Text, dispatch_country: Text) -> Numbers:
    """Whether the sender's country differs from the country of dispatch (1) or not (0)."""
    return differ(consignor_country, dispatch_country)


@of_consignment
def origin_elsewhere(main_origin: Text, dispatch_country: Text) -> Numbers:
    """Whether the goods' country of origin differs from the country of dispatch (1) or not (0)."""
    return differ(main_origin, dispatch_country)


@of_consignment
def origin_missing(main_origin: Text) -> Numbers:
    """Whether the goods' country of origin is missing (1) or not (0)."""
    return yes_no(missing(main_origin))


@of_consignment
def lodged_hour(lodged_at: Moments) -> Numbers:
    """Hour of the day, UTC, at which the declaration was lodged."""
    return hour_of(lodged_at)
