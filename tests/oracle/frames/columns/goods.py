"""What the goods lines say, and how it fits what such goods usually weigh, cost and are called.

Over lines, only the least, the most, the first and shares of counts are taken; sums of amounts are the totals of the
consignment (features.consignment.SUMMED), which are added up in one order for one row and a million.
"""

from __future__ import annotations

import polars as pl

from features.hs_codes import hs_plain
from tests.oracle.frames.definition import of_line, over_lines

VAGUE = (
    r"\b(?:gifts?|presents?|cadeaux?|parts?|pieces?|pi[eè]ces?|accessor(?:y|ies)|accessoires?|samples?|[ée]chantillons?"
    r"|goods|items?|articles?|things?|stuff|products?|produits?|general|misc(?:ellaneous)?|divers"
    r"|various|other|autres?|daily|necessities|personal|effects?|effets|personnels?|parcel|colis|merchandise"
    r"|marchandises?|li ?pin|pei ?jian)\b"
    r"|礼品|礼物|配件|样品|日用品|货物|商品|杂货|用品"
)
WORD = r"[\p{L}\p{N}]+"


@of_line
def hs6(hs_code: pl.Expr) -> pl.Expr:
    """First six digits of the declared Harmonized System code."""
    digits = hs_plain(hs_code)  # the one change since: digits of full width count, those of other scripts do not
    return pl.when(digits.str.len_chars() >= 6).then(digits.str.slice(0, 6))


@of_line
def hs_digits(hs_code: pl.Expr) -> pl.Expr:
    """Number of digits of the declared Harmonized System code."""
    return hs_code.str.count_matches(r"\d").fill_null(0).cast(pl.Float64)


@of_line
def line_mass_kg(net_mass_kg: pl.Expr) -> pl.Expr:
    """Net mass of the line where it is more than nothing."""
    return pl.when(net_mass_kg > 0).then(net_mass_kg)


@of_line
def line_value_per_kg_log(line_value_eur: pl.Expr, line_mass_kg: pl.Expr) -> pl.Expr:
    """Natural logarithm of the line's value in euro for each kilogram."""
    return (line_value_eur.clip(0.01) / line_mass_kg).log()


@of_line
def line_value_per_piece_log(line_value_eur: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Natural logarithm of the line's value in euro for each piece."""
    return (line_value_eur.clip(0.01) / quantity.clip(1.0)).log()


@of_line
def line_value_per_kg_deviation(
    line_value_per_kg_log: pl.Expr, value_per_kg_norm: pl.Expr, value_per_kg_spread: pl.Expr
) -> pl.Expr:
    """Deviation of value per kilogram from what the same goods of the same origin usually declare, in spreads."""
    return (line_value_per_kg_log - value_per_kg_norm) / value_per_kg_spread


@of_line
def line_value_per_piece_deviation(
    line_value_per_piece_log: pl.Expr, value_per_piece_norm: pl.Expr, value_per_piece_spread: pl.Expr
) -> pl.Expr:
    """Deviation of value per piece from what the same goods of the same origin usually declare, in spreads."""
    return (line_value_per_piece_log - value_per_piece_norm) / value_per_piece_spread


@of_line
def line_words(description: pl.Expr) -> pl.Expr:
    """Number of words of the description."""
    return description.str.count_matches(WORD).cast(pl.Float64)


@of_line
def line_vague_share(description: pl.Expr, line_words: pl.Expr) -> pl.Expr:
    """Share of the description's words that say nothing about the goods."""
    vague = description.str.to_lowercase().str.count_matches(VAGUE).cast(pl.Float64)
    return (vague / line_words.clip(1.0)).clip(0.0, 1.0)


@over_lines
def main_hs6(hs6: pl.Expr, line_value_eur: pl.Expr) -> pl.Expr:
    """HS code (six digits) of the line of the highest value."""
    return hs6.sort_by(line_value_eur, descending=True, nulls_last=True, maintain_order=True).first()


@over_lines
def main_origin(goods_origin_country: pl.Expr, line_value_eur: pl.Expr) -> pl.Expr:
    """Country of origin of the line of the highest value."""
    return goods_origin_country.sort_by(line_value_eur, descending=True, nulls_last=True, maintain_order=True).first()


@over_lines
def value_per_kg_deviation(line_value_per_kg_deviation: pl.Expr) -> pl.Expr:
    """How far value per kilogram is from the norm for the same goods and origin, in spreads; the lowest line."""
    return line_value_per_kg_deviation.min()


@over_lines
def value_per_piece_deviation(line_value_per_piece_deviation: pl.Expr) -> pl.Expr:
    """How far value per piece is from the norm for the same goods and origin, in spreads; the lowest line."""
    return line_value_per_piece_deviation.min()


@over_lines
def norm_lines(value_per_kg_norm_lines: pl.Expr) -> pl.Expr:
    """Number of earlier lines that the norm for the same goods and origin rests on; the least known line."""
    return value_per_kg_norm_lines.min()


@over_lines
def wording_words(line_words: pl.Expr) -> pl.Expr:
    """Number of words of the shortest description."""
    return line_words.min()


@over_lines
def wording_vague_share(line_vague_share: pl.Expr) -> pl.Expr:
    """Share of words that say nothing about the goods; the vaguest line."""
    return line_vague_share.max()


@over_lines
def wording_digit_share(description: pl.Expr) -> pl.Expr:
    """Share of digits in the description, as article codes have them; the highest line."""
    return (description.str.count_matches(r"\d") / description.str.len_chars().clip(1)).max()


@over_lines
def wording_chinese_share(description: pl.Expr) -> pl.Expr:
    """Share of Chinese characters in the description; the highest line."""
    return (description.str.count_matches(r"\p{Han}") / description.str.len_chars().clip(1)).max()


@over_lines
def wording_likeness(line_wording_likeness: pl.Expr) -> pl.Expr:
    """How much the description's letter sequences resemble those of goods found non-compliant; the highest line."""
    return line_wording_likeness.max()


@over_lines
def hs_digits_least(hs_digits: pl.Expr) -> pl.Expr:
    """Digits of the shortest Harmonized System code declared."""
    return hs_digits.min()


@over_lines
def lines_without_value(line_value_eur: pl.Expr) -> pl.Expr:
    """Share of goods lines whose value is missing or in an unknown currency."""
    return line_value_eur.is_null().mean()


@over_lines
def hs_chapters(hs6: pl.Expr) -> pl.Expr:
    """Number of different HS chapters in one consignment."""
    return hs6.str.slice(0, 2).drop_nulls().n_unique().cast(pl.Float64)


@over_lines
def product_codes_share(product_code: pl.Expr) -> pl.Expr:
    """Share of goods lines that declare a product code."""
    return product_code.is_not_null().mean()
