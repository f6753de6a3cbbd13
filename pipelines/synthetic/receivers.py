"""The receiving side: who has goods sent home for resale, and the honest homes, points and buildings that look alike.

Senders of such parcels are ordinary sellers, whom nothing gives away. What the schemes have in common is where parcels
go: to few homes, under several names, some of them with one telephone.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np

from pipelines.synthetic.draws import Flags, Ints, pick, unit
from pipelines.synthetic.world_settings import Receiving, Scheme, World, read_scheme

NAME = 40  # bits below which the number of a home stands, above which that of a name there
RESELLER, POINT, BUILDING, EAGER = (kind << 36 for kind in (1, 2, 3, 4))  # homes number from here, clear of the public
ACTOR = 12  # bits of the number of an actor's homes


@dataclass(frozen=True)
class Recipients:
    """Whom the consignments of a day are addressed to.

    home: the number of each address. name, phone: numbers of whose name and telephone are stated there. actor: the
    reseller, numbered within its scheme; -1 for everybody else.
    """

    home: Ints
    name: Ints
    phone: Ints
    actor: Ints


def with_receivers(world: World) -> World:
    """Return a world with the schemes of the receiving side beside its own, and the honest homes that look alike."""
    raw = tomllib.loads(files(__package__).joinpath("receivers.toml").read_text("utf-8"))
    schemes = tuple(read_scheme(table) for table in raw["scheme"])
    return replace(world, schemes=(*world.schemes, *schemes), receiving=Receiving(**raw["receiving"]))


def is_receiving(scheme: Scheme) -> bool:
    """Whether a scheme is one of who receives, not of who sends."""
    return scheme.homes > 0


def resellers_of(world: World, per_day: int) -> list[int]:
    """Return the number of actors of each scheme in a world of this volume; none where a scheme sends."""
    whole = sum(scheme.share for scheme in world.schemes)
    illicit = world.illicit_prevalence * per_day
    return [
        max(2, round(illicit * scheme.share / whole / scheme.receives)) if is_receiving(scheme) else 0
        for scheme in world.schemes
    ]


def recipients(
    world: World, per_day: int, scheme: Ints, buyer: Ints, base: int, day: int, rng: np.random.Generator
) -> Recipients:
    """Say who the buyers of a day are, homes of resellers and of honest look-alikes among them.

    per_day: the volume of this world. buyer: as drawn among the public. base: from which buyers of this world number.
    """
    resellers = resellers_of(world, per_day)
    nobody = np.full(len(buyer), -1, dtype=np.int64)
    if not any(resellers):
        return Recipients(base + buyer, base + buyer, base + buyer, nobody)
    home, name, phone = _look_alikes(world.receiving, per_day, buyer, scheme < 0, rng)
    actor = nobody
    for number, habits in enumerate(world.schemes):
        rows = np.flatnonzero(scheme == number)
        if is_receiving(habits) and len(rows):
            actor[rows] = rng.integers(0, resellers[number], len(rows))
            home[rows], name[rows], phone[rows] = _of_resellers(habits, number, actor[rows], day, rng)
    return Recipients(base + home, base + name, base + phone, actor)


def _of_resellers(
    habits: Scheme, scheme: int, actor: Ints, day: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return home, name and telephone of parcels to resellers: one of their homes of these days, a name used there."""
    first = RESELLER + (((scheme << 16) + actor) << ACTOR)
    moved = (day + pick(first, 401, 60)) // habits.home_days if habits.home_days else 0
    home = first + (moved * habits.homes + rng.integers(0, habits.homes, len(actor))) % (1 << ACTOR)
    used = rng.integers(0, habits.home_names, len(actor))
    name = home + (used << NAME)
    shared = unit(name, 402) < habits.share_home_phone
    return home, name, np.where(shared, first, name)


def _look_alikes(
    receiving: Receiving, per_day: int, buyer: Ints, honest: Flags, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return home, name and telephone of honest buyers: some at a point, in a building, or of an eager home."""
    lot = rng.random(len(buyer))
    points, buildings, homes = (
        max(1, round(per_day * share / receives))
        for share, receives in (
            (receiving.point_share, receiving.point_receives),
            (receiving.building_share, receiving.building_receives),
            (receiving.eager_share, receiving.eager_receives),
        )
    )
    at_point = honest & (lot < receiving.point_share)
    bounds = np.cumsum([receiving.point_share, receiving.building_share, receiving.eager_share])
    in_building = honest & ~at_point & (lot < bounds[1])
    eager = honest & (lot >= bounds[1]) & (lot < bounds[2])
    household = EAGER + pick(buyer + rng.integers(0, 1 << 30, len(buyer)), 403, homes)
    home = np.where(at_point, POINT + pick(buyer, 404, points), buyer)
    home = np.where(in_building, BUILDING + pick(buyer, 405, buildings), home)
    home = np.where(eager, household, home)
    members = 1 + pick(household, 406, receiving.eager_names)
    member = household + ((rng.random(len(buyer)) * members).astype(np.int64) << NAME)
    other = honest & ~eager & (rng.random(len(buyer)) < receiving.relative_share)
    relative = buyer + (rng.integers(1, 4, len(buyer)) << NAME)
    name = np.where(eager, member, np.where(other, relative, buyer))
    of_point = at_point & (rng.random(len(buyer)) < receiving.point_phone_share)
    of_home = eager & (unit(member, 407) < receiving.eager_phone_share)
    return home, name, np.where(of_point | of_home, home, name)
