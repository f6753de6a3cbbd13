"""The world day by day: lodge, inspect, and let illicit actors react to seizures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.synthetic.actors import recruit
from pipelines.synthetic.declaration import DeclaredLines, declare_lines
from pipelines.synthetic.declared_parties import declare_parties
from pipelines.synthetic.draws import Flags, Ints, generator
from pipelines.synthetic.faults import garbled
from pipelines.synthetic.flow import Orders, orders, volumes
from pipelines.synthetic.inspection import Presented, Record, outcomes, select
from pipelines.synthetic.lodging import amendments, lodge_day
from pipelines.synthetic.sellers import honest_sellers, premises
from pipelines.synthetic.sources import Population
from pipelines.synthetic.truth import truth_of
from pipelines.synthetic.world_goods import Goods, load_goods
from pipelines.synthetic.world_settings import World

_PARTY = ("name", "address", "city", "postcode", "country", "phone", "email", "id")
MANIFEST_COLUMNS = [
    *("message_id", "consignment_id", "version", "stream", "lodged_at", "office", "operator", "mail_class"),
    *("transport_id", "dispatch_country", "transit_countries", "destination_country", "nature", "ioss"),
    *("gross_mass_kg", "packages", "postage"),
    *(f"consignor_{part}" for part in _PARTY),
    *(f"consignee_{part}" for part in _PARTY),
    *("platform", "seller_account", "seller_url", "line_no", "description", "hs_code", "quantity", "net_mass_kg"),
    *("value", "currency", "goods_origin_country", "product_code"),
]

ENTITIES = 1 << 40  # honest sellers, identities, forwarders and buyers number from far apart, on a base of the seed


@dataclass(frozen=True)
class Lodged:
    """One day: manifest, truth, and results of inspections."""

    day: date
    manifest: pl.DataFrame
    truth: pl.DataFrame
    outcomes: pl.DataFrame


class Simulation:
    """A world that advances one day at a time; `seize` makes its actors react to inspections."""

    def __init__(self, world: World, days: int, per_day: int, seed: int, start: date) -> None:
        self.world, self.days, self.start = world, days, start
        self.goods: Goods = load_goods()
        self.volumes = volumes(world, start, days, per_day)
        self.seed = np.random.SeedSequence(seed)
        self.population = self._populate(per_day)
        self._born_with = int(generator(self.seed, 5).integers(1 << 32))
        self.record = Record.blank(len(self.population.honest) + len(self.population.roster.identities))
        self.today, self.issued = 0, 0
        self.presented: Presented | None = None  # the latest day, for whoever inspects it in the regime's place
        self._amended: list[pl.DataFrame] = []
        self._due = np.empty((0, 3), dtype=np.int64)  # day known, sender, detected or not
        self._whose: dict[str, int] = {}

    def _populate(self, per_day: int) -> Population:
        base = int(generator(self.seed, 0).integers(1 << 20, 1 << 32))
        volume = int(self.volumes.sum())
        expected = max(400, round(self.world.honest.sellers_per_consignment * volume))
        where = premises(self.world, base + 3 * ENTITIES, expected)
        honest = honest_sellers(self.world, self.goods, where, base + ENTITIES, self.days, volume)
        recruits = recruit(
            self.world, self.goods, where, base + 2 * ENTITIES, self.days, per_day, generator(self.seed, 1)
        )
        buyers = max(500, round(self.world.honest.buyers_per_consignment * volume))
        return Population(honest, recruits, buyers, base + 4 * ENTITIES, base + 1024 * ENTITIES, per_day)

    def lodge(self, inspect: bool = True) -> Lodged:
        """Advance by one day; with `inspect` the historical regime selects and its results make actors react."""
        day, rng = self.today, generator(self.seed, 2, self.today)
        calendar = self.start + timedelta(days=day)
        self._react(day)
        true = orders(self.world, self.goods, self.population, day, self.days, int(self.volumes[day]), rng)
        lines = declare_lines(self.world, self.goods, true, day, rng)
        parties = declare_parties(self.world, true, self.goods.document, day, rng)
        parties, lines = garbled(self.world, true, parties, lines, day, self.days)
        declared = lodge_day(self.world, true, parties, calendar, self.issued, rng)
        truth = truth_of(self.world, true, declared["consignment_id"], self._born_with, rng)
        self._remember(true, declared)
        self.presented = Presented(self.world, self.goods, true, lines, declared)
        results = self._inspect(self.presented, truth, day) if inspect else pl.DataFrame()
        self.today, self.issued = day + 1, self.issued + len(true)
        return Lodged(calendar, self._manifest(lines, declared, calendar, rng), truth, results)

    def seize(self, consignment_ids: list[str], known_on: date) -> None:
        """Mark these consignments as detected: from that day their senders know."""
        senders = [self._whose[number] for number in consignment_ids if number in self._whose]
        known = np.full(len(senders), (known_on - self.start).days, dtype=np.int64)
        self._expect(known, np.array(senders, dtype=np.int64), np.ones(len(senders), dtype=np.bool_))

    def _expect(self, known: Ints, sender: Ints, hit: Flags) -> None:
        """Queue future results on these senders; private ones are never seen again."""
        kept = sender >= 0
        self._due = np.concatenate([self._due, np.stack([known, sender, hit.astype(np.int64)], axis=1)[kept]])

    def _inspect(self, case: Presented, truth: pl.DataFrame, day: int) -> pl.DataFrame:
        rng, true = generator(self.seed, 3, day), case.orders
        chosen = select(case, self.record, day, rng)
        results = outcomes(case, truth, chosen, rng)
        known = (results["known_at"].dt.date() - self.start).dt.total_days().to_numpy().astype(np.int64)
        hit = (results["result"] == "non_compliant").to_numpy()
        self._expect(known, true.sender[chosen.rows], hit)
        self.record.note(true.sender)
        return results

    def _react(self, day: int) -> None:
        """Apply what became known before today: accounts are marked, identities given up or rotated."""
        rng, honest = generator(self.seed, 4, day), len(self.population.honest)
        ripe = self._due[:, 0] < day
        sender, hit = self._due[ripe, 1], self._due[ripe, 2] == 1
        self._due = self._due[~ripe]
        np.add.at(self.record.inspected, sender, 1)
        np.add.at(self.record.hits, sender[hit], 1)
        burnt = np.unique(sender[hit & (sender >= honest)]) - honest
        self.population.roster.abandon(burnt, self.world.inspection.abandon_share, day, rng)
        self.population.roster.turn_over(day, rng)

    def _remember(self, true: Orders, declared: pl.DataFrame) -> None:
        rows = np.flatnonzero(true.sender >= len(self.population.honest))
        numbers = declared["consignment_id"].gather(rows).to_list()
        self._whose.update(zip(numbers, true.sender[rows].tolist(), strict=True))

    def _manifest(
        self, lines: DeclaredLines, declared: pl.DataFrame, calendar: date, rng: np.random.Generator
    ) -> pl.DataFrame:
        """Return today's rows by time of lodging, with the amendments that are due."""
        of = lines.frame["of"]
        rows = pl.concat([declared[of], lines.frame.drop("of")], how="horizontal").select(MANIFEST_COLUMNS)
        last = self.start + timedelta(days=self.days - 1)
        pending = [*self._amended, amendments(self.world, rows, last, rng)]
        due = [part.filter(pl.col("lodged_at").dt.date() == calendar) for part in pending]
        later = [part.filter(pl.col("lodged_at").dt.date() > calendar) for part in pending]
        self._amended = [part for part in later if part.height]
        return pl.concat([rows, *due]).sort("lodged_at", "message_id", "consignment_id", "line_no")
