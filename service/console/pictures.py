"""Pictures as plain SVG, made here: no script draws them, and what they say stands in a table beside them too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BARS = 9
WIDTH, ROW, LABEL = 720, 26, 300
RADIUS, NODE = 190, 9


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of a waterfall: from where to where, in pixels, and what it says."""

    label: str
    x: float
    width: float
    y: int
    text: str
    rises: bool | None  # none for where it begins and ends


@dataclass(frozen=True, slots=True)
class Waterfall:
    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH


def waterfall(expected: float, shares: Sequence[tuple[str, float]], first: str, rest: str, last: str) -> Waterfall:
    """From an ordinary consignment to this one: the strongest contributions, then all others as one step."""
    strongest = sorted(shares, key=lambda share: -abs(share[1]))
    steps = [*strongest[:BARS]]
    if strongest[BARS:]:
        steps.append((rest, sum(value for _, value in strongest[BARS:])))
    edges = [expected]
    for _, value in steps:
        edges.append(edges[-1] + value)
    low, high = min(*edges, 0.0), max(*edges, 0.0)
    scale = (WIDTH - LABEL - 90) / max(high - low, 1e-9)

    def place(value: float) -> float:
        return round(LABEL + (value - low) * scale, 1)

    bars = [Bar(first, place(expected) - 2, 4, 0, f"{expected:+.2f}", None)]
    for number, ((label, value), before, after) in enumerate(zip(steps, edges[:-1], edges[1:], strict=True), 1):
        x = place(min(before, after))
        width = max(1.0, round(abs(value) * scale, 1))
        bars.append(Bar(label, x, width, number * ROW, f"{value:+.2f}", value > 0))
    bars.append(Bar(last, place(edges[-1]) - 2, 4, (len(steps) + 1) * ROW, f"{edges[-1]:+.2f}", None))
    return Waterfall(tuple(bars), (len(bars)) * ROW)


@dataclass(frozen=True, slots=True)
class Node:
    code: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Web:
    """Parties on a circle and the links between them, as (x1, y1, x2, y2, bits)."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[float, float, float, float, int], ...]
    size: int = 2 * RADIUS + 80


def web(network: Mapping[str, Any], at_most: int = 40) -> Web:
    """The picture of a network: its first parties; who is most linked stands where the circle begins."""
    degree: dict[str, int] = {}
    for link in network["links"]:
        for end in (link["one"], link["other"]):
            degree[end] = degree.get(end, 0) + 1
    codes = [party["party_id"] for party in network["parties"]]
    codes = sorted(codes, key=lambda code: -degree.get(code, 0))[:at_most]
    middle = RADIUS + 40
    nodes = {
        code: Node(
            code,
            round(middle + RADIUS * math.sin(2 * math.pi * i / len(codes)), 1),
            round(middle - RADIUS * math.cos(2 * math.pi * i / len(codes)), 1),
        )
        for i, code in enumerate(codes)
    }
    lines = [
        (nodes[link["one"]].x, nodes[link["one"]].y, nodes[link["other"]].x, nodes[link["other"]].y, link["bits"])
        for link in network["links"]
        if link["one"] in nodes and link["other"] in nodes
    ]
    return Web(tuple(nodes.values()), tuple(lines))
