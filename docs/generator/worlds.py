"""The page of the family of synthetic worlds, from the table of its parameters."""

from __future__ import annotations

from docs.generator.markdown import code, page, section, table
from pipelines.synthetic.family import Parameter, load_family

INTRODUCTION = """
`tamis synth --family --seed 7` writes the seventh world of a family, and `tamis benchmark` measures over the family.
The seed draws every parameter below, and nothing else does; the same seed gives the same world, byte for byte. What
no parameter names is as in `pipelines/synthetic/world.toml`, the one world of `tamis synth` and of the demo. The ranges
stand in `pipelines/synthetic/family.toml`. How to read the benchmark is in
[Evaluation](../explanation/evaluation.md#a-family-of-worlds). What was drawn is written to `parameters.json`, beside
the truth and as secret.

`--receivers` adds, to this world or any other, four schemes of who receives (resellers at home, many names at one
house, relatives, drop points) and the honest homes that look alike (pick-up points, large buildings, homes that buy
a lot): `pipelines/synthetic/receivers.toml`.
"""
OF_SEEDS = """
What is tuned is tuned on the worlds of seeds {tuning} and reported on those of seeds {reporting}. `family.toml` names
the two, and nothing else does.
"""
OF_SCHEMES = """
One of these begins in the last third of the span, the test window, and occurs in no earlier consignment of its world.
The others may run from the start, beside the schemes of `world.toml`, each of which may be absent.
"""


def worlds_page() -> str:
    """Return the page of the family: its parameters, its schemes and its seeds."""
    family = load_family()
    heads = ["parameter", "from", "to", "meaning"]
    ranges = table(heads, ([code(p.name), *_range(p), _meaning(p)] for p in family.parameters))
    schemes = table(["scheme", "what it does"], ([code(s.name), family.words[s.name]] for s in family.schemes))
    seeds = OF_SEEDS.format(tuning=_span(family.tuning), reporting=_span(family.reporting))
    return page(
        "A family of worlds", INTRODUCTION, section("Parameters", ranges),
        section("Schemes that are held back", OF_SCHEMES.strip(), schemes),
        section("Seeds for tuning and for reporting", seeds.strip()),
    )  # fmt: skip


def _range(parameter: Parameter) -> tuple[str, str]:
    if parameter.among:
        return f"one of {len(parameter.among)}", ""
    low, high = parameter.between
    return f"{low:g}", f"{high:g}"


def _meaning(parameter: Parameter) -> str:
    how = ", even over its logarithm" if parameter.scale == "log" else ""
    none = f"; in {100 * parameter.zero:g} % of the worlds 0" if parameter.zero else ""
    words = ": " + ", ".join(code(word) for word in parameter.among) if parameter.among else ""
    return parameter.meaning + words + how + none


def _span(seeds: range) -> str:
    return f"{seeds[0]} to {seeds[-1]}"
