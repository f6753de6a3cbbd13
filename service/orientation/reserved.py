"""Checks reserved for a kind of finding: a dog, a laboratory, a team that looks for nothing else.

Of an office's physical checks in a day or shift, so many go to what is likeliest of the kind, before the rank of the
overall risk takes the rest. What chance and rules have taken comes first, and what a kind leaves over within a batch
goes to the others; below the least risk that the policy looks at, a chance of the kind reserves nothing. Calls come one
by one: there, how a consignment ranks among those of its kind is told by its rank and by the share that the kind has
among findings, and its checks are kept for it all day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from features.algebra.tables import anywhere
from features.finding_kinds import CODE
from features.messages.read_message import Competing
from service.orientation.asked import Asked
from service.orientation.campaigns import ranks_within
from service.orientation.columns import UNKNOWN, Bools, Floats, Ints
from service.orientation.lanes import PHYSICAL
from service.orientation.periods import Periods
from service.orientation.policy_sections import PolicyFault, section_of, whole

DEFAULT = "default"
RESERVED = {
    "en": "Checks are reserved for what is likeliest of this kind",
    "fr": "Des contrôles sont réservés à ce qui relève le plus probablement de cette nature",
    "zh": "为最可能属于该类的货物预留查验",
}
Checks = Mapping[str, int]  # by kind of finding


@dataclass(frozen=True, slots=True)
class Reserved:
    """Physical checks of a day or shift that are reserved, by office and kind; `default` for offices not named."""

    offices: Mapping[str, Checks] = field(default_factory=dict)

    def of(self, office: str) -> Checks:
        """Return the checks of an office that are reserved, by kind."""
        return self.offices.get(office, self.offices.get(DEFAULT, {}))

    def of_each(self, kind: str, periods: Periods) -> Ints:
        """Return for each row the checks of its period that are reserved for a kind."""
        return np.array([self.of(period.office).get(kind, 0) for period in periods.each], np.int64)[periods.of]

    def kept(self, kinds: Collection[str], periods: Periods) -> Ints:
        """Return for each row how many checks of its period are reserved for any of the kinds that a model states."""
        each = [sum(n for kind, n in self.of(period.office).items() if kind in kinds) for period in periods.each]
        return np.array(each, np.int64)[periods.of]

    def asked(
        self, asked: Asked, periods: Periods, least_risk: float, competing: Competing, shares: Mapping[str, float]
    ) -> Asked:
        """Ask for a physical check for what is likeliest of each kind; shares: of the kinds, among all findings.

        A kind of which the model states no chance reserves nothing.
        """
        reserved: dict[int, str] = {}
        sent = asked.random | asked.explored | (asked.rule_check >= PHYSICAL) | asked.withdrawn
        free = ~sent
        for kind in sorted({kind for checks in self.offices.values() for kind in checks} & asked.by_kind.keys()):
            quota, chance = self.of_each(kind, periods), asked.by_kind[kind]
            among = free & (chance > 0) & (chance >= least_risk) & (quota > 0)
            if not anywhere(among):
                continue
            if competing == "message":
                chosen = among & (_places(among, chance, asked, periods) <= quota)
            else:
                place = np.where(asked.rank == UNKNOWN, np.inf, asked.rank * shares[kind])
                chosen = among & _is_main(kind, asked.by_kind) & (place <= quota)
            free &= ~chosen
            reserved |= dict.fromkeys(np.flatnonzero(chosen).tolist(), kind)
        if not reserved:
            return asked
        rows = np.zeros(len(asked.risk), np.bool_)
        rows[list(reserved)] = True
        rank_check, usual = (np.where(rows, PHYSICAL, each) for each in (asked.rank_check, asked.usual_check))
        return replace(asked, rank_check=rank_check, usual_check=usual, reserved=reserved, first=rows)


def _places(among: Bools, chance: Floats, asked: Asked, periods: Periods) -> Ints:
    """Return the place of each row of a period by its chance, from 1; those that do not count come last."""
    return ranks_within(periods.of, np.where(among, chance, -1.0), asked.draws.tie)


def _is_main(kind: str, by_kind: Mapping[str, Floats]) -> Bools:
    likeliest = np.max(np.stack(list(by_kind.values())), axis=0)
    main: Bools = by_kind[kind] * 2 >= likeliest
    return main


def read_reserved(written: Mapping[str, Any]) -> Reserved:
    """Read `[reserved.OFFICE]` of a policy: kinds of finding with numbers of checks; raises PolicyFault."""
    offices: dict[str, Checks] = {}
    for office in section_of(written, "reserved"):
        section = section_of(written["reserved"], office)
        for kind in section:
            if CODE.fullmatch(kind) is None:
                raise PolicyFault(f"reserved.{office}: {kind!r} is no kind of finding")
        offices[office] = {kind: whole(section, f"reserved.{office}.{kind}", None) for kind in section}
    return Reserved(offices)
