"""Traffic for measuring history: entities and amounts as they come out of manifests, without the manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import TIME, Consignments
from features.history.facts import ENTITIES

Integers = npt.NDArray[np.int64]
START = datetime(2026, 1, 1, tzinfo=UTC)
INSPECTED = 0.01
LINKS = {"phone": 0.6, "mailbox": 0.6, "account": 0.7, "shop": 0.2, "article": 0.15}  # how many declare one


@dataclass(frozen=True)
class Traffic:
    """Consignments of some days: few sellers send most, an addressee receives three in a quarter."""

    consignments: int
    days: int = 90
    seed: int = 1

    @property
    def per_day(self) -> int:
        return self.consignments // self.days

    def day(self, number: int) -> Consignments:
        """One day, by moment; every day can be made apart."""
        rng, n = np.random.default_rng([self.seed, number]), self.per_day
        sellers, buyers = max(50, self.consignments // 40), max(100, self.consignments // 3)
        seller = np.minimum((sellers * rng.random(n) ** 3).astype(np.int64), sellers - 1)
        buyer = rng.integers(0, buyers, n)
        parts = {
            "consignor": seller,
            "name": seller // 2 * 2,
            "consignee": buyer,
            "pair": seller * buyers + buyer,
            **dict.fromkeys(LINKS, seller),
            "address": seller // 3,
            "article": seller * 5 + rng.integers(0, 5, n),
            "wording": seller * 20 + rng.integers(0, 20, n),
            "route": seller % 200,
            "way": seller,
            "goods": (seller * 7 + rng.integers(0, 6, n)) % 3000,
            "operator": seller % 12,
            "office": rng.integers(0, 15, n),
        }
        columns = {f"{key}_entity": _hashed(key, values) for key, values in parts.items()}
        for key, share in LINKS.items():
            there = _hashed(f"{key}?", parts[key]).to_numpy() % 1000 < share * 1000
            columns[f"{key}_entity"] = columns[f"{key}_entity"].set(pl.Series(~there), None)
        midnight = START + timedelta(days=number)
        moments = np.sort(rng.integers(0, 86_400, n)) * 1_000_000 + int(midnight.timestamp()) * 1_000_000
        frame = pl.DataFrame(
            {
                "row": np.arange(n),
                "message_id": [f"M{number}"] * n,
                "consignment_id": (number * n + np.arange(n)).astype(str),
                "version": np.ones(n, np.int64),
                "purpose": pl.Series([None] * n, dtype=pl.String),
                "lodged_at": pl.Series(moments).cast(TIME),
                "lines": rng.integers(1, 4, n),
                "value_eur": np.round(rng.lognormal(2.2, 1.0, n), 2),
                "gross_mass_kg": np.round(rng.lognormal(-1.0, 0.8, n), 3),
                "pieces": rng.integers(1, 6, n).astype(np.float64),
                **columns,
            },
            schema_overrides={name: pl.Int64 for name in ENTITIES if name in columns},
        )
        unknown = [name for name in ENTITIES if name not in columns]
        return Consignments(frame.with_columns(pl.lit(None, pl.Int64).alias(name) for name in unknown), pl.DataFrame())

    def results(self, day: Consignments, number: int) -> pl.DataFrame:
        """Results of inspections of a day: `known_at`, `result`, `findings` and the entities inspected."""
        rng = np.random.default_rng([self.seed, number, 1])
        chosen = day.frame.filter(pl.Series(rng.random(len(day.frame)) < INSPECTED))
        delay = pl.Series(rng.integers(86_400, 20 * 86_400, chosen.height) * 1_000_000).cast(pl.Duration("us"))
        result = np.where(rng.random(chosen.height) < 0.2, "non_compliant", "compliant")
        return chosen.select(
            (pl.col("lodged_at") + delay).alias("known_at"),
            pl.Series("result", result),
            pl.lit(None, pl.String).alias("findings"),
            *ENTITIES,
        )

    def all_days(self) -> Iterator[tuple[Consignments, pl.DataFrame]]:
        """Every day with the results that become known on it."""
        waiting = pl.DataFrame()
        for number in range(self.days):
            day = self.day(number)
            waiting = pl.concat([waiting, self.results(day, number)], how="diagonal")
            over = pl.col("known_at") < START + timedelta(days=number + 1)
            yield day, waiting.filter(over)
            waiting = waiting.filter(~over)


def _hashed(key: str, values: Integers) -> pl.Series:
    salt = np.uint64(int.from_bytes(key.encode()[:7], "little") * 2 + 1)
    mixed = (values.astype(np.uint64) + salt) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return pl.Series((mixed ^ (mixed >> np.uint64(29))).view(np.int64))
