"""Numbers of analytics and payment services, each in one spelling; a placeholder of a theme is none."""

from __future__ import annotations

import re

from features.identifiers.placeholders import is_patterned, says_nothing

UNIVERSAL = re.compile(r"UA-(\d{4,10})(?:-\d{1,4})?", re.IGNORECASE)
CAPITAL = re.compile(r"(?:G|GT|GTM|AW|DC)-([A-Z0-9]{5,12})", re.IGNORECASE)
PUBLISHER = re.compile(r"(?:ca-)?pub-(\d{12,20})", re.IGNORECASE)
PREFIXED = re.compile(
    r"(?:(?:facebook|meta|tiktok|yandex|google|snap)?[ _-]?(?:pixel|metrica|tag)(?:[ _-]?id)?)[ :#=]+", re.IGNORECASE
)
FEWEST_SIGNS = 2  # different ones of a number; fewer stand where a theme leaves a place for it


def tag(text: str) -> str | None:
    """Return the one spelling of a service's number; None for a placeholder, such as `UA-12345678-1` or `G-XXXXXXXXXX`.

    The sites of one account of Universal Analytics (`UA-4711001-1`, `UA-4711001-2`) are one owner's.
    """
    written = PREFIXED.sub("", " ".join(text.split()), count=1)
    if match := UNIVERSAL.fullmatch(written):
        return None if is_patterned(match[1]) else f"UA-{match[1]}"
    if match := CAPITAL.fullmatch(written):
        return None if _is_placeholder(match[1]) else written.upper()
    if match := PUBLISHER.fullmatch(written):
        return None if is_patterned(match[1]) else f"ca-pub-{match[1]}"
    is_nothing = _is_placeholder(written) or (says_nothing(written) and not written.isdecimal())
    return None if is_nothing else written


def _is_placeholder(number: str) -> bool:
    return len(set(number.lower())) <= FEWEST_SIGNS
