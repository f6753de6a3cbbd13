"""Lodging of consignments: identifiers, carriers, messages and hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from pipelines.synthetic.draws import Flags, Floats, Ints, pick, unit, weighted
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.world_settings import World

UTC_TIME = pl.Datetime("us", "UTC")
_S10_WEIGHTS = np.array([8, 6, 4, 2, 3, 5, 9, 7])
_CLASSES = ("U", "C", "E")


def s10(prefix: pl.Series, serial: Ints, origin: pl.Series) -> pl.Series:
    """Return UPU S10 item identifiers with their check digit."""
    places = np.stack([serial // 10**power % 10 for power in range(7, -1, -1)])
    rest = 11 - (places * _S10_WEIGHTS[:, None]).sum(axis=0) % 11
    check = np.where(rest == 10, 0, np.where(rest == 11, 5, rest))
    return prefix + pl.Series(serial).cast(pl.String).str.zfill(8) + pl.Series(check).cast(pl.String) + origin


def lodge_day(
    world: World, orders: Orders, declared: pl.DataFrame, day: date, issued: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Add identifiers, operator, office, message, time and version 1 to consignments."""
    express = (declared["stream"] == "express").to_numpy()
    operator = _operators(world, declared["dispatch_country"], express, orders.senders.ids)
    office = _offices(world, express, operator, rng)
    group = np.unique(np.where(express, 1000, 0) + operator * 10 + office, return_inverse=True)[1].astype(np.int64)
    message, moment = _messages(world, orders.senders.ids, group, day, rng)
    names = pl.Series(
        [*(name for names in world.operators.postal.values() for name in names), *world.operators.express]
    )
    codes = pl.Series(list(world.offices))
    number = issued + np.arange(len(orders), dtype=np.int64)
    mail = weighted(rng, np.array([0.72, 0.22, 0.06]), len(orders))
    lodged = declared.with_columns(
        message_id=names.gather(operator) + f"-{day:%Y%m%d}-" + pl.Series(message).cast(pl.String).str.zfill(5),
        consignment_id=_identifiers(world, declared, express, operator, mail, number),
        version=pl.lit(1, dtype=pl.Int64),
        lodged_at=_times(day, moment),
        office=codes.gather(office),
        operator=names.gather(operator),
        mail_class=pl.Series([*_CLASSES, "EXP", "ECO"]).gather(np.where(express, 3 + (mail > 0), mail)),
        transport_id=_transports(world, names.gather(operator), codes.gather(office), express, message, operator, day),
    )
    return lodged


def _times(day: date, moment: Floats) -> pl.Series:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start = int(midnight.timestamp()) * 1_000_000
    return (
        pl.Series(start + (moment * 1000).astype(np.int64) * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )


def _operators(world: World, dispatch: pl.Series, express: Flags, ids: Ints) -> Ints:
    """Return an index into all exchange offices, then all express carriers; senders keep to their own."""
    lists = world.operators.postal
    first = dict(zip(lists, np.cumsum([0, *(len(names) for names in lists.values())]).tolist(), strict=False))
    start = dispatch.replace_strict(first, return_dtype=pl.Int64).to_numpy()
    size = dispatch.replace_strict(
        {code: len(names) for code, names in lists.items()}, return_dtype=pl.Int64
    ).to_numpy()
    postal = start + pick(ids, 401, size)
    carriers = sum(len(names) for names in lists.values()) + pick(ids, 402, len(world.operators.express))
    return np.where(express, carriers, postal)


def _offices(world: World, express: Flags, operator: Ints, rng: np.random.Generator) -> Ints:
    """Return offices: large Chinese exchange offices fly to all; other carriers to the first and one of their own."""
    shares = np.array(list(world.offices.values()))
    drawn, hub = weighted(rng, shares, len(express)), rng.random(len(express)) < 0.6
    large = ~express & (operator < len(next(iter(world.operators.postal.values()))))
    second_office = pick(operator, 411, len(shares))
    return np.where(large, drawn, np.where(hub, 0, second_office))


def _messages(world: World, ids: Ints, group: Ints, day: date, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Return the message of each consignment and its second of the day: parcels of a sender mostly travel together."""
    together = np.where(rng.random(len(ids)) < 0.6, unit(ids, 410 + day.toordinal() % 1000), rng.random(len(ids)))
    order = np.lexsort((together, group))
    size = np.bincount(group)
    messages = np.maximum(1, np.rint(size / world.flow.message_size)).astype(np.int64)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids)) - np.repeat(np.cumsum(size) - size, size)
    message = (np.cumsum(messages) - messages)[group] + rank * messages[group] // size[group]
    hours = weighted(rng, np.array(world.flow.hours, dtype=np.float64), int(messages.sum()))
    return message, (hours * 3600 + 3600 * rng.random(len(hours)))[message]


def _identifiers(
    world: World, declared: pl.DataFrame, express: Flags, operator: Ints, mail: Ints, number: Ints
) -> pl.Series:
    """Return S10 identifiers for post, the carrier's waybill numbers for express; serials are never repeated."""
    letters = pl.Series(["L", "C", "E"]).gather(mail) + pl.Series(list("ABDEFHKMNPRSTVXY")).gather(
        pick(number, 421, 16)
    )
    postal = s10(letters, number * 48_271 % 10**8, declared["dispatch_country"])
    carriers = len(world.operators.express)
    waybills = pl.Series(world.operators.express).gather(
        np.maximum(operator - (int(operator.max()) - carriers + 1), 0) % carriers
    )
    serial = pl.Series(number * 7_368_787 % 10**10).cast(pl.String).str.zfill(10)
    return pl.select(pl.when(pl.Series(express)).then(waybills + serial).otherwise(postal)).to_series()


def _transports(
    world: World, operator: pl.Series, office: pl.Series, express: Flags, message: Ints, number: Ints, day: date
) -> pl.Series:
    """Return the receptacle of 29 characters, or the master waybill of the flight."""
    trip = day.toordinal() * 1000 + message
    receptacle = operator + office + "AUN" + f"{day.year % 10}" + pl.Series(trip % 10**13).cast(pl.String).str.zfill(13)
    prefixes = pl.Series(world.operators.express_prefix).cast(pl.String)
    stem = trip % 10**7
    master = (
        prefixes.gather(pick(number, 431, len(prefixes)))
        + "-"
        + pl.Series(stem * 10 + stem % 7).cast(pl.String).str.zfill(8)
    )
    return pl.select(pl.when(pl.Series(express)).then(master).otherwise(receptacle)).to_series()


def amendments(world: World, manifest: pl.DataFrame, last: date, rng: np.random.Generator) -> pl.DataFrame:
    """Return second versions of a few consignments, each lodged hours later in a message of its own."""
    firsts = manifest["consignment_id"].unique(maintain_order=True)
    chosen = pl.DataFrame({"consignment_id": firsts}).filter(
        pl.Series(rng.random(len(firsts)) < world.flow.amendment_share)
    )
    count = chosen.height
    changes = chosen.with_columns(
        wait=pl.Series((3600e6 * (1 + 29 * rng.random(count))).astype(np.int64)).cast(pl.Duration("us")),
        factor=pl.Series(np.where(rng.random(count) < 0.6, 0.5 + 1.2 * rng.random(count), 1.0)),
        heading=pl.Series(rng.random(count) < 0.3),
    )
    amended = manifest.join(changes, on="consignment_id", how="inner", maintain_order="left")
    amended = amended.with_columns(
        message_id=pl.col("message_id") + "-A" + pl.col("consignment_id").str.slice(-6),
        version=pl.lit(2, dtype=pl.Int64),
        lodged_at=pl.col("lodged_at") + pl.col("wait"),
        value=(pl.col("value") * pl.col("factor")).round(2),
        hs_code=pl.when("heading").then(pl.lit(None, dtype=pl.String)).otherwise(pl.col("hs_code")),
    )
    return amended.drop("wait", "factor", "heading").filter(pl.col("lodged_at").dt.date() <= last)
