"""Drawings for the report: inline SVG made of numbers, coloured by the page's style sheet, patterned for grey print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

LANES = ("red", "yellow", "blue", "green")
PART = Markup('<rect class="part-{}" x="{:.3f}%" width="{:.3f}%" height="100%"/>')
PATTERNS = Markup(
    '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="on-yellow" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="fill-yellow" width="6" height="6"/><rect class="mark" width="2" height="6"/></pattern>'
    '<pattern id="on-blue" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="fill-blue" width="6" height="6"/><circle class="mark" cx="3" cy="3" r="1.3"/></pattern>'
    "</defs></svg>"
)


@dataclass(frozen=True, slots=True)
class Plot:
    """The inner field of a chart, in the units of its view box."""

    width: int
    height: int = 250
    left: int = 46
    right: int = 8
    top: int = 22
    bottom: int = 42

    @property
    def base(self) -> float:
        return float(self.height - self.bottom)

    def x(self, share: float) -> float:
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        return self.base - share * (self.base - self.top)


def share_bar(share: float) -> Markup:
    """A short bar from none to all; it only repeats the number beside it."""
    width = 100 * min(1.0, max(0.0, share))
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect class="rail" width="100%" height="100%"/>'
        '<rect class="fill-ink" width="{:.2f}%" height="100%"/></svg>'
    ).format(width)


def lane_bar(counts: Mapping[str, int], whole: int, lanes: Sequence[str] = LANES) -> Markup:
    """Lanes one after the other, as parts of `whole`; it only repeats the numbers beside it."""
    parts, start = [], 0.0
    for lane in lanes:
        width = 100 * counts.get(lane, 0) / whole if whole else 0.0
        if width:
            parts.append(PART.format(lane, start, width))
        start += width
    rail = Markup('<rect class="rail" width="100%" height="100%"/>')
    return Markup('<svg class="bar lanes" aria-hidden="true">{}{}</svg>').format(rail, Markup().join(parts))


def histogram(every: Sequence[int], checked: Sequence[int], plot: Plot, title: str) -> Markup:
    """Counts in equal bins of risk from 0 to 1 on a logarithmic scale; inside each bar those that will be checked."""
    most = max([*every, 1])
    decades = range(max(1, math.ceil(math.log10(most))) + 1)
    parts = [*(_gridline(10**d, most, plot) for d in decades if 10**d <= most), *_risk_axis(len(every), plot)]
    for i, (count, of_which) in enumerate(zip(every, checked, strict=True)):
        left, right = plot.x(i / len(every)) + 1, plot.x((i + 1) / len(every)) - 1
        inset = (right - left) * 0.28
        parts.append(_column(count, most, left, right, plot, "all"))
        parts.append(_column(of_which, most, left + inset, right - inset, plot, "checked"))
        parts.append(_count(count, most, (left + right) / 2, plot))
    parts.append(_text((plot.left + plot.width) / 2, plot.height - 4, "middle", "risk"))
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        plot.width, plot.height, title, Markup().join(parts)
    )


def _risen(count: int, most: int) -> float:
    """The height of a count as a share of the field; a single one still shows."""
    floor = 0.35
    return 0.0 if count == 0 else (math.log10(count) + floor) / (math.log10(most) + floor)


def _column(count: int, most: int, left: float, right: float, plot: Plot, kind: str) -> Markup:
    if count == 0:
        return Markup()
    top = plot.y(_risen(count, most))
    return Markup('<rect class="column {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, left, top, right - left, plot.base - top
    )


def _count(count: int, most: int, middle: float, plot: Plot) -> Markup:
    return _text(middle, plot.y(_risen(count, most)) - 4, "middle", f"{count:,}", "value") if count else Markup()


def _gridline(count: int, most: int, plot: Plot) -> Markup:
    y = plot.y(_risen(count, most))
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
    return line.format(plot.left, plot.width - plot.right, y, y) + _text(plot.left - 6, y + 4, "end", f"{count:,}")


def _risk_axis(bins: int, plot: Plot) -> list[Markup]:
    step = 10 if bins > 10 else 20
    ends = {0: "start", 100: "end"}
    labels = [_text(plot.x(p / 100), plot.base + 16, ends.get(p, "middle"), f"{p} %") for p in range(0, 101, step)]
    axis = Markup('<line class="axis" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
    return [axis.format(plot.left, plot.width - plot.right, plot.base + 0.5, plot.base + 0.5), *labels]


def _text(x: float, y: float, anchor: str, words: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, words)
