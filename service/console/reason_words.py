"""Reasons in another language than the one that they were recorded in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from features.catalogue import EVERY_INPUT
from service.console.translations import words
from service.orientation.campaigns import FINDING_TEXT, HELD, LEADS
from service.orientation.decision_assembly import (
    BY_CHANCE,
    DROPPED,
    EXPLORED,
    KEPT,
    NOT_YET,
    ODDEST,
    RANDOM,
    UNSCORED,
    WITHDRAWN,
)
from service.orientation.goods_reasons import CODE as OF_WORDS
from service.orientation.goods_reasons import in_language as heading_suggested
from service.orientation.policy import PAST_UNKNOWN
from service.orientation.reserved import RESERVED
from service.orientation.rules import Rule
from service.orientation.track_assignment import TRACKED, UNJUDGED
from service.scoring.explanation import Language, Reason, observation, sentence

BY_NAME = {item.name: item for item in EVERY_INPUT}
RECORDED: tuple[Mapping[str, str], ...] = (
    *(RANDOM, EXPLORED, WITHDRAWN, DROPPED, KEPT, UNSCORED, NOT_YET, ODDEST, BY_CHANCE),
    *(HELD, LEADS, FINDING_TEXT, PAST_UNKNOWN, RESERVED),
    *TRACKED.values(),
    *UNJUDGED.values(),
)


def in_words(reasons: Sequence[Reason], language: Language, rules: Iterable[Rule] = ()) -> list[Reason]:
    """Say reasons in a language; of a rule that serves no more, what was recorded stays."""
    of_rules = {f"rule.{rule.code}": rule.reason for rule in rules}
    return [{**reason, "text": _text(reason, language, of_rules)} for reason in reasons]


def _text(reason: Reason, language: Language, of_rules: Mapping[str, Mapping[str, str]]) -> str:
    item, recorded = BY_NAME.get(reason["code"]), str(reason["text"])
    if item is not None and reason.get("contribution") is not None:
        return sentence(item, evidence_in(reason["evidence"], language), reason["contribution"], language)
    if reason["code"] == OF_WORDS:
        return heading_suggested(str(reason["evidence"]), language)
    texts = of_rules.get(reason["code"]) or _by_text().get(recorded, {})
    return texts.get(language, recorded)


def observed(reason: Reason, language: Language) -> str:
    """State what a reason of the model has seen, without its effect."""
    return observation(BY_NAME[reason["code"]], evidence_in(reason["evidence"], language), language)


def evidence_in(value: float | str | None, language: Language) -> float | str | None:
    """A value of an input in a language: of a stream and of the nature of a transaction, their word."""
    known = words()["declared"]
    return known[value][language] if isinstance(value, str) and value in known else value


@cache
def _by_text() -> Mapping[str, Mapping[str, str]]:
    return {text: texts for texts in RECORDED for text in texts.values()}


def series_in(name: str, language: Language) -> str:
    """The name of what monitoring watches: a count, an element that is left out, or an input of the model."""
    known = words()
    if name in known["series"]:
        return known["series"][name][language]
    if name in BY_NAME:
        return BY_NAME[name].words[language]
    field = known["field"].get(name.removeprefix("no_"))
    return f"{known['say']['without'][language]} {field[language]}" if field and name.startswith("no_") else name


def foremost(reasons: Sequence[Reason], language: Language, rules: Iterable[Rule] = ()) -> str:
    """Give the first reason that raises the risk, without saying so; where none does, the first of all."""
    raising = [one for one in reasons if one["code"] in BY_NAME and (one.get("contribution") or 0) > 0]
    if raising:
        return observed(raising[0], language)
    return next((str(reason["text"]) for reason in in_words(reasons, language, rules)), "")
