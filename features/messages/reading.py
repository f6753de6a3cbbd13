"""A message read to frames: what was accepted, what was refused, and what is odd in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from features.consignment import VERSION_KEY, Consignments, fold
from features.contract import Gated, gate_manifest
from features.facts import with_entities
from features.fault import Fault
from features.messages.mapping import UNMAPPED, Mapping
from features.money import EURO_PER_UNIT

Competing = Literal["message", "day"]


@dataclass(frozen=True, slots=True)
class Message:
    """One transmission as it arrived.

    rows: flat rows as a reader gave them, with `line`.
    name: what rows without a `message_id` are called by, such as a file's name.
    received_at: when it arrived; decisions bear this time.
    competing: whether its consignments compete with one another for capacity (`message`, a day's manifest) or with
        all of the day (`day`, a call).
    complete: refuse the message as a whole when one row is malformed, rather than go on without the row.
    """

    rows: pl.DataFrame
    name: str
    received_at: datetime
    competing: Competing = "day"
    complete: bool = True
    mapping: Mapping = UNMAPPED


@dataclass(frozen=True, slots=True)
class Problems:
    """What is wrong with a message.

    refused: quarantine rows (contract.QUARANTINE_COLUMNS).
    found: `row`, `field`, `problem`: oddities of consignments that were accepted all the same.
    """

    refused: pl.DataFrame
    found: pl.DataFrame


class Refused(Fault):
    """A message refused as a whole; `rows` are its quarantine rows."""

    def __init__(self, rows: pl.DataFrame) -> None:
        super().__init__(f"{rows.height} malformed rows")
        self.rows = rows


def read(message: Message) -> tuple[Consignments, Problems]:
    """The consignments of a message, and its problems; raises Refused where a `complete` message has a bad row."""
    gated = gate_manifest(message.mapping.to_manifest(message.rows), message.name)
    if message.complete and gated.refused.height:
        raise Refused(gated.refused)
    consignments = with_entities(fold(gated.accepted))
    return consignments, Problems(gated.refused, _found(consignments, gated, message.name))


@dataclass(frozen=True, slots=True)
class _Check:
    field: str
    problem: str
    holds: pl.Expr


def _missing(field: str) -> _Check:
    return _Check(field, "missing", pl.col(field).is_null())


def _country(field: str) -> _Check:
    return _Check(field, "not a country code of two letters", ~pl.col(field).str.contains(r"^[A-Z]{2}$"))


S10 = r"^[A-Z]{2}\d{9}[A-Z]{2}$"
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def s10_fails(item: pl.Expr) -> pl.Expr:
    """Whether an S10 item identifier fails its check digit; null for what is no S10 identifier."""
    digits = [item.str.slice(2 + i, 1).cast(pl.Int32, strict=False) for i in range(9)]
    remainder = 11 - pl.sum_horizontal(d * w for d, w in zip(digits, S10_WEIGHTS, strict=False)) % 11
    expected = pl.when(remainder == 10).then(0).when(remainder == 11).then(5).otherwise(remainder)
    return pl.when(item.str.contains(S10)).then(digits[8] != expected)


CONSIGNMENT_CHECKS = (
    _Check("consignment_id", "the S10 check digit is wrong", s10_fails(pl.col("consignment_id"))),
    _missing("consignor_name"),
    _missing("consignor_address"),
    _missing("consignee_name"),
    _missing("consignee_address"),
    _missing("gross_mass_kg"),
    _missing("packages"),
    _country("dispatch_country"),
    _country("consignor_country"),
    _Check("gross_mass_kg", "less than the net mass", pl.col("gross_mass_kg") < pl.col("net_mass_total_kg") * 0.999),
)
LINE_CHECKS = (
    _missing("hs_code"),
    _missing("value"),
    _Check("hs_code", "not 2 to 10 digits", ~pl.col("hs_code").str.contains(r"^[\d.\s]{2,13}$")),
    _Check("currency", "missing beside a value", pl.col("value").is_not_null() & pl.col("currency").is_null()),
    _Check("currency", "a currency without a rate", ~pl.col("currency").is_in(list(EURO_PER_UNIT))),
    _country("goods_origin_country"),
)


def _found(consignments: Consignments, gated: Gated, name: str) -> pl.DataFrame:
    """All problems of all consignments, each named once a consignment."""
    of_frame = _holding(consignments.frame, CONSIGNMENT_CHECKS)
    of_lines = _holding(consignments.goods, LINE_CHECKS)
    incomplete = _beside_refused_lines(consignments, gated, name)
    return pl.concat([of_frame, of_lines, incomplete]).unique(maintain_order=True).sort("row", maintain_order=True)


def _holding(frame: pl.DataFrame, checks: tuple[_Check, ...]) -> pl.DataFrame:
    judged = frame.select("row", *(c.holds.fill_null(False).alias(str(i)) for i, c in enumerate(checks)))
    named = [
        judged.filter(pl.col(str(i))).select("row", pl.lit(c.field).alias("field"), pl.lit(c.problem).alias("problem"))
        for i, c in enumerate(checks)
        if judged[str(i)].any()
    ]
    nothing = pl.DataFrame(schema={"row": pl.UInt32, "field": pl.String, "problem": pl.String})
    return pl.concat([nothing, *named])


def _beside_refused_lines(consignments: Consignments, gated: Gated, name: str) -> pl.DataFrame:
    """Consignments of which a goods line was refused: the rest is judged, and says so."""
    received = gated.refused["row_as_received"].drop_nulls()
    versions = pl.DataFrame(
        {
            "message_id": received.str.json_path_match("$.message_id").fill_null(name),
            "consignment_id": received.str.json_path_match("$.consignment_id"),
            "version": received.str.json_path_match("$.version").cast(pl.Int64, strict=False).fill_null(1),
        }
    )
    beside = consignments.frame.join(versions, on=list(VERSION_KEY), how="semi")
    return _holding(beside, (_Check("goods", "a goods line was refused by the gate", pl.lit(True)),))
