"""Redaction by role: clearance sees what to do and the reasons, never their weights; data scientists see no person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from features.catalogue import EVERY_INPUT
from features.outcome import NAMING_PERSONS
from service.access.principal import OPEN, Principal
from service.orientation.list_reasons import CODE, unnamed
from service.store.pseudonyms import Pseudonyms

KEPT_OF_A_REASON = ("code", "text")
KEPT_OF_A_REASON_TO_LEARN = (*KEPT_OF_A_REASON, "contribution")
KEPT_OF_AN_OVERRIDE = ("clearance", "at", "new_information")
OF_A_PARTY = ("name", "address", "postcode", "phone", "email", "id")
NAMING = (
    *(f"{party}_{part}" for party in ("consignor", "consignee") for part in OF_A_PARTY),
    *("ioss", "seller_account", "seller_url"),
    *NAMING_PERSONS,
)


def shown_to(principal: Principal, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return decisions as a role may see them.

    A clearance system gets the reasons in words, without value and weight: with both, its users could search for a
    declaration that slips through; nor does it learn which list a party is on. Of an override it gets the lane, not the
    person and the reason. A data scientist sees the same with the weights, which no person is known by. Analysts and
    auditors see everything.
    """
    if principal is OPEN or principal.role not in ("clearance", "data_scientist"):
        return [dict(decision) for decision in decisions]
    kept = KEPT_OF_A_REASON if principal.role == "clearance" else KEPT_OF_A_REASON_TO_LEARN
    return [{**decision, **_redacted(decision, kept)} for decision in decisions]


def columns_shown_to(principal: Principal, rows: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Return declarations or results as a role may see them: to data scientists, pseudonyms in place of who and where.

    The same text has the same pseudonym in every export of an installation, so that rows can be counted and joined by
    it; without the key of the installation nobody can try which text it is.
    """
    if principal.role != "data_scientist":
        return rows
    for name in (name for name in NAMING if name in rows.columns):
        words = rows[name].drop_nulls().unique()
        traces = pl.Series(pseudonyms.traces(words.to_list()), dtype=pl.String)
        rows = rows.with_columns(pl.col(name).replace_strict(words, traces, default=None, return_dtype=pl.String))
    return rows


def _redacted(decision: Mapping[str, Any], kept: Sequence[str]) -> dict[str, Any]:
    """Return the parts of a decision that are less."""
    less: dict[str, Any] = {"reasons": [_reason(reason, kept) for reason in decision.get("reasons", [])]}
    if decision.get("override") is not None:
        less["override"] = {name: decision["override"][name] for name in KEPT_OF_AN_OVERRIDE}
    return less


def _reason(reason: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    kept = {name: reason[name] for name in names if name in reason}
    if str(reason["code"]).startswith(f"{CODE}."):
        return {**kept, "text": unnamed(kept["text"])}
    words = _words().get(str(reason["code"]))
    return {**kept, "text": next((w for w in words if kept["text"].startswith(w)), words[0])} if words else kept


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    """Return the names of each input, in every language: a sentence about it begins with one."""
    return {item.name: tuple(sorted(item.words.values(), key=len, reverse=True)) for item in EVERY_INPUT}
