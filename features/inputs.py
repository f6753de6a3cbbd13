"""One model input: what it is called, how the model takes it, and how it is written down in a bundle."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from features.definition import DEFINITIONS
from features.history.windows import Since, reading_of
from features.vocabulary import words_of

InputKind = Literal["number", "category"]
Feature = str | Callable[..., Any]
FLAG = "yes/no"  # units that are shown in words: 1 as yes, 0 as no
SHARE = "%"  # and shares of one as per cent
NEVER_LOWERS, NEVER_RAISES = 1, -1  # directions: the risk never falls, or never rises, as the input grows


@dataclass(frozen=True, slots=True)
class Input:
    """One model input: the column's name, its type, its unit, and what a reason calls it in each language.

    direction: NEVER_LOWERS, NEVER_RAISES, or 0 where the trees decide; it bounds training and is no part of a bundle.
    plugin: the distribution that brought it (features/plugins.py); empty for those of Tamis.
    """

    name: str
    kind: InputKind
    words: dict[str, str] = field(hash=False)
    unit: str = ""
    direction: int = field(default=0, compare=False)
    plugin: str = ""

    @property
    def meaning(self) -> str:
        """What an analyst reads about it: the docstring of its definition, or the words of its reading."""
        definition = DEFINITIONS.get(self.name)
        return definition.meaning if definition else f"{self.words['en']}."


def number(feature: Feature, en: str, fr: str, zh: str, unit: str = "", *, key: str = "", direction: int = 0) -> Input:
    """Declare a numeric input: the function that defines it, or the name of a column as declared or linked.

    key: the key that is meant of a function that defines one column for each of several.
    """
    return Input(_name(feature, key), "number", {"en": en, "fr": fr, "zh": zh}, unit, direction)


def category(feature: Feature, en: str, fr: str, zh: str) -> Input:
    """Declare an input of unordered levels."""
    return Input(_name(feature), "category", {"en": en, "fr": fr, "zh": zh})


def history(*names: str, direction: int = 0) -> tuple[Input, ...]:
    """Declare inputs read straight from history; their words are made of who and what."""
    return tuple(_read(name, direction) for name in names)


def _name(feature: Feature, key: str = "") -> str:
    """Return the column that a definition is called by; raises TypeError where the function defines none."""
    if isinstance(feature, str):
        return feature
    name = f"{key}_{feature.__name__}" if key else feature.__name__
    if name not in DEFINITIONS or DEFINITIONS[name].written is not inspect.unwrap(feature):
        raise TypeError(f"{name} is not declared as a feature: put @of_consignment or @over_lines above it")
    return name


def _read(name: str, direction: int) -> Input:
    reading = reading_of(name)
    if reading is None:
        raise TypeError(f"{name}: not a reading of history; <key>_<fact>_<span>d is")
    return Input(name, "number", words_of(reading), "d" if isinstance(reading, Since) else "", direction)


def as_json(inputs: Sequence[Input]) -> list[dict[str, object]]:
    """Write the inputs as a bundle keeps them."""
    written = [{**asdict(item), "meaning": item.meaning} for item in inputs]
    left_out = [{"direction"} if item["plugin"] else {"direction", "plugin"} for item in written]
    return [{n: v for n, v in item.items() if n not in out} for item, out in zip(written, left_out, strict=True)]


def from_json(written: Sequence[dict[str, object]]) -> tuple[Input, ...]:
    """Read the inputs as a bundle kept them."""
    fields = ("name", "kind", "words", "unit")
    return tuple(
        Input(**{name: item[name] for name in fields}, plugin=str(item.get("plugin", "")))  # type: ignore[arg-type]
        for item in written
    )
