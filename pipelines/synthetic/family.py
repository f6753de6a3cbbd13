"""A family of worlds: each draws its parameters from the ranges of `family.toml` by its seed alone.

One scheme of a list is held back until the test window, so that nothing learned before can have seen it.
"""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from pipelines.synthetic.world_settings import Inspection, Missing, Scheme, World, load_world, read_scheme

Drawn = Mapping[str, float | str]
TEST_WINDOW = 2 / 3  # of the span: what is judged begins here, and so does what is held back
FAMILY = 1 << 33  # first word of the seeds of drawn parameters, clear of those of the worlds themselves
DECOY_COVER = 1.2  # lawful consignments for each illicit one that a scheme with decoys sends more
MOST_OF_A_LIFE = 0.4  # of an identity's life: the part that it spends on a clean history
DETOURS = ["HK", "TR", "AE", "GB", "VN"]
NO_COMMON_LIFE = frozenset({"casual"})  # offences of otherwise honest senders: in every world


@dataclass(frozen=True)
class Parameter:
    """A parameter of the family: its range or the words to choose from, what it sets, and what it means."""

    name: str
    meaning: str
    between: tuple[float, float] = (0.0, 0.0)
    scale: str = "even"
    zero: float = 0.0
    among: tuple[str, ...] = ()
    sets: str = ""
    scales: tuple[str, ...] = ()
    limit: float = math.inf

    def draw(self, seed: int) -> float | str:
        """Return the value in the world of a seed; no other parameter changes it."""
        rng = np.random.default_rng([FAMILY, seed, zlib.crc32(self.name.encode())])
        absent, lot = rng.random(2)
        if self.among:
            return self.among[int(lot * len(self.among))]
        low, high = self.between
        if absent < self.zero:
            return 0.0
        if self.scale == "whole":
            return float(math.floor(low + lot * (high - low + 1)))
        return float(low * (high / low) ** lot if self.scale == "log" else low + lot * (high - low))

    def middle(self) -> float | str:
        """Return the value halfway, or the first word."""
        low, high = self.between
        halfway = math.sqrt(low * high) if self.scale == "log" else (low + high) / 2
        return self.among[0] if self.among else float(round(halfway) if self.scale == "whole" else halfway)


@dataclass(frozen=True)
class Family:
    """The parameters, the schemes of which one is held back, and which seeds are for tuning and which for reporting."""

    parameters: tuple[Parameter, ...]
    schemes: tuple[Scheme, ...]
    words: Mapping[str, str]  # of each scheme: what it does
    tuning: range
    reporting: range


@cache
def load_family() -> Family:
    """Read the shipped `family.toml`; raise ValueError or TypeError for a misspelt field."""
    raw = tomllib.loads(files(__package__).joinpath("family.toml").read_text("utf-8"))
    seeds, schemes = raw.pop("seeds"), raw.pop("scheme")
    words = {table["name"]: table.pop("word") for table in schemes}
    tuning, reporting = (range(first, last + 1) for first, last in (seeds["tuning"], seeds["reporting"]))
    parameters = tuple(_parameter(name, table) for name, table in raw.items())
    return Family(parameters, tuple(read_scheme(table) for table in schemes), words, tuning, reporting)


def _parameter(name: str, table: dict[str, Any]) -> Parameter:
    lists: dict[str, Any] = {key: tuple(table[key]) for key in ("between", "among", "scales") if key in table}
    return Parameter(name, **{**table, **lists})


def drawn_by(seed: int) -> dict[str, float | str]:
    """Return every parameter of the world of a seed."""
    return {parameter.name: parameter.draw(seed) for parameter in load_family().parameters}


def world_of(seed: int, drawn: Drawn | None = None) -> World:
    """Return the world of a seed; with other parameters than its own where they are given."""
    values = drawn_by(seed) if drawn is None else drawn
    rng = np.random.default_rng([FAMILY, seed])
    base = load_world()
    parts: dict[str, Any] = {"flow": {"detours": DETOURS}, "schemes": _schemes(base, values, rng)}
    for parameter in load_family().parameters:
        if parameter.sets:
            section, _, name = parameter.sets.rpartition(".")
            parts = {**parts, **({section: {**parts.get(section, {}), name: values[parameter.name]}} if section else
                                 {name: values[parameter.name]})}  # fmt: skip
    parts["inspection"] |= _inspection(base.inspection, values, rng)
    parts["missing"] |= _missing(base.missing, float(values["missing_fields"]))
    return base.vary(**_whole(parts))


def held_back_of(world: World) -> str:
    """Return the name of the scheme that begins last; the empty text where all run from the start."""
    last = max(world.schemes, key=lambda scheme: scheme.start)
    return last.name if last.start > 0 else ""


def _whole(parts: dict[str, Any]) -> dict[str, Any]:
    """Return counts as whole numbers."""
    counts = {"sellers_per_forwarder", "article_families"}
    honest = {name: round(value) if name in counts else value for name, value in parts["honest"].items()}
    return {**parts, "honest": honest}


def _schemes(base: World, values: Drawn, rng: np.random.Generator) -> tuple[Scheme, ...]:
    """Return the schemes that run from the start, and the one that is held back."""
    family = load_family()
    standing = [scheme for scheme in base.schemes if scheme.start == 0.0]
    lots = rng.random(len(standing) + len(family.schemes))
    kept = [
        scheme for scheme, lot in zip(standing, lots, strict=False)
        if lot >= float(values["absent_schemes"]) or scheme.name in NO_COMMON_LIFE
    ]  # fmt: skip
    late = next(scheme for scheme in family.schemes if scheme.name == values["held_back"])
    foreign = zip(family.schemes, lots[len(standing) :], strict=True)
    kept += [scheme for scheme, lot in foreign if lot < float(values["foreign_schemes"]) and scheme is not late]
    spread = float(values["unequal_schemes"])
    uneven = [replace(scheme, share=scheme.share * math.exp(spread * rng.standard_normal())) for scheme in kept]
    buying = rng.random(len(uneven)) < float(values["decoys"])
    varied = [_with_decoys(_scaled(s, values), bool(buys), values) for s, buys in zip(uneven, buying, strict=True)]
    share = sum(scheme.share for scheme in varied) * float(values["held_back_share"])
    begins = replace(_scaled(late, values), share=share, start=float(values["held_back_start"]))
    return (*varied, begins)


def _scaled(scheme: Scheme, values: Drawn) -> Scheme:
    """Return a scheme with the habits that the family makes stronger or weaker."""
    habits = {
        habit: min(getattr(scheme, habit) * float(values[parameter.name]), parameter.limit)
        for parameter in load_family().parameters
        for habit in parameter.scales
    }
    habits["surge"] = max(habits["surge"], 1.0) if scheme.surge > 1.0 else 1.0
    return replace(scheme, **habits)


def _with_decoys(scheme: Scheme, buys: bool, values: Drawn) -> Scheme:
    if not buys or scheme.rate <= 0:
        return replace(scheme, decoy_days=0)
    life = scheme.rotation_days or 90.0
    days = min(int(values["decoy_days"]), int(MOST_OF_A_LIFE * life))
    return replace(scheme, decoy_days=days, cover=scheme.cover + DECOY_COVER)


def _inspection(base: Inspection, values: Drawn, rng: np.random.Generator) -> dict[str, Any]:
    """Return the tells that the regime looks at, with weights of its own, and the time that its results take."""
    names, usual = list(base.rules), {name: weight or 0.4 for name, weight in base.rules.items()}
    weights = {name: usual[name] * math.exp(0.4 * rng.standard_normal()) for name in names}
    seen = set(rng.permutation(names)[: int(values["rules"])].tolist())
    rules = {name: weight if name in seen else 0.0 for name, weight in weights.items()}
    return {"rules": rules, "delay_days": [base.delay_days[0], int(values["delay"])]}


def _missing(base: Missing, factor: float) -> dict[str, float]:
    """Return how often fields are left empty; codes of products are rare in any world."""
    apart = {"product_code", "careless_share"}
    return {name: min(share * factor, 0.9) for name, share in vars(base).items() if name not in apart}
