"""The page of reason codes, as the policy, the record and the catalogue give them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from docs.generator.markdown import code, page, section, table
from features.parties.list_match import CONCLUSIVE, CONSIGNEE, CONSIGNOR, NETWORK, POSSIBLE, ListMatch
from pipelines.training.standard_policy import standard_policy
from service.orientation import goods_reasons, load_policy
from service.orientation.decision_assembly import Stamp, selection_reasons
from service.orientation.lanes import Check
from service.orientation.list_reasons import list_reasons
from service.orientation.policy import PAST_UNKNOWN, UNKNOWN_PAST
from service.orientation.track_assignment import TRACKED, UNJUDGED

PLAIN: dict[str, Any] = {
    "rule_codes": [], "withdrawn": False, "risk": 0.5, "selection": "risk", "held": False, "dropped": False,
    "kept": False, "wanted": int(Check.physical), "clearance": "red", "indicators": [], "reserved": None,
}  # fmt: skip
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drawn for the random sample", {"selection": "random"}),
    ("drawn to explore", {"selection": "exploration"}),
    ("opened on behalf of its network", {"selection": "campaign"}),
    ("waits for the results of its network", {"held": True}),
    ("got a less strict lane than was asked for; `evidence` names that lane", {"dropped": True}),
    ("the check is kept for riskier ones; `evidence` names the lane", {"dropped": True, "kept": True}),
    ("a check is reserved for a kind of finding; `evidence` names it", {"reserved": "narcotics"}),
    ("drawn while no model decides, of odd ones", {"selection": "exploration", "risk": None, "indicators": ["I"]}),
    ("drawn while no model decides, of the others", {"selection": "exploration", "risk": None}),
    ("no model could be loaded", {"risk": None}),
    ("the declaration was cancelled", {"withdrawn": True}),
)
SHOWN = ("telephone", "name", "house")
WHEN_LISTED = (
    "the sender shares an identifier or a rare name with a subject of an active list",
    "the addressee shares a key of its own with one, or its name at its house",
    "addressees are linked, and one of the network of this one is on the list",
    "the addressee shares its name in its postcode with one, or a key that strangers share; no lane follows",
)
LISTS = """
`evidence` is the name of the list. Callers of the role `clearance` are told neither the list nor what is shared.
"""
HEADS = ("code", "when", "text")
INTRODUCTION = """
A reason has a `code`, a `text` in the language of the installation, and where it is a model's a `contribution`
(log-odds) and `evidence` (the value). Callers of the role `clearance` get code and text only.
"""
INDICATORS = """
They are named on what is looked at while no model decides. The points double the weight of a consignment in the draw.
"""
MODEL = "The code names a [feature](features.md); the text is its name, its value, and whether it raises the risk."


def reasons_page() -> str:
    """Return the page of codes that the reasons of a decision can bear."""
    return page(
        "Reason codes",
        INTRODUCTION,
        section("Selection and capacity", table(HEADS, selection_codes())),
        section("Watch lists", LISTS, table(HEADS, _listed())),
        section("Words of the goods", table(HEADS, _of_words())),
        section("Tracks", table(HEADS, _tracks())),
        section("Rules of the standard policy", "Another policy has other rules.", table(HEADS, _rules())),
        section("Indicators of the standard policy", INDICATORS, table(HEADS, _indicators())),
        section("The model", MODEL),
    )


def selection_codes() -> list[list[str]]:
    """Return what the record says of each case: its code, when it is given, and its text."""
    by_choice = Stamp(datetime.now(UTC), "en", "standard", {}, None, None, (), {"I": {"en": ""}}, by_choice=True)
    (not_yet,) = selection_reasons({**PLAIN, "risk": None}, by_choice)
    return [
        *(
            _row(when, selection_reasons({**PLAIN, **case}, replace(by_choice, by_choice=False))[-1])
            for when, case in CASES
        ),
        _row("rules were promoted and no model yet", not_yet),
    ]


def _listed() -> list[list[str]]:
    """Return the reason of each side and tier of a match with a watch list."""
    mailbox, postcode = ("mailbox",), ("postcode",)
    cases = ((CONSIGNOR, CONCLUSIVE, mailbox), (CONSIGNEE, CONCLUSIVE, SHOWN), (CONSIGNEE, NETWORK, mailbox),
             (CONSIGNEE, POSSIBLE, postcode))  # fmt: skip
    matches = [ListMatch(side, tier, "dossier-17", keys) for side, tier, keys in cases]
    reasons = [reason for match in matches for reason in list_reasons([match.written()], "en")]
    return [[code(reason["code"]), when, reason["text"]] for reason, when in zip(reasons, WHEN_LISTED, strict=True)]


def _of_words() -> list[list[str]]:
    when = "it is looked at, and its words clearly fit another heading; `evidence` names that heading"
    return [[code(goods_reasons.CODE), when, goods_reasons.SUGGESTS["en"]]]


def _row(when: str, reason: dict[str, Any]) -> list[str]:
    return [code(reason["code"]), when, reason["text"]]


def _tracks() -> list[list[str]]:
    when = "it is the track proposed, and no rule has named it"
    estimated = [[code(f"track.{name}"), when, texts["en"]] for name, texts in TRACKED.items()]
    return estimated + [
        [code(f"track.{name}"), f"{when}; no severity model serves", texts["en"]] for name, texts in UNJUDGED.items()
    ]


def _indicators() -> list[list[str]]:
    listed = load_policy(standard_policy()).indicators.listed
    return [
        [code(f"indicator.{each.rule.code}"), f"the indicator holds; points: {each.points}", each.rule.reason["en"]]
        for each in listed
    ]


def _rules() -> list[list[str]]:
    rules = load_policy(standard_policy()).rules
    unknown = [code(f"rule.{UNKNOWN_PAST}"), "history could not be read", PAST_UNKNOWN["en"]]
    return [*([code(f"rule.{rule.code}"), "the rule holds", rule.reason["en"]] for rule in rules), unknown]
