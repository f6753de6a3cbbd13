"""Indicators: what is odd about a consignment, in points, for as long as no model scores it.

While no model serves, the physical checks that rules leave are drawn by weight: each point doubles the weight, so that
what is oddest is nearly certain and nothing is excluded. A batch uses all of them. The chance of each draw is on
record, as for exploration: what is found teaches the first model without the bias of a ranking that nobody has proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.algebra.tables import anywhere
from features.messages.read_message import Competing
from service.orientation.columns import Bools, Floats, Ints, Known
from service.orientation.draws import Draws
from service.orientation.even_draw import filled, taken_evenly
from service.orientation.exploration import Exploration
from service.orientation.lanes import Lane
from service.orientation.periods import Periods
from service.orientation.policy_sections import PolicyFault, above_zero, section_of, share, whole
from service.orientation.rule_conditions import Kind
from service.orientation.rules import Rule, read_rule

MEAN_WEIGHT = 2.0  # of an ordinary day, without points for nine consignments in ten; a batch sees its own
MOST_POINTS = 20


@dataclass(frozen=True, slots=True)
class Indicator:
    """A condition that counts so many points where it holds; its rule asks for no lane."""

    rule: Rule
    points: int


@dataclass(frozen=True, slots=True)
class Indicators:
    """The indicators of a policy, and how the checks that rules leave are drawn by them.

    draw: the share of the physical checks of each office and day, and the mean weight of its consignments.
    """

    listed: tuple[Indicator, ...] = ()
    draw: Exploration = field(default_factory=Exploration)

    def holding(self, known: Known) -> tuple[Ints, dict[int, list[str]]]:
        """Return the points of each consignment, and by row the codes that they come from, most points first."""
        points, codes = np.zeros(len(known), np.int64), dict[int, list[str]]()
        for indicator in sorted(self.listed, key=lambda each: -each.points):
            holds = indicator.rule.holds(known)
            if not anywhere(holds):
                continue
            points = np.where(holds, points + indicator.points, points)
            for row in np.flatnonzero(holds).tolist():
                codes.setdefault(row, []).append(indicator.rule.code)
        return points, codes

    def weights(self, points: Ints, aside: Bools) -> Floats:
        """Return the weight of each consignment: 1, doubled by each point. aside: rows that do not compete."""
        return np.where(aside, 0.0, np.ldexp(1.0, points))  # exact: the same bits everywhere

    def chance(self, competing: Competing, weight: Floats, sent: Bools, days: Ints, periods: Periods) -> Floats:
        """Return the probability of each consignment to be drawn by itself, whatever becomes of the others.

        sent: rows that a rule sends to a physical check anyway: they do not compete, and in a batch their checks are
        set aside before anything is drawn.
        """
        aside = periods.count(sent) if competing == "message" else np.zeros(len(weight), np.int64)
        return self.draw.chance(competing, weight, days, periods, aside)

    def drawn_evenly(
        self, weight: Floats, aside: Bools, random: Bools, draws: Draws, days: Ints, periods: Periods
    ) -> tuple[Floats, Bools]:
        """Return the probability of each consignment of a batch to be drawn, and those that are: all checks are used.

        aside: rows whose checks are set aside. random: rows that are drawn blindly, and take checks too.
        """
        left = periods.left["physical"] - periods.count(aside | random)
        checks = self.draw.share_on_days(days) * np.maximum(left, 0)
        competes = (weight > 0) & ~random
        chance = filled(weight, competes, checks, periods)
        return chance, taken_evenly(chance, competes, draws.tie, draws.second_draw, periods)


def read_indicators(written: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Indicators:
    """Read `[start]` and `[[indicators]]`; raises PolicyFault naming the indicator and the key at fault."""
    section = section_of(written, "start", {"share", "mean_weight"})
    tables = written.get("indicators", [])
    if not isinstance(tables, list):
        raise PolicyFault("indicators: each needs a table of its own under [[indicators]]")
    listed = tuple(_indicator(table, kinds) for table in tables)
    codes = [indicator.rule.code for indicator in listed]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise PolicyFault(f"indicator {twice[0]}: two indicators have the same code")
    mean = above_zero(section, "start.mean_weight", MEAN_WEIGHT)
    return Indicators(listed, Exploration(share(section, "start.share", 0.0), mean_weight=mean))


def _indicator(written: Any, kinds: Mapping[str, Kind]) -> Indicator:
    if not isinstance(written, Mapping):
        raise PolicyFault("indicators: each needs a table of its own under [[indicators]]")
    code = written.get("code", "?")
    for key in ("lane", "track"):
        if key in written:
            raise PolicyFault(f"indicator {code}: has points and no {key}; a rule under [[rules]] asks for a {key}")
    points = whole(written, f"indicator {code}.points", None, least=1)
    if points > MOST_POINTS:
        raise PolicyFault(f"indicator {code}.points: needs a whole number up to {MOST_POINTS}")
    of_rule = {key: value for key, value in written.items() if key != "points"} | {"lane": Lane.green.name}
    return Indicator(read_rule(of_rule, kinds), points)


def texts_of(indicators: Sequence[Indicator]) -> dict[str, Mapping[str, str]]:
    """Return the sentence of each indicator by its code, in every language it has."""
    return {indicator.rule.code: indicator.rule.reason for indicator in indicators}
