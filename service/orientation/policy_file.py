"""Reading of a policy from its TOML file; a fault is refused with its section and key before it meets a consignment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from features.catalogue import EVERY_INPUT, Input
from features.consignment import CONSIGNMENT_COLUMNS, SUMMED, TOTALS
from service.orientation.applications import PROTECTED
from service.orientation.campaigns import Campaigns
from service.orientation.capacity import CapacityPlan
from service.orientation.exploration import MEAN_WEIGHT, Exploration
from service.orientation.indicators import read_indicators
from service.orientation.lanes import Lane
from service.orientation.list_reasons import LISTED
from service.orientation.pacing import compile_kernels
from service.orientation.policy import Policy
from service.orientation.policy_sections import PolicyFault, above_zero, day, only, section_of, share, whole
from service.orientation.reserved import read_reserved
from service.orientation.rule_conditions import Kind, is_chance
from service.orientation.rules import Rule, read_rule
from service.orientation.track_conditions import read_tracks

SECTIONS = {
    *("id", "title", "capacity", "shifts", "time_zone", "random", "exploration", "risk", "campaigns", "degraded"),
    *("track", "applications", "rules", "start", "indicators", "reserved"),
}


def load_policy(text: str) -> Policy:
    """Read a policy from the text of its TOML file; raises PolicyFault naming the section and key at fault."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise PolicyFault(f"not valid TOML: {fault}") from fault
    only(written, SECTIONS, "the policy")
    if not written.get("id"):
        raise PolicyFault('needs an id, such as id = "standard-1"')
    random, risk = (
        section_of(written, "random", {"rate", "seed"}),
        section_of(written, "risk", {"least", "vague_share"}),
    )
    compile_kernels()
    return Policy(
        policy_id=str(written["id"]),
        capacity=CapacityPlan.read(written),
        random_rate=share(random, "random.rate", 0.0),
        exploration=_exploration(written),
        seed=whole(random, "random.seed", 0, least=None),
        least_risk=share(risk, "risk.least", 0.0),
        vague_share=share(risk, "risk.vague_share", 1.0),
        rules=_rules(written.get("rules", [])),
        text=text,
        unknown_past=_lane(section_of(written, "degraded", {"unknown_past"}), "degraded.unknown_past", Lane.yellow),
        tracks=read_tracks(written),
        indicators=read_indicators(written, kinds_of_columns()),
        reserved=read_reserved(written),
        campaigns=_campaigns(section_of(written, "campaigns", {"checks", "worth", "carried"})),
    )


def _lane(section: Mapping[str, Any], where: str, default: Lane) -> Lane:
    lane = section.get(where.rsplit(".", 1)[1], default.name)
    if lane not in Lane.__members__:
        raise PolicyFault(f"{where}: unknown lane; write one of {', '.join(Lane.__members__)}")
    return Lane[lane]


def _campaigns(section: Mapping[str, Any]) -> Campaigns:
    usual = Campaigns()
    return Campaigns(
        whole(section, "campaigns.checks", usual.checks),
        share(section, "campaigns.worth", usual.worth),
        _lane(section, "campaigns.carried", usual.carried),
    )


def _rules(written: Any) -> tuple[Rule, ...]:
    if not isinstance(written, list):
        raise PolicyFault("rules: each rule needs a table of its own under [[rules]]")
    kinds = kinds_of_columns()
    rules = tuple(read_rule(rule, kinds) for rule in written)
    codes = [rule.code for rule in rules]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise PolicyFault(f"rule {twice[0]}: two rules have the same code")
    return rules


def kinds_of_columns() -> dict[str, Kind]:
    """Return every column that a condition may name, and what its values are."""
    kinds: dict[str, Kind] = {item.name: "number" if item.kind == "number" else "text" for item in EVERY_INPUT}
    kinds |= dict.fromkeys((*SUMMED, "lines"), "number")
    declared: dict[str, Kind] = {"text": "text", "number": "number", "whole": "number", "time": "moment"}
    return kinds | {column.name: declared[column.kind] for column in CONSIGNMENT_COLUMNS} | PROTECTED | LISTED


def check_inputs(policy: Policy, inputs: Sequence[Input]) -> None:
    """Raise PolicyFault if a rule names a feature that the serving model does not have."""
    known = (
        {column.name for column in CONSIGNMENT_COLUMNS}
        | {*TOTALS, *PROTECTED, *LISTED}
        | {item.name for item in inputs}
    )
    for rule in policy.rules:
        missing = [name for name in rule.columns if name not in known and not is_chance(name)]
        if missing:
            raise PolicyFault(f"rule {rule.code}: the model has no feature {missing[0]!r}")


def _exploration(written: Mapping[str, Any]) -> Exploration:
    section = section_of(written, "exploration", {"share", "from", "half_life_days", "least", "mean_weight"})
    highest, least = share(section, "exploration.share", 0.0), share(section, "exploration.least", 0.0)
    if least > highest:
        raise PolicyFault("exploration.least: is above exploration.share")
    halved = above_zero(section, "exploration.half_life_days", 1.0) if "half_life_days" in section else None
    mean = above_zero(section, "exploration.mean_weight", MEAN_WEIGHT)
    return Exploration(highest, day(section, "exploration.from"), halved, least, mean)
