"""Operators ranked for audit after clearance, by the amount at stake that their declarations of some days let expect.

What a piece or a kilogram of goods is declared at is set beside what others declare for the same heading and origin
in these days, without the operator itself, in the mean of the logarithms over its goods lines. Operators with few
lines are drawn towards the rest, and the error of the mean is taken off: one cheap parcel is no pattern. What stays
below is taken for missing value; duty and VAT on it are at stake. What an audit or a control found counts in place of
that: the value found, and findings.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from service.oversight.rates import Rates

KINDS = ("importer", "consignee", "ioss", "platform", "declarant")
LINES = pl.Schema(
    {
        "consignment_id": pl.String(),
        **dict.fromkeys(KINDS, pl.String()),
        "hs_code": pl.String(),  # digits alone
        "origin": pl.String(),
        "quantity": pl.Float64(),
        "mass": pl.Float64(),
        "value": pl.Float64(),  # euro
    }
)
FOUND = pl.Schema(
    {"consignment_id": pl.String(), "hit": pl.Boolean(), "audited": pl.Boolean(), "value_found": pl.Float64()}
)
GRAINS = (6, 4, 2)  # digits of the HS code: the finest that enough others declare
LEAST_OTHERS = 30  # lines that a comparison rests on
PRIOR_LINES = 8.0  # by which the little known are drawn to the usual
SURE = 1.0  # standard errors: of what is missing, the part that five times in six is not chance
WIDEST = 3.0  # in logarithms: what lies beyond is an error of the declaration, not a price
LEAST_CONSIGNMENTS = 3
SHOWN_CONSIGNMENTS = 20


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator and what stands behind its place.

    declared: value of its goods, euro. below: by how much it declares less than others, as a share, drawn to the usual.
    at_stake: duty and VAT on what is missing, euro. found: of consignments with a result, those with a finding.
    behind: the consignments with most at stake.
    """

    kind: str
    name: str
    consignments: int
    lines: int
    declared: float
    below: float
    at_stake: float
    controlled: int
    audited: int
    found: int
    behind: tuple[str, ...]


def operators_of(lines: pl.DataFrame, found: pl.DataFrame, rates: Rates, kind: str, at_most: int) -> list[Operator]:
    """Return the operators of a kind with most at stake, then with most findings."""
    known = lines.filter(pl.col(kind).is_not_null()).pipe(_compared, kind).join(
        found, on="consignment_id", how="left", maintain_order="left"
    )  # fmt: skip
    shares = known.select("hs_code", "origin").unique(maintain_order=True)
    at = [rates.share(code, origin) for code, origin in shares.iter_rows()]
    known = known.join(
        shares.with_columns(pl.Series("rate", at, pl.Float64)),
        on=["hs_code", "origin"], how="left", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    tries = pl.col("lower").count().over(kind) + PRIOR_LINES
    drawn = pl.min_horizontal(
        pl.col("lower").sum().over(kind) / tries + SURE * pl.col("lower").std() / tries.sqrt(), 0.0
    )
    lacking = (-drawn).exp() - 1.0
    of_consignment = pl.col("value").sum().over("consignment_id")
    corrected = pl.max_horizontal(pl.col("value_found") / of_consignment - 1.0, 0.0)
    part = pl.when(pl.col("hit").is_not_null()).then(corrected.fill_null(0.0)).otherwise(lacking)
    stake = (pl.col("value") * part * pl.col("rate")).alias("stake")
    whole = known.with_columns(stake, (1.0 - drawn.exp()).fill_null(0.0).alias("below"))
    ranked = whole.group_by(kind).agg(
        pl.col("consignment_id").n_unique().alias("consignments"),
        pl.len().alias("lines"),
        pl.col("value").sum().alias("declared"),
        pl.col("below").first(),
        pl.col("stake").sum().alias("at_stake"),
        _counted(pl.col("hit").is_not_null()).alias("controlled"),
        _counted(pl.col("audited").fill_null(value=False)).alias("audited"),
        _counted(pl.col("hit").fill_null(value=False)).alias("found"),
        pl.struct("consignment_id", "stake").alias("each"),
    )  # fmt: skip
    first = ranked.filter((pl.col("consignments") >= LEAST_CONSIGNMENTS) | (pl.col("found") > 0)).sort(
        "at_stake", "found", "declared", kind, descending=[True, True, True, False]
    )
    return [_operator(kind, row) for row in first.head(at_most).to_dicts()]


def _counted(holds: pl.Expr) -> pl.Expr:
    return pl.col("consignment_id").filter(holds).n_unique()


def _operator(kind: str, row: dict[str, object]) -> Operator:
    each: list[dict[str, object]] = row["each"]  # type: ignore[assignment]
    stakes = pl.DataFrame(each).group_by("consignment_id").agg(pl.col("stake").sum())
    behind = stakes.sort("stake", "consignment_id", descending=[True, False])["consignment_id"]
    values = {name: row[name] for name in ("consignments", "lines", "declared", "below", "at_stake")}
    counts = {name: row[name] for name in ("controlled", "audited", "found")}
    return Operator(kind, row[kind], **values, **counts, behind=tuple(behind.head(SHOWN_CONSIGNMENTS)))  # type: ignore[arg-type]


def _compared(lines: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Add `lower`: how each line's price lies beside that of others for such goods, in logarithms; null if unknown."""
    pieces, kilograms = (pl.when(pl.col(name) > 0).then(pl.col(name)) for name in ("quantity", "mass"))
    price = pl.when(pl.col("value") > 0).then(pl.col("value"))
    prices = lines.with_columns((price / pl.coalesce(pieces, kilograms)).log().alias("price"))
    differences = []
    for digits in GRAINS:
        group = [pl.col("hs_code").str.slice(0, digits), pl.col("origin")]
        inside = [*group, pl.col(kind)]
        others = pl.col("price").count().over(group) - pl.col("price").count().over(inside)
        mean = (pl.col("price").sum().over(group) - pl.col("price").sum().over(inside)) / others
        enough = (others >= LEAST_OTHERS) & (pl.col("hs_code").str.len_chars() >= digits)
        differences.append(pl.when(enough).then((pl.col("price") - mean).clip(-WIDEST, WIDEST)))
    return prices.with_columns(pl.coalesce(differences).alias("lower"))
