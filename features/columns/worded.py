"""What the words of goods say beside their heading, value and mass: in any language, learned on one's own flow."""

from __future__ import annotations

from features.algebra import NumberLines, Numbers, Text, TextLines, at_least, log, power
from features.definition import of_line, over_lines


@of_line
def line_value_as_worded(
    line_value_per_kg_log: Numbers, worded_value_per_kg_norm: Numbers, worded_value_per_kg_spread: Numbers
) -> Numbers:
    """Deviation of value per kilogram from what goods so worded usually declare, in spreads."""
    return (line_value_per_kg_log - worded_value_per_kg_norm) / worded_value_per_kg_spread


@of_line
def line_mass_deviation(
    line_mass_kg: Numbers,
    quantity: Numbers,
    value_per_piece_norm: Numbers,
    value_per_kg_norm: Numbers,
    value_per_piece_spread: Numbers,
    value_per_kg_spread: Numbers,
) -> Numbers:
    """Deviation of the mass of a piece from what the same goods usually weigh, in spreads.

    What they usually weigh follows from what they usually cost by piece and by kilogram.
    """
    mass = log(line_mass_kg / at_least(quantity, 1.0))
    usual = value_per_piece_norm - value_per_kg_norm
    spread = power(value_per_piece_spread * value_per_piece_spread + value_per_kg_spread * value_per_kg_spread, 0.5)
    return (mass - usual) / spread


@over_lines
def wording_heading_odds(line_heading_odds: NumberLines) -> Numbers:
    """How much better the description fits another heading of the tariff than the declared one, the oddest line.

    The natural logarithm of the odds of each letter sequence, on average; 0 where no heading fits better.
    """
    return line_heading_odds.most()


@over_lines
def wording_heading(line_heading_suggested: TextLines, line_heading_odds: NumberLines) -> Text:
    """Heading of the tariff under which goods so worded are usually declared; of the oddest line."""
    return line_heading_suggested.of_highest(line_heading_odds)


@over_lines
def value_as_worded(line_value_as_worded: NumberLines) -> Numbers:
    """How far value per kilogram is from the norm for goods so worded, in spreads; the lowest line."""
    return line_value_as_worded.least()


@over_lines
def mass_deviation(line_mass_deviation: NumberLines) -> Numbers:
    """How far the mass of a piece is below what the same goods usually weigh, in spreads; the lightest line."""
    return line_mass_deviation.least()
