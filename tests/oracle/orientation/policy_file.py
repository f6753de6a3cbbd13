"""Reading of a policy from its TOML file; a fault is refused with its section and key before it meets a consignment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from features.catalogue import EVERY_INPUT, Input
from features.consignment import CONSIGNMENT_COLUMNS, SUMMED, TIME, TOTALS
from tests.oracle.orientation.applications import PROTECTED
from tests.oracle.orientation.campaigns import Campaigns
from tests.oracle.orientation.capacity import CapacityPlan
from tests.oracle.orientation.exploration import MEAN_WEIGHT, Exploration
from tests.oracle.orientation.lanes import Lane
from tests.oracle.orientation.policy import Policy
from tests.oracle.orientation.policy_sections import PolicyFault, above_zero, day, only, section_of, share, whole
from tests.oracle.orientation.rules import Rule, read_rule
from tests.oracle.orientation.track_conditions import read_tracks

SECTIONS = {
    *("id", "title", "capacity", "shifts", "time_zone", "random", "exploration", "risk", "campaigns", "degraded"),
    *("track", "applications", "rules"),
    *("start", "indicators"),  # of later days: they rest while a model scores
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
    sample = sample_row()
    rules = tuple(read_rule(rule, sample) for rule in written)
    codes = [rule.code for rule in rules]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise PolicyFault(f"rule {twice[0]}: two rules have the same code")
    return rules


def sample_row() -> pl.DataFrame:
    """Return one row of everything that a condition may name, to try conditions on before they meet a consignment."""
    values: dict[pl.DataType, Any] = {
        pl.String(): "A",
        pl.Float64(): 1.0,
        pl.Int64(): 1,
        TIME: datetime(2026, 1, 1, tzinfo=UTC),
    }
    types: dict[str, pl.DataType] = {
        item.name: pl.Float64() if item.kind == "number" else pl.String() for item in EVERY_INPUT
    }
    types |= dict.fromkeys(SUMMED, pl.Float64()) | {"lines": pl.Int64()}
    types |= {column.name: column.dtype for column in CONSIGNMENT_COLUMNS} | PROTECTED
    return pl.DataFrame({name: [values[kind]] for name, kind in types.items()}, schema=types)


def check_inputs(policy: Policy, inputs: Sequence[Input]) -> None:
    """Raise PolicyFault if a rule names a feature that the serving model does not have."""
    known = {column.name for column in CONSIGNMENT_COLUMNS} | {*TOTALS, *PROTECTED} | {item.name for item in inputs}
    for rule in policy.rules:
        missing = [name for name in rule.columns if name not in known]
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
