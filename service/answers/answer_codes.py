"""The code values used in answers: `answers.toml`, and those of an installation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.fault import Fault
from features.finding_kinds import Kinds, standard_kinds
from service.orientation.lanes import Lane, PreArrival

STANDARD = Path(__file__).with_name("answers.toml")
BY_WORD = {"risk_level": Lane, "result_code": PreArrival, "edifact_7365": Lane, "asycuda": Lane}


class AnswerCodesFault(Fault):
    """A file of code values that cannot be used; names the section and key at fault."""


@dataclass(frozen=True, slots=True)
class AnswerCodes:
    """Values of `[ics2]`, and code values by lane or by pre-arrival orientation for other systems.

    kinds: of finding, whose risk areas they are.
    """

    ics2: Mapping[str, str]
    risk_level: Mapping[str, str]
    result_code: Mapping[str, str]
    edifact_7365: Mapping[str, str]
    asycuda: Mapping[str, str]
    kinds: Kinds = field(default_factory=standard_kinds)

    def risk_area(self, chances: Mapping[str, float] | None) -> str:
        """Return the area of the main kind of finding; the installation's one area where no chance of any is stated."""
        main = self.kinds.main_of(chances)
        return (self.kinds.area_of(main) if main else "") or self.ics2["risk_area"]


def load_codes(path: Path | None = None, kinds: Kinds | None = None) -> AnswerCodes:
    """Read the standard values, overridden by those of an installation; raises AnswerCodesFault.

    kinds: of finding, of the installation; the standard ones where absent.
    """
    standard = _flat(tomllib.loads(STANDARD.read_text(encoding="utf-8")))
    return AnswerCodes(**_merged(standard, _flat(_written(path)) if path else {}), kinds=kinds or standard_kinds())


def _written(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise AnswerCodesFault(f"{path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise AnswerCodesFault(f"{path}: not valid TOML: {fault}") from fault


def _flat(written: dict[str, Any]) -> dict[str, Any]:
    """Move the tables within `ics2` up beside it."""
    ics2 = written.get("ics2", {})
    nested = {key: value for key, value in ics2.items() if isinstance(value, dict)}
    flat_values = {key: value for key, value in ics2.items() if key not in nested}
    return {**{key: value for key, value in written.items() if key != "ics2"}, **nested, "ics2": flat_values}


def _merged(standard: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    for section, values in overrides.items():
        if section not in standard or not isinstance(values, dict):
            raise AnswerCodesFault(f"{section}: unknown; one of {', '.join(standard)}")
        for key, value in values.items():
            if key not in standard[section]:
                raise AnswerCodesFault(f"{section}.{key}: unknown; one of {', '.join(standard[section])}")
            if not isinstance(value, str) or not value:
                raise AnswerCodesFault(f"{section}.{key}: needs a text")
    return {section: {**values, **overrides.get(section, {})} for section, values in standard.items()}
