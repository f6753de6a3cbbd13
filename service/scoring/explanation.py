"""Reasons for an officer: contributions of inputs turned into sentences."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from features.algebra import Text
from features.algebra.frames import Column
from features.inputs import FLAG, SHARE, Input
from service.scoring.model import Scores

Language = Literal["en", "fr", "zh"]
Reason = dict[str, Any]
HOW_MANY = 5
RAISES = {"en": "raises the risk", "fr": "augmente le risque", "zh": "提高风险"}
LOWERS = {"en": "lowers the risk", "fr": "diminue le risque", "zh": "降低风险"}
YES = {"en": "yes", "fr": "oui", "zh": "是"}
NO = {"en": "no", "fr": "non", "zh": "否"}
UNKNOWN = {"en": "not known", "fr": "inconnu", "zh": "未知"}
OBSERVATION = {"en": "{what}: {value}", "fr": "{what} : {value}", "zh": "{what}：{value}"}
SENTENCE = {"en": "{seen}, {way}", "fr": "{seen}, {way}", "zh": "{seen}，{way}"}


def reasons_of(scores: Scores, chosen: npt.NDArray[np.int64], language: Language) -> list[list[Reason]]:
    """Return for each chosen row its strongest reasons: code, text, contribution (log-odds), evidence.

    Those that raise the risk come first, as they are what an officer has to check; each kind from strong to weak.
    """
    contributed = scores.contributions(chosen)[:, :-1]
    strongest = np.argsort(-np.abs(contributed), axis=1, kind="stable")[:, :HOW_MANY]
    inputs = scores.model.inputs
    columns = [scores.rows.columns[item.name] for item in inputs]
    return [
        [
            _reason(inputs[i], value_at(columns[i], place), float(row[i]), language)
            for i in sorted(top, key=row.__getitem__, reverse=True)
            if row[i] != 0.0
        ]
        for place, row, top in zip(chosen.tolist(), contributed, strongest, strict=True)
    ]


def value_at(column: Column, row: int) -> float | str | None:
    """Return the value of a row; None where it is unknown."""
    if isinstance(column, Text):
        word: str | None = column.words[column.codes[row]]
        return word
    value = float(column[row])
    return None if math.isnan(value) else value


def _reason(item: Input, value: float | str | None, contribution: float, language: Language) -> Reason:
    text = sentence(item, value, contribution, language)
    return {"code": item.name, "text": text, "contribution": contribution, "evidence": value}


def sentence(item: Input, value: float | str | None, contribution: float, language: Language) -> str:
    """Describe the effect of an input on a consignment in a sentence."""
    way = RAISES if contribution > 0 else LOWERS
    return SENTENCE[language].format(seen=observation(item, value, language), way=way[language])


def observation(item: Input, value: float | str | None, language: Language) -> str:
    """State an input of a consignment with its value, without its effect."""
    return OBSERVATION[language].format(what=item.words[language], value=_shown(value, item.unit, language))


def _shown(value: float | str | None, unit: str, language: Language) -> str:
    """Format a value for a reader: three significant digits, thousands separated, followed by the unit."""
    if value is None:
        return UNKNOWN[language]
    if isinstance(value, str):
        return value
    if unit == FLAG:
        return (YES if value else NO)[language]
    value = value * 100 if unit == SHARE else value
    digits = 0 if value == 0 or abs(value) >= 100 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 4)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    text = "0" if text == "-0" else text
    if language == "fr":
        text = text.replace(",", "\u202f").replace(".", ",")
    return f"{text} {unit}".strip()
