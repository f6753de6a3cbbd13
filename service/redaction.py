"""What of a decision whom is shown: clearance learns what to do and about what, never how much each thing weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from features.catalogue import INPUTS
from service.access.principal import OPEN, Principal

KEPT_OF_A_REASON = ("code", "text")


def shown_to(principal: Principal, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Decisions as a role may see them.

    A clearance system gets the reasons in words, without value and weight: with both, whoever can ask it could search
    for the declaration that slips through. Analysts and auditors see all of it.
    """
    if principal is OPEN or principal.role != "clearance":
        return [dict(one) for one in decisions]
    return [{**one, "reasons": [_reason(reason) for reason in one.get("reasons", [])]} for one in decisions]


def _reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: reason[name] for name in KEPT_OF_A_REASON}
    words = _words().get(str(reason["code"]))
    return {**told, "text": next((w for w in words if told["text"].startswith(w)), words[0])} if words else told


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    """How each input is called, in every language: a sentence about it begins with it."""
    return {item.name: tuple(sorted(item.words.values(), key=len, reverse=True)) for item in INPUTS}
