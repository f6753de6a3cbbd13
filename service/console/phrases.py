"""Sentences that other parts of the service write in English, said in a person's language."""

from __future__ import annotations

import re

from service.console.translations import words
from service.scoring.explanation import Language

BETWEEN = re.compile(r"; ")
JOINED = {"en": "; ", "fr": " ; ", "zh": "；"}
COUNTED = re.compile(r"^(\d+) (of the same article codes)$")


def phrase(text: str, language: Language) -> str:
    """Say a text in a language, part by part; a part that is not in the catalogue stays as it is."""
    return JOINED[language].join(_part(part, language) for part in BETWEEN.split(text)) if text else ""


def measure_in(name: str, language: Language) -> str:
    """The name of a figure or a fact of a model in a language: `metrics precision at 1%`, `promoted_by`."""
    known, plain = words()["measure"], name.removeprefix("metrics ").replace("_", " ")
    before, at, share = plain.rpartition(" at ")
    if at and f"{before} at" in known:
        return f"{known[f'{before} at'][language]} {share}"
    return known[plain][language] if plain in known else plain


def fault_in(fault: str, language: Language) -> str:
    """Say a fault in a language: `field: what is wrong; the remedy`."""
    field, colon, rest = fault.partition(": ")
    if not colon or " " in field:
        return phrase(fault, language)
    known = words()["field"]
    label = known[field][language] if field in known else field
    return f"{label}{'：' if language == 'zh' else ' : ' if language == 'fr' else ': '}{phrase(rest, language)}"


def _part(part: str, language: Language) -> str:
    known = words()["phrase"]
    if counted := COUNTED.match(part):
        return f"{counted[1]} {known[counted[2]][language]}"
    return known[part][language] if part in known else part
