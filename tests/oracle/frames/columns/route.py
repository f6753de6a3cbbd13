"""Features of the route, and of the time of lodging."""

from __future__ import annotations

import polars as pl

from tests.oracle.frames.definition import of_consignment


@of_consignment
def transits(transit_countries: pl.Expr) -> pl.Expr:
    """Number of countries of transit."""
    return transit_countries.str.count_matches(r"[^;\s]+").fill_null(0).cast(pl.Float64)


@of_consignment
def sender_elsewhere(consignor_country: pl.Expr, dispatch_country: pl.Expr) -> pl.Expr:
    """Whether the sender's country differs from the country of dispatch (1) or not (0)."""
    return (consignor_country != dispatch_country).cast(pl.Float64)


@of_consignment
def origin_elsewhere(main_origin: pl.Expr, dispatch_country: pl.Expr) -> pl.Expr:
    """Whether the goods' country of origin differs from the country of dispatch (1) or not (0)."""
    return (main_origin != dispatch_country).cast(pl.Float64)


@of_consignment
def origin_missing(main_origin: pl.Expr) -> pl.Expr:
    """Whether the goods' country of origin is missing (1) or not (0)."""
    return main_origin.is_null().cast(pl.Float64)


@of_consignment
def lodged_hour(lodged_at: pl.Expr) -> pl.Expr:
    """Hour of the day, UTC, at which the declaration was lodged."""
    return lodged_at.dt.hour().cast(pl.Float64)
