"""A policy from its TOML file, refused with the section and key at fault before it can meet a consignment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from features.catalogue import INPUTS, Input
from features.consignment import CONSIGNMENT_COLUMNS, SUMMED, TIME, TOTALS
from service.orientation.exploration import MEAN_WEIGHT, Exploration
from service.orientation.lanes import Lane
from service.orientation.policy import CHECKS, Capacity, Policy
from service.orientation.rules import PolicyFault, Rule, read_rule

SECTIONS = {"id", "title", "capacity", "random", "exploration", "risk", "degraded", "rules"}


def load_policy(text: str) -> Policy:
    """A policy from the text of its TOML file; raises PolicyFault naming the section and key at fault."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise PolicyFault(f"not valid TOML: {fault}") from fault
    _only(written, SECTIONS, "the policy")
    if not written.get("id"):
        raise PolicyFault('needs an id, such as id = "standard-1"')
    capacity = dict(_section(written, "capacity"))
    default = _capacity(capacity.pop("default", None), "capacity.default")
    random, risk = _section(written, "random"), _section(written, "risk")
    _only(random, {"rate", "seed"}, "random")
    _only(risk, {"least", "vague_share"}, "risk")
    exploration = _section(written, "exploration")
    _only(exploration, {"share", "from", "half_life_days", "least", "mean_weight"}, "exploration")
    seed = random.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise PolicyFault("random.seed: needs a whole number")
    return Policy(
        policy_id=str(written["id"]),
        default=default,
        offices={office: _capacity(kinds, f"capacity.{office}", default) for office, kinds in capacity.items()},
        random_rate=_share(random, "random.rate", 0.0),
        exploration=_exploration(exploration),
        seed=seed,
        least_risk=_share(risk, "risk.least", 0.0),
        vague_share=_share(risk, "risk.vague_share", 1.0),
        rules=_rules(written.get("rules", [])),
        text=text,
        unknown_past=_unknown_past(_section(written, "degraded")),
    )


def _unknown_past(section: Mapping[str, Any]) -> Lane:
    _only(section, {"unknown_past"}, "degraded")
    lane = section.get("unknown_past", Lane.yellow.name)
    if lane not in Lane.__members__:
        raise PolicyFault(f"degraded.unknown_past: is none of {', '.join(Lane.__members__)}")
    return Lane[lane]


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
    """One row of everything that a condition may name, to try conditions on before they meet a consignment."""
    values: dict[pl.DataType, Any] = {
        pl.String(): "A",
        pl.Float64(): 1.0,
        pl.Int64(): 1,
        TIME: datetime(2026, 1, 1, tzinfo=UTC),
    }
    types: dict[str, pl.DataType] = {
        item.name: pl.Float64() if item.kind == "number" else pl.String() for item in INPUTS
    }
    types |= dict.fromkeys(SUMMED, pl.Float64()) | {"lines": pl.Int64()}
    types |= {column.name: column.dtype for column in CONSIGNMENT_COLUMNS}
    return pl.DataFrame({name: [values[kind]] for name, kind in types.items()}, schema=types)


def check_inputs(policy: Policy, inputs: Sequence[Input]) -> None:
    """Raise PolicyFault where a rule names a feature that the model which serves beside it does not have."""
    there = {column.name for column in CONSIGNMENT_COLUMNS} | set(TOTALS) | {item.name for item in inputs}
    for rule in policy.rules:
        lacking = [name for name in rule.columns if name not in there]
        if lacking:
            raise PolicyFault(f"rule {rule.code}: the model has no feature {lacking[0]!r}")


def _section(written: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = written.get(name, {})
    if not isinstance(section, Mapping):
        raise PolicyFault(f"{name}: needs a section [{name}]")
    return section


def _only(section: Mapping[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(section) - allowed)
    if unknown:
        raise PolicyFault(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(allowed))}")


def _capacity(written: Any, where: str, default: Capacity | None = None) -> Capacity:
    if not isinstance(written, Mapping):
        raise PolicyFault(f"{where}: needs physical, documents, audit and expected")
    kinds = (*CHECKS, "expected")
    _only(written, set(kinds), where)
    values = {kind: written.get(kind, getattr(default, kind, None)) for kind in kinds}
    for kind, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise PolicyFault(f"{where}.{kind}: needs a whole number, zero or more")
    return Capacity(**values)


def _exploration(section: Mapping[str, Any]) -> Exploration:
    start = section.get("from")
    if start is not None and (not isinstance(start, date) or isinstance(start, datetime)):
        raise PolicyFault("exploration.from: is no date; write from = 2026-03-01")
    half_life = _above_zero(section, "exploration.half_life_days")
    least, share = _share(section, "exploration.least", 0.0), _share(section, "exploration.share", 0.0)
    if least > share:
        raise PolicyFault("exploration.least: is above exploration.share")
    mean = _above_zero(section, "exploration.mean_weight")
    return Exploration(share, start, half_life, least, MEAN_WEIGHT if mean is None else mean)


def _above_zero(section: Mapping[str, Any], where: str) -> float | None:
    value = section.get(where.rsplit(".", 1)[1])
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise PolicyFault(f"{where}: needs a number above 0")
    return float(value)


def _share(section: Mapping[str, Any], where: str, default: float) -> float:
    value = section.get(where.rsplit(".", 1)[1], default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PolicyFault(f"{where}: needs a number from 0 to 1")
    return float(value)
