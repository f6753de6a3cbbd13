"""One consignment as an officer works on it: reasons by what he can do, the declaration in his words, the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.finding_kinds import Kinds
from features.moments import micros
from service.console.page_queries import euro_of_line
from service.console.reason_words import BY_NAME, evidence_in, observed
from service.console.translations import words
from service.scoring.explanation import Language, Reason

ACTS: tuple[tuple[str, tuple[str, ...]], ...] = (  # what can be done about an input, by how its name begins
    ("act_value", ("value_", "short_of_", "postage_", "lines_without_value", "norm_lines")),
    ("act_weigh", ("gross_mass", "mass_per", "mass_deviation", "net_to_gross")),
    ("act_serial", ("serial_", "product_codes", "cards_of_article", "article_")),
    ("act_count", ("pieces", "lines", "gift_", "nature")),
    ("act_goods", ("wording_", "hs_", "goods_", "origin_")),
    ("act_missing", ("missing_", "has_ioss")),
    ("act_network", ("network_", "lookalikes", "cards_", "listed_", "report_")),
    ("act_addressee", ("consignee_", "pair_", "home_", "recipient_")),
    ("act_sender", ("consignor_", "sender_", "identifiers_", "phone_", "mailbox_", "account_", "shop_", "address_")),
    ("act_route", ("transits", "route_", "lodged_hour", "stream")),
)
OTHERWISE = "act_look"  # for an input of a plug-in or a mapping
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (  # of a declaration, by how a field's name begins
    ("sender", ("consignor_", "platform", "seller_")),
    ("addressee", ("consignee_",)),
    ("parcel", ("",)),
)
IN_WORDS = ("stream", "nature", "purpose")
LINE_FIELDS = ("description", "hs_code", "goods_origin_country", "quantity", "net_mass_kg", "value", "product_code")
PAST_WIDTH, PAST_HEIGHT, EDGE = 360, 56, 8
LEAST_SHOWN = 0.0005  # of a chance: below it, a tenth of a per cent is nothing
LANE_OF_RESULT = {"compliant": 0, "non_compliant": 1}


@dataclass(frozen=True, slots=True)
class Act:
    """What an officer can do, and what he sees that asks for it."""

    key: str
    observed: tuple[str, ...]


def acts_of(reasons: Sequence[Reason], language: Language) -> list[Act]:
    """Group the reasons that raise the risk by what can be done about them, the weightiest first."""
    by_act: dict[str, list[str]] = {}
    for reason in reasons:
        if reason["code"] in BY_NAME and (reason.get("contribution") or 0) > 0:
            by_act.setdefault(act_of(reason["code"]), []).append(observed(reason, language))
    return [Act(key, tuple(seen)) for key, seen in by_act.items()]


def act_of(name: str) -> str:
    """Say what can be done about an input."""
    return next((act for act, beginnings in ACTS if name.startswith(beginnings)), OTHERWISE)


def others_of(reasons: Sequence[Reason], language: Language) -> tuple[list[str], list[str]]:
    """Give the reasons that are no model's (rules, chance, capacity, track), and those that lower the risk."""
    plain = [str(reason["text"]) for reason in reasons if reason.get("contribution") is None]
    lower = [
        observed(reason, language)
        for reason in reasons
        if reason["code"] in BY_NAME and (reason.get("contribution") or 0) < 0
    ]
    return plain, lower


def by_kind(chances: Mapping[str, float] | None, kinds: Kinds) -> list[tuple[str, float]]:
    """Order chances of kinds of finding, the main kind first and then the likeliest; none that rounds to nothing."""
    main = kinds.main_of(chances)
    ordered = sorted((chances or {}).items(), key=lambda one: (one[0] != main, -one[1], one[0]))
    return [(kind, chance) for kind, chance in ordered if chance >= LEAST_SHOWN]


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field: its name in the contract, its label, its value in words, what is odd, where it is searched."""

    name: str
    label: str
    value: str
    problem: str = ""
    place: str = ""

    @property
    def worded(self) -> bool:
        """Whether its value is a word of the console, and no data."""
        return self.name in IN_WORDS


def declared_groups(
    body: Mapping[str, Any], odd: Mapping[str, str], places: Mapping[str, str], language: Language
) -> list[tuple[str, list[Field]]]:
    """Group a declaration by sender, addressee and parcel; a field that is odd is shown where it is empty too."""
    stated = {name: value for name, value in body.items() if name != "goods" and value not in (None, "")}
    names = [*stated, *(name for name in odd if name not in stated and name not in LINE_FIELDS)]
    groups: dict[str, list[Field]] = {key: [] for key, _ in GROUPS}
    for name in names:
        key = next(key for key, beginnings in GROUPS if name.startswith(beginnings))
        value = _value(name, stated.get(name), language)
        groups[key].append(
            Field(name, label(name, language), value, problem_in(odd.get(name, ""), language), places.get(name, ""))
        )
    return [(key, fields) for key, fields in groups.items() if fields]


def goods_lines(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goods lines, with every field, and what each is worth in euro."""
    empty = dict.fromkeys((*LINE_FIELDS, "currency"))
    return [
        {**empty, **line, "euro": euro_of_line(line), "quantity": _plain(line.get("quantity")),
         "mass": _plain(line.get("net_mass_kg")), "value": _plain(line.get("value"))}
        for line in body.get("goods") or []
    ]  # fmt: skip


def odd_of_lines(problems: Iterable[tuple[str, str]], language: Language) -> list[tuple[str, str]]:
    """The data problems of goods lines: field, and the problem in a language."""
    return [(name, problem_in(problem, language)) for name, problem in problems if name in LINE_FIELDS]


def label(name: str, language: Language) -> str:
    """The label of a field; a field of a mapping has none but its name."""
    known = words()["field"]
    return known[name][language] if name in known else name


def problem_in(problem: str, language: Language) -> str:
    """A data problem in a language; one of a format of one's own stays as its reader has it."""
    known = words()["problem"]
    return known[problem][language] if problem in known else problem


def _value(name: str, value: Any, language: Language) -> str:
    return _plain(evidence_in(value, language) if name in IN_WORDS else value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Past:
    """A sender's parcels on a line of time; marks: place and kind (result, or empty where none was made)."""

    marks: tuple[tuple[float, float, str], ...]
    first: int
    last: int
    sent: int
    inspected: int
    found: int
    width: int = PAST_WIDTH
    height: int = PAST_HEIGHT


def past_of(parcels: Iterable[Mapping[str, Any]]) -> Past | None:
    """Draw parcels (`lodged_at`, and `result` or None); None where there are none."""
    dated = sorted((_at(one["lodged_at"]), one["result"] or "") for one in parcels)
    if not dated:
        return None
    first, last = dated[0][0], dated[-1][0]
    scale = (PAST_WIDTH - 2 * EDGE) / max(1, last - first)
    rows = {"": 44, "compliant": 28, "non_compliant": 12}
    marks = tuple((round(EDGE + (at - first) * scale, 1), rows.get(result, 28), result) for at, result in dated)
    results = [result for _, result in dated if result in LANE_OF_RESULT]
    return Past(marks, first, last, len(dated), len(results), sum(map(LANE_OF_RESULT.__getitem__, results)))


def _at(lodged_at: Any) -> int:
    return micros(datetime.fromisoformat(lodged_at)) if isinstance(lodged_at, str) else int(lodged_at)
