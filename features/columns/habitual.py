"""Features of how a sender states itself beside the others of its country: learned on one's flow, without a result."""

from __future__ import annotations

from features.algebra import Numbers, at_least, at_most
from features.definition import of_consignment


@of_consignment
def sender_form_missing(form_habit: Numbers) -> Numbers:
    """Whether the sender's name has a word with which the firms of its country bear a form, and bears none (1).

    0 where it bears one; unknown for a name without such a word, and where too few names of the country were seen.
    """
    return at_most(at_least(form_habit, 0.0), 1.0)


@of_consignment
def sender_number_beyond(number_habit: Numbers) -> Numbers:
    """Whether a house, room or floor number of the sender is far beyond those of its country's other addresses (1).

    0 where none is; unknown where too few addresses of the country were seen.
    """
    return at_most(at_least(number_habit, 0.0), 1.0)
