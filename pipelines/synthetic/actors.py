"""Illicit actors, their identities, and the change of identities over time or after a seizure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic.draws import Flags, Floats, Ints
from pipelines.synthetic.identities import identities_of
from pipelines.synthetic.sellers import Premises
from pipelines.synthetic.senders import (
    Senders,
)
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import Scheme, World


@dataclass
class Roster:
    """Slots in which actors use one identity after another; the only state of the world that reacts."""

    identities: Senders
    scheme: Ints  # of each slot
    actor: Ints
    strength: Floats
    first: Ints  # of each slot: its first identity; the following ones are its spares
    spares: Ints
    generation: Ints
    born: Ints
    ready: Ints
    schemes: tuple[Scheme, ...]

    def current(self) -> Ints:
        """Return the identity in use in each slot."""
        return self.first + np.minimum(self.generation, self.spares - 1)

    def turn_over(self, day: int, rng: np.random.Generator) -> None:
        """Replace identities whose time is over."""
        days = np.array([scheme.rotation_days for scheme in self.schemes])[self.scheme]
        chance = np.divide(1.0, days, out=np.zeros(len(days)), where=days > 0)
        self._renew(rng.random(len(days)) < chance, day, rng)

    def abandon(self, identities: Ints, share: float, day: int, rng: np.random.Generator) -> None:
        """Give up some of the identities known to have lost goods; the next one appears after a few days."""
        burnt = np.isin(self.current(), identities)
        self._renew(burnt & (rng.random(len(burnt)) < share), day + 1, rng)

    def pull(self, scheme: int, day: int, pulse: Floats, lawful: bool) -> Floats:
        """Return the share of a scheme's consignments that each slot sends on a day."""
        habits, age = self.schemes[scheme], day - self.born
        active = (self.scheme == scheme) & (age >= 0) & (day >= self.ready)
        surge = np.where(age < 7, habits.surge, 1.0)
        pull: Floats = self.strength * pulse * surge
        if habits.decoy_days:
            young = age < habits.decoy_days
            pull = pull * np.where(young, 3.0 if lawful else 0.0, 0.5 if lawful else 1.0)
        wanted = pull * active
        return np.asarray(wanted if wanted.sum() > 0 else self.strength * (self.scheme == scheme))

    def _renew(self, slots: Flags, day: int, rng: np.random.Generator) -> None:
        pause = rng.integers(0, 4, len(slots))
        self.generation[slots] += 1
        self.born[slots] = (day + pause)[slots]
        self.ready[slots] = (day + pause)[slots]


def recruit(
    world: World, goods: Goods, where: Premises, base: int, days: int, per_day: int, rng: np.random.Generator
) -> Roster:
    """Create every illicit actor of a world of this length and volume, with identities enough to last."""
    plan = [slot for scheme in range(len(world.schemes)) for slot in _slots(world, scheme, days, per_day)]
    scheme, actor, spares = (np.array(column, dtype=np.int64) for column in zip(*plan, strict=True))
    actor = np.cumsum(np.concatenate([[0], (np.diff(actor) != 0) | (np.diff(scheme) != 0)])).astype(np.int64)
    owner = np.repeat(np.arange(len(plan)), spares)
    identities = identities_of(world, goods, where, base, scheme[owner], actor[owner], rng)
    power = np.exp(rng.normal(0, 0.6, int(actor.max()) + 1))[actor]
    life = np.array([part.rotation_days or 200.0 for part in world.schemes])[scheme]
    start = np.array([part.start * days for part in world.schemes])[scheme]
    arrival = np.where(rng.random(len(plan)) < 0.75, -rng.random(len(plan)) * life, rng.random(len(plan)) * days * 0.6)
    born = np.where(start > 0, np.ceil(start) + rng.integers(0, 3, len(plan)), np.floor(arrival)).astype(np.int64)
    return Roster(
        identities=identities,
        scheme=scheme,
        actor=actor,
        strength=power * np.exp(rng.normal(0, 0.5, len(plan))),
        first=np.concatenate([[0], np.cumsum(spares)[:-1]]).astype(np.int64),
        spares=spares,
        generation=np.zeros(len(plan), dtype=np.int64),
        born=born,
        ready=born.copy(),
        schemes=world.schemes,
    )


def _slots(world: World, scheme: int, days: int, per_day: int) -> list[tuple[int, int, int]]:
    """Return (scheme, actor, identities to prepare) for each slot."""
    habits = world.schemes[scheme]
    if habits.rate <= 0:
        return []
    share = habits.share / sum(other.share for other in world.schemes)
    actors = max(2, round(world.illicit_prevalence * per_day * share / habits.rate))
    life = min(habits.rotation_days or 90.0, 60.0)
    spares = 3 + int(np.ceil(1.8 * days * (1 - habits.start) / life))
    return [(scheme, actor, spares) for actor in range(actors) for _ in range(habits.slots)]
