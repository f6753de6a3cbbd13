"""Redaction of decisions by role: clearance sees what to do and the reasons, never their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from features.catalogue import INPUTS
from service.access.principal import OPEN, Principal
from service.orientation.list_reasons import CODE, unnamed

KEPT_OF_A_REASON = ("code", "text")
KEPT_OF_AN_OVERRIDE = ("clearance", "at", "new_information")


def shown_to(principal: Principal, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return decisions as a role may see them.

    A clearance system gets the reasons in words, without value and weight: with both, its users could search for a
    declaration that slips through; nor does it learn which list a party is on. Of an override it gets the lane, not the
    person and the reason. Analysts and auditors see everything.
    """
    if principal is OPEN or principal.role != "clearance":
        return [dict(decision) for decision in decisions]
    return [{**decision, **_redacted(decision)} for decision in decisions]


def _redacted(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a decision that clearance sees less of."""
    less: dict[str, Any] = {"reasons": [_reason(reason) for reason in decision.get("reasons", [])]}
    if decision.get("override") is not None:
        less["override"] = {name: decision["override"][name] for name in KEPT_OF_AN_OVERRIDE}
    return less


def _reason(reason: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: reason[name] for name in KEPT_OF_A_REASON}
    if str(reason["code"]).startswith(f"{CODE}."):
        return {**kept, "text": unnamed(kept["text"])}
    words = _words().get(str(reason["code"]))
    return {**kept, "text": next((w for w in words if kept["text"].startswith(w)), words[0])} if words else kept


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    """Return the names of each input, in every language: a sentence about it begins with one."""
    return {item.name: tuple(sorted(item.words.values(), key=len, reverse=True)) for item in INPUTS}
