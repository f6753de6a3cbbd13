"""Sentences that other parts of the service write in English, said in a person's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from service.console.translations import faults, words
from service.scoring.explanation import Language

BETWEEN = re.compile(r"; ")
JOINED = {"en": "; ", "fr": " ; ", "zh": "；"}
LISTED = {"en": ", ", "fr": ", ", "zh": "、"}
STOP = {"en": ".", "fr": ".", "zh": "。"}
COUNTED = re.compile(r"^(\d+) (of the same article codes)$")


def phrase(text: str, language: Language) -> str:
    """Say a text in a language, part by part; a part that is not in the catalogue stays as it is."""
    return JOINED[language].join(_part(part, language) for part in BETWEEN.split(text)) if text else ""


def said(text: str, language: Language) -> str | None:
    """Say a text in a language; None where any part of it is in no catalogue."""
    parts = [_known(part, language) for part in BETWEEN.split(text)]
    return JOINED[language].join(part for part in parts if part is not None) if text and None not in parts else None


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
    known = {**words()["field"], "purpose": words()["say"]["purpose"]}  # what for: of whoever asks, not of a message
    label = known[field][language] if field in known else field
    return f"{label}{'：' if language == 'zh' else ' : ' if language == 'fr' else ': '}{phrase(rest, language)}"


def _part(part: str, language: Language) -> str:
    return _known(part, language) or part


def _known(part: str, language: Language) -> str | None:
    known = words()["phrase"]
    if counted := COUNTED.match(part):
        return f"{counted[1]} {known[counted[2]][language]}"
    if part in known:
        return known[part][language]
    sentence = part.removesuffix(".")
    end = "" if sentence == part else STOP[language]
    for pattern, texts in _patterns():
        if matched := pattern.fullmatch(sentence):
            return texts[language].format(*(_filled(value, language) for value in matched.groups())) + end
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]:
    """What a fault looks like, with what the service puts in; the fewest fillings come first."""
    templates = sorted(faults().items(), key=lambda one: (one[0].count("{}"), -len(one[0])))
    return tuple(
        (re.compile("(.+?)".join(map(re.escape, template.split("{}"))), re.DOTALL), texts)
        for template, texts in templates
    )


def _filled(value: str, language: Language) -> str:
    """What the service put in; a list of words of the console is said in the language."""
    known = words()["word"]
    parts = value.split(", ")
    if any(part in known for part in parts):
        return LISTED[language].join(known[part][language] if part in known else part for part in parts)
    return value
