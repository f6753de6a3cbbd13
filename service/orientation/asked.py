"""What chance, rules and rank ask for, before capacity is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from features.algebra import Text
from features.algebra.tables import anywhere
from service.orientation.columns import Bools, Floats, Ints
from service.orientation.draws import Draws


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for each consignment, and what it rests on.

    margin, risk, share_below, band: of the score; NaN and UNKNOWN without one. network: of the sender, or its party.
    behind: see Campaigns.places. rank, of: within the message or an ordinary day; UNKNOWN without a score.
    rule_check, rule_early, rule_track, rule_codes: what rules ask for, codes by row. usual_check: what the rank asks
    for by itself. rank_check: what risk asks for. ahead, to_come: see `paced`; none within a message. weight,
    explorable: of exploration, or of indicators where no model scores. random, explored: drawn, blindly or by weight.
    withdrawn: nothing is expected of it. indicators: by row, the codes of those that hold, where no model scores.
    by_kind: the chance of each kind of finding, where the model states any. low, high: bounds of the risk; NaN without.
    reserved: by row, the kind for which a check is reserved. first: these rows, which go before the rank.
    """

    margin: Floats
    risk: Floats
    share_below: Floats
    band: Ints
    network: Text
    withdrawn: Bools
    draws: Draws
    rule_check: Ints
    rule_early: Ints
    rule_track: Ints
    rule_codes: Mapping[int, Sequence[str]]
    behind: Ints
    rank: Ints
    of: Ints
    ahead: Floats | None
    to_come: Floats | None
    usual_check: Ints
    rank_check: Ints
    weight: Floats
    explorable: Floats
    random: Bools
    explored: Bools
    indicators: Mapping[int, Sequence[str]] = field(default_factory=dict)
    by_kind: Mapping[str, Floats] = field(default_factory=dict)
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    reserved: Mapping[int, str] = field(default_factory=dict)
    first: Bools | None = None

    def without(self, which: Bools) -> Asked:
        """Clear every request for these: withdrawn declarations, and those already sent to the strictest check."""
        if not anywhere(which):
            return self
        return replace(
            self,
            rule_check=np.where(which, 0, self.rule_check),
            rank_check=np.where(which, 0, self.rank_check),
            usual_check=np.where(which, 0, self.usual_check),
            random=self.random & ~which,
            explored=self.explored & ~which,
            explorable=np.where(which, 0.0, self.explorable),
        )
