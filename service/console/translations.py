"""The console's words in three languages, checked when they are loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from service.scoring.explanation import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES = {"en": "English", "fr": "Français", "zh": "中文"}


@lru_cache(maxsize=1)
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Section, key and language to text; raises ValueError, naming it, where a text lacks a language."""
    catalogues = tomllib.loads(files("service.console").joinpath("translations.toml").read_text(encoding="utf-8"))
    for section, texts in catalogues.items():
        for key, text in texts.items():
            if set(text) != set(LANGUAGES) or not all(text.values()):
                raise ValueError(f"translations.toml: {section}.{key} is not told in every language")
    return catalogues


@lru_cache(maxsize=1)
def faults() -> Mapping[str, Mapping[str, str]]:
    """A fault in English, with {} for what is put in, and language to text; raises ValueError where one is lacking."""
    written = tomllib.loads(files("service.console").joinpath("faults.toml").read_text(encoding="utf-8"))["fault"]
    catalogue = {fault: {"en": fault, **texts} for fault, texts in written.items()}
    for fault, texts in catalogue.items():
        if set(texts) != set(LANGUAGES):
            raise ValueError(f"faults.toml: {fault!r} is not told in every language")
    return catalogue


def in_language(language: Language, section: str) -> Callable[[str], str]:
    """What looks up the texts of a section; KeyError for a key that is not there."""
    texts = words()[section]
    return lambda key: texts[key][language]


def language_among(wanted: str, otherwise: Language = "en") -> Language:
    """The first of a browser's languages that the console speaks."""
    for one in wanted.split(","):
        code = one.split(";")[0].strip().lower()[:2]
        for language in LANGUAGES:
            if code == language:
                return language
    return otherwise
