"""What the goods lines say, and how it fits what such goods usually weigh, cost and are called.

Over lines, only the least, the most, the line of the highest value and shares of counts are taken; sums of amounts are
the totals of the consignment (features.consignment.SUMMED), which are added up in one order for one row and a million.
"""

from __future__ import annotations

from features.algebra import (
    NumberLines,
    Numbers,
    Pattern,
    Text,
    TextLines,
    at_least,
    at_most,
    log,
    lower,
    where,
)
from features.definition import of_line, over_lines
from features.hs_codes import hs_plain_text

VAGUE = Pattern(
    r"\b(?:gifts?|presents?|cadeaux?|parts?|pieces?|pi[eè]ces?|accessor(?:y|ies)|accessoires?|samples?|[ée]chantillons?"
    r"|goods|items?|articles?|things?|stuff|products?|produits?|general|misc(?:ellaneous)?|divers"
    r"|various|other|autres?|daily|necessities|personal|effects?|effets|personnels?|parcel|colis|merchandise"
    r"|marchandises?|li ?pin|pei ?jian)\b"
    r"|礼品|礼物|配件|样品|日用品|货物|商品|杂货|用品"
)
WORD = Pattern(r"[\p{L}\p{N}]+")
DIGIT, HAN = Pattern(r"\d"), Pattern(r"\p{Han}")
CENT = 0.01


@of_line
def hs6(hs_code: Text) -> Text:
    """First six digits of the declared Harmonized System code."""
    return hs_code.each(hs_plain_text).each(lambda digits: digits[:6] if len(digits) >= 6 else None)


@of_line
def hs_digits(hs_code: Text) -> Numbers:
    """Number of digits of the declared Harmonized System code."""
    return hs_code.number(DIGIT.count, missing=0.0)


@of_line
def line_mass_kg(net_mass_kg: Numbers) -> Numbers:
    """Net mass of the line where it is more than nothing."""
    return where(net_mass_kg > 0, net_mass_kg)


@of_line
def line_value_per_kg_log(line_value_eur: Numbers, line_mass_kg: Numbers) -> Numbers:
    """Natural logarithm of the line's value in euro for each kilogram."""
    return log(at_least(line_value_eur, CENT) / line_mass_kg)


@of_line
def line_value_per_piece_log(line_value_eur: Numbers, quantity: Numbers) -> Numbers:
    """Natural logarithm of the line's value in euro for each piece."""
    return log(at_least(line_value_eur, CENT) / at_least(quantity, 1.0))


@of_line
def line_value_per_kg_deviation(
    line_value_per_kg_log: Numbers, value_per_kg_norm: Numbers, value_per_kg_spread: Numbers
) -> Numbers:
    """Deviation of value per kilogram from what the same goods of the same origin usually declare, in spreads."""
    return (line_value_per_kg_log - value_per_kg_norm) / value_per_kg_spread


@of_line
def line_value_per_piece_deviation(
    line_value_per_piece_log: Numbers, value_per_piece_norm: Numbers, value_per_piece_spread: Numbers
) -> Numbers:
    """Deviation of value per piece from what the same goods of the same origin usually declare, in spreads."""
    return (line_value_per_piece_log - value_per_piece_norm) / value_per_piece_spread


@of_line
def line_words(description: Text) -> Numbers:
    """Number of words of the description."""
    return description.number(WORD.count)


@of_line
def line_vague_share(description: Text, line_words: Numbers) -> Numbers:
    """Share of the description's words that say nothing about the goods."""
    vague = description.number(lambda text: VAGUE.count(lower(text)))
    return at_most(vague / at_least(line_words, 1.0), 1.0)


@over_lines
def main_hs6(hs6: TextLines, line_value_eur: NumberLines) -> Text:
    """HS code (six digits) of the line of the highest value."""
    return hs6.of_highest(line_value_eur)


@over_lines
def main_origin(goods_origin_country: TextLines, line_value_eur: NumberLines) -> Text:
    """Country of origin of the line of the highest value."""
    return goods_origin_country.of_highest(line_value_eur)


@over_lines
def value_per_kg_deviation(line_value_per_kg_deviation: NumberLines) -> Numbers:
    """How far value per kilogram is from the norm for the same goods and origin, in spreads; the lowest line."""
    return line_value_per_kg_deviation.least()


@over_lines
def value_per_piece_deviation(line_value_per_piece_deviation: NumberLines) -> Numbers:
    """How far value per piece is from the norm for the same goods and origin, in spreads; the lowest line."""
    return line_value_per_piece_deviation.least()


@over_lines
def norm_lines(value_per_kg_norm_lines: NumberLines) -> Numbers:
    """Number of earlier lines that the norm for the same goods and origin rests on; the least known line."""
    return value_per_kg_norm_lines.least()


@over_lines
def wording_words(line_words: NumberLines) -> Numbers:
    """Number of words of the shortest description."""
    return line_words.least()


@over_lines
def wording_vague_share(line_vague_share: NumberLines) -> Numbers:
    """Share of words that say nothing about the goods; the vaguest line."""
    return line_vague_share.most()


def share_of(pattern: Pattern, text: str) -> float:
    """Return the share of a text's characters that a pattern of single characters finds."""
    return pattern.count(text) / max(len(text), 1)


@over_lines
def wording_digit_share(description: TextLines) -> Numbers:
    """Share of digits in the description, as article codes have them; the highest line."""
    return description.number(lambda text: share_of(DIGIT, text)).most()


@over_lines
def wording_chinese_share(description: TextLines) -> Numbers:
    """Share of Chinese characters in the description; the highest line."""
    return description.number(lambda text: share_of(HAN, text)).most()


@over_lines
def wording_likeness(line_wording_likeness: NumberLines) -> Numbers:
    """How much the description's letter sequences resemble those of goods found non-compliant; the highest line."""
    return line_wording_likeness.most()


@over_lines
def hs_digits_least(hs_digits: NumberLines) -> Numbers:
    """Digits of the shortest Harmonized System code declared."""
    return hs_digits.least()


@over_lines
def lines_without_value(line_value_eur: NumberLines) -> Numbers:
    """Share of goods lines whose value is missing or in an unknown currency."""
    return line_value_eur.missing().share()


@over_lines
def hs_chapters(hs6: TextLines) -> Numbers:
    """Number of different HS chapters in one consignment."""
    return hs6.each(lambda code: code[:2]).different()


@over_lines
def product_codes_share(product_code: TextLines) -> Numbers:
    """Share of goods lines that declare a product code."""
    return product_code.known().share()
