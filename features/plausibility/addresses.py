"""The numbers of an address by what they count: houses, or rooms, floors and other parts of a building."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib import resources

HOUSE = "house"
_WORDS = tomllib.loads(resources.files("features.identifiers").joinpath("address_words.toml").read_text("utf-8"))
_UNITS = "|".join(re.escape(word) for word in _WORDS["units"]["words"])
BEHIND = {"室": "room", "层": "floor", "樓": "floor", "楼": "floor", "栋": "building", "棟": "building", "单元": "unit"}
NUMBER = re.compile(
    rf"(?:\b(?P<unit>{_UNITS})\b\.?\s*(?:no\b\.?\s*)?[a-z]?)?(?<![0-9])(?P<number>[0-9]{{1,9}})"
    rf"(?:\s?(?P<behind>{'|'.join(BEHIND)}))?"
)
ASIDE = re.compile(r"#.*|\([^()]*\)|（[^（）]*）", re.DOTALL)


@lru_cache(maxsize=200_000)
def numbers_in(address: str) -> tuple[tuple[str, float], ...]:
    """Return the highest number of each kind, `house` where no word of a unit stands beside it.

    What stands in brackets or behind a number sign is a forwarder's customer, and left out.
    """
    text = ASIDE.sub(" ", unicodedata.normalize("NFKC", address)).lower()
    highest: dict[str, float] = {}
    for match in NUMBER.finditer(text):
        kind = match["unit"] or BEHIND.get(match["behind"] or "", HOUSE)
        highest[kind] = max(float(match["number"]), highest.get(kind, 0.0))
    return tuple(sorted(highest.items()))
