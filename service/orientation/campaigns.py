"""Campaigns: one or two checks are evidence on a whole network, so its other consignments wait for their results.

A network lodges many consignments that look alike to the model, and a plain ranking would spend the day on them. In a
campaign only the first few of a network compete with their full rank; each further one counts for less while the
results of the first are pending. What was held back is decided again after a finding, which is then carried over to the
rest. Once a result is known it is part of the history, and the ranking takes it into account by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.algebra import Text
from features.algebra.tables import anywhere
from service.orientation.columns import UNKNOWN, Bools, Floats, Hashes, Ints, powers
from service.orientation.lanes import SCAN, Lane

LEAST_WORTH = 1e-9
FINDING = "network-finding"
FINDING_TEXT = {
    "en": "Another consignment of its network was found out since it was lodged",
    "fr": "Un autre envoi de son réseau s'est révélé en infraction depuis son dépôt",
    "zh": "申报后，其所属团伙的另一件货物已被查获",
}
HELD = {
    "en": "Others of its network are being checked; it waits for what they reveal",
    "fr": "D'autres envois de son réseau sont en cours de contrôle ; il attend leur résultat",
    "zh": "同一团伙的其他货物正在查验，等待其结果",
}
LEADS = {
    "en": "Checked for its network; what is found is carried to the others",
    "fr": "Contrôlé pour son réseau ; ce qui est trouvé vaut pour les autres",
    "zh": "代表所属团伙接受查验，结果将用于其余货物",
}


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Settings that say how far the checks of a network stand in for the rest of it.

    checks: of one network that compete with their full rank while results are pending; 0 disables campaigns.
    worth: the value of each further check of a network relative to the one before, 0 to 1.
    carried: the lane that a finding asks for, for consignments that were held back.
    """

    checks: int = 0
    worth: float = 0.25
    carried: Lane = Lane.red

    def places(self, network: Text, margin: Floats, tie: Hashes, opened: Mapping[str, int]) -> Ints:
        """Return the number of checks of its network, beyond the first, that rank before each consignment.

        UNKNOWN where it belongs to no network. opened: checks of the networks whose results are pending.
        """
        known = network.known() & ~np.isnan(margin)
        if not self.checks or not anywhere(known):
            return np.full(len(margin), UNKNOWN)
        pending = np.array([opened.get(word or "", 0) for word in network.words])
        nth = ranks_within(network.codes, margin, tie)
        return np.where(known, np.maximum(nth + pending[network.codes] - self.checks, 0), UNKNOWN)

    def lowered(self, margin: Floats, behind: Ints) -> Floats:
        """Return the margin that a consignment competes with: its odds shrink with each check that it is behind."""
        return margin + np.maximum(behind, 0) * math.log(max(self.worth, LEAST_WORTH))

    def further(self, behind: Ints) -> Floats:
        """Return the factor by which its place among a day's arrivals moves back, as top scores are as much rarer."""
        return powers(1.0 / max(self.worth, LEAST_WORTH), np.maximum(behind, 0))


def ranks_within(group: Ints, margin: Floats, tie: Hashes) -> Ints:
    """Return the rank of each row in its group, 1 for the highest margin; unknown margins come before all others."""
    order = np.lexsort((tie, np.where(np.isnan(margin), -np.inf, -margin), group))
    size = np.bincount(group)
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(1, len(group) + 1) - np.repeat(np.cumsum(size) - size, size)
    return rank


def held(behind: Ints, check: Ints) -> Bools:
    """Select consignments that wait for the checks of their network: behind them, and not opened themselves."""
    return (behind > 0) & (check < SCAN)


def leads(behind: Ints, check: Ints, network: Text) -> Bools:
    """Select consignments checked by rank as the first of a network that others wait for."""
    waited_for = np.bincount(network.codes[held(behind, check)], minlength=len(network.words)) > 0
    chosen: Bools = (behind == 0) & (check >= SCAN) & waited_for[network.codes]
    return chosen
