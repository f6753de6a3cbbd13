"""The reason that the words of goods give by themselves: another heading of the tariff than the declared one."""

from __future__ import annotations

import numpy as np

from service.orientation.columns import Floats, Ints
from service.scoring import Scores
from service.scoring.explanation import Language, Reason, value_at

CODE = "words.heading"
ODDS, HEADING = "wording_heading_odds", "wording_heading"
CLEARLY = 2.0  # natural logarithm, on average over the sequences of a wording: from here on it is said
SUGGESTS = {
    "en": "Goods so worded are usually declared under heading {heading}, not under the declared one",
    "fr": "Des marchandises ainsi désignées sont d'ordinaire déclarées à la position {heading}, non à celle déclarée",
    "zh": "此类品名通常申报在品目{heading}，而非所申报的品目",
}


def goods_reasons(scores: Scores, rows: Ints, language: Language) -> dict[int, Reason]:
    """Return the reason for each of some rows whose words clearly suggest another heading."""
    columns = scores.rows.columns
    if ODDS not in columns or HEADING not in columns:  # of a model that was made before
        return {}
    odds: Floats = np.asarray(columns[ODDS], np.float64)
    clear = rows[odds[rows] >= CLEARLY]
    return {row: _reason(str(value_at(columns[HEADING], row)), language) for row in clear.tolist()}


def in_language(heading: str, language: Language) -> str:
    """Say that words suggest a heading."""
    return SUGGESTS[language].format(heading=heading)


def _reason(heading: str, language: Language) -> Reason:
    return {"code": CODE, "text": in_language(heading, language), "evidence": heading}
