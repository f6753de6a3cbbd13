"""The true consignments of a day, before anything is declared: senders, goods and addressees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from pipelines.synthetic.draws import DAILY, Flags, Floats, Ints, mix, pick, sums, unit, weighted
from pipelines.synthetic.receivers import Recipients, is_receiving, recipients
from pipelines.synthetic.senders import BUSINESS, PRIVATE, Senders
from pipelines.synthetic.sources import Population, sources
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import World

THRESHOLDS = (22.0, 45.0, 150.0)  # below which duties, taxes or papers are saved, in EUR
ANY_SLOT = np.array([0.40, 0.22, 0.15, 0.10, 0.08, 0.05])


@dataclass(frozen=True)
class Orders:
    """The true consignments of a day, one entry each, and their goods lines (`of` = the consignment's entry)."""

    senders: Senders
    sender: Ints  # place among honest sellers, or after them among identities; -1 for private senders
    scheme: Ints  # of the sender's actor, or casual; -1 is honest
    illicit: Flags
    to: Recipients
    probe: Ints  # which threshold a prober is at
    of: Ints
    line_no: Ints
    goods: Ints
    quantity: Ints
    unit_eur: Floats
    net_kg: Floats

    def __len__(self) -> int:
        return len(self.sender)


def volumes(world: World, start: date, days: int, per_day: int) -> Ints:
    """Return the consignments of each day: seasonal variation around the requested mean."""
    calendar = [start + timedelta(days=day) for day in range(days)]
    shape = np.array([world.flow.weekdays[day.weekday()] * world.flow.months[day.month - 1] for day in calendar])
    return np.asarray(np.maximum(np.rint(shape / shape.mean() * per_day), 1), dtype=np.int64)


def prevalence(world: World, day: int) -> float:
    """Return the share of illicit consignments on a day."""
    drifted = 0 <= world.drift.day <= day
    return min(world.illicit_prevalence * (world.drift.prevalence_factor if drifted else 1.0), 0.5)


def orders(
    world: World, goods: Goods, population: Population, day: int, days: int, count: int, rng: np.random.Generator
) -> Orders:
    """Draw a day."""
    scheme, illicit = _intents(world, day, days, count, rng)
    senders, sender = sources(world, goods, population, scheme, illicit, day, rng)
    order = np.argsort(mix(senders.ids, DAILY + day), kind="stable")
    senders, sender, scheme, illicit = senders.take(order), sender[order], scheme[order], illicit[order]
    buyer = _buyers(world, population, senders, scheme, illicit, day, rng)
    to = recipients(world, population.per_day, scheme, buyer, population.buyer_base, day, rng)
    of, line_no = _lines(world, senders, rng)
    kind = _kinds(world, goods, senders, scheme, illicit, of, rng)
    quantity = _quantities(world, goods, senders, scheme, illicit, of, kind, rng)
    unit_eur = goods.unit_eur[kind] * senders.price[of] * np.exp(rng.normal(0, 0.35, len(of)))
    unit_eur = unit_eur * _below_thresholds(world, senders, scheme, sums(of, quantity * unit_eur, len(scheme)))[of]
    net = quantity * goods.unit_kg[kind] * np.exp(rng.normal(0, 0.15, len(of)))
    return Orders(
        senders=senders,
        sender=sender,
        scheme=scheme,
        illicit=illicit,
        to=to,
        probe=_probe_steps(population, sender, day),
        of=of,
        line_no=line_no,
        goods=kind,
        quantity=quantity,
        unit_eur=unit_eur,
        net_kg=net,
    )


def _intents(world: World, day: int, days: int, count: int, rng: np.random.Generator) -> tuple[Ints, Flags]:
    """Draw the scheme of each consignment (-1 honest) and whether it is illicit or the scheme's lawful cover."""
    shares, rate = np.array(world.shares(day, days)), prevalence(world, day)
    illicit = rng.random(count) < rate
    scheme = np.full(count, -1, dtype=np.int64)
    scheme[illicit] = weighted(rng, shares, int(illicit.sum()))
    cover = np.array([part.cover for part in world.schemes]) * shares * rate / (1 - rate)
    covering = ~illicit & (rng.random(count) < cover.sum())
    if covering.any():
        scheme[covering] = weighted(rng, cover, int(covering.sum()))
    return scheme, illicit


def _buyers(
    world: World,
    population: Population,
    senders: Senders,
    scheme: Ints,
    illicit: Flags,
    day: int,
    rng: np.random.Generator,
) -> Ints:
    """Draw buyers: a heavy-tailed public, a seller's regulars, and the closed circles of some schemes."""
    count = len(senders)
    public = (population.buyers * rng.random(count) ** 1.6).astype(np.int64)
    circle = (mix(senders.ids * 8 + rng.integers(0, 5, count), 211) >> np.uint64(20)).astype(
        np.int64
    ) % population.buyers
    buyer = np.where(rng.random(count) < world.honest.repeat_share, circle, public)
    twin = (
        (senders.ids[1:] == senders.ids[:-1]) & (rng.random(count - 1) < world.honest.same_day_share) & (scheme[1:] < 0)
    )
    buyer[1:][twin] = buyer[:-1][twin]
    ring = np.array([part.buyers for part in world.schemes])
    split = np.array([part.split for part in world.schemes])
    closed = illicit & (ring[scheme] > 0)
    rank = np.arange(count) - np.searchsorted(_runs(senders.ids), _runs(senders.ids), side="left")
    order = senders.actor * 4096 + (rank // np.maximum(split[scheme], 1) + 7 * day) % np.maximum(ring[scheme], 1)
    buyer = np.where(closed, population.buyers + 10 + order, buyer)
    return buyer


def _runs(ids: Ints) -> Ints:
    """Number the runs of equal neighbours."""
    return np.cumsum(np.concatenate([[0], ids[1:] != ids[:-1]])).astype(np.int64)


def _lines(world: World, senders: Senders, rng: np.random.Generator) -> tuple[Ints, Ints]:
    lines = 1 + weighted(rng, np.array(world.flow.line_counts), len(senders))
    of = np.repeat(np.arange(len(senders), dtype=np.int64), lines)
    first = np.repeat(np.cumsum(lines) - lines, lines)
    return of, np.arange(len(of), dtype=np.int64) - first + 1


def _kinds(
    world: World, goods: Goods, senders: Senders, scheme: Ints, illicit: Flags, of: Ints, rng: np.random.Generator
) -> Ints:
    """Draw kinds of goods from the sender's stock; private and half of the cover consignments from all goods."""
    stocked = senders.stock[of, weighted(rng, ANY_SLOT, len(of))]
    anything = weighted(rng, goods.share, len(of))
    private = (senders.kind[of] == PRIVATE) & (scheme[of] < 0)
    cover = (scheme[of] >= 0) & ~illicit[of] & (rng.random(len(of)) < 0.5)
    kind = np.where(private | cover, anything, stocked)
    receiving = np.array([is_receiving(part) for part in world.schemes])
    for number in np.flatnonzero(receiving).tolist():
        wanted = illicit[of] & (scheme[of] == number)
        stocked[wanted] = weighted(rng, goods.appeal(world.schemes[number].goods), int(wanted.sum()))
        private &= ~wanted
    papers = private & (rng.random(len(of)) < 0.12)
    return np.where(papers, goods.document, kind)


def _quantities(
    world: World,
    goods: Goods,
    senders: Senders,
    scheme: Ints,
    illicit: Flags,
    of: Ints,
    kind: Ints,
    rng: np.random.Generator,
) -> Ints:
    factor = np.array([part.quantity_factor for part in world.schemes])
    usual = goods.quantity[kind] * np.where(illicit[of] & (scheme[of] >= 0), factor[scheme[of]], 1.0)
    bulk = np.where(rng.random(len(of)) < 0.02, 5.0, 1.0) * np.where(senders.kind[of] == BUSINESS, 1.5, 1.0)
    return np.asarray(1 + rng.poisson(np.maximum(usual * bulk - 1, 0.02)))


def _probe_steps(population: Population, sender: Ints, day: int) -> Ints:
    """Return the step of each prober, which advances every few days and with each new identity."""
    roster, steps = population.roster, np.zeros(len(population.roster.identities), dtype=np.int64)
    steps[roster.current()] = np.maximum(day - roster.born, 0) // 4 + roster.generation
    known = sender >= len(population.honest)
    return np.where(known, steps[np.where(known, sender - len(population.honest), 0)], pick(sender, 221, 4))


def _below_thresholds(world: World, senders: Senders, scheme: Ints, total: Floats) -> Floats:
    """Return the factor by which honest sellers who price below a threshold stay there, from up to twice it."""
    factor = np.ones(len(senders))
    careful = (scheme < 0) & (unit(senders.ids, 70) < world.honest.threshold_share)
    for threshold in THRESHOLDS:
        over = careful & (total > threshold) & (total < 2 * threshold)
        factor[over] = 0.93 * threshold / total[over]
    return factor
