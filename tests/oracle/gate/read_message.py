"""A message read to frames: what was accepted, what was refused, and what is odd in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from features.fault import Fault
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.raw import NOTED
from tests.oracle.gate.consignment import VERSION_KEY, Consignments, fold
from tests.oracle.gate.contract import Gated, gate_manifest, spared
from tests.oracle.gate.item_numbers import in_one_form
from tests.oracle.gate.offices import ANY_OFFICE, NOT_LISTED, Offices
from tests.oracle.gate.quality import PROBLEM, oddities

A_YEAR = timedelta(days=366)
LONG_AGO = "more than a year before its arrival"  # a year that was typed wrong, or data that nobody waits for any more
REFUSED_LINE = "a goods line was refused by the gate"
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
    sparing: leave out a single value that cannot be read, and say so, rather than refuse its row: what a carrier's
        message is read with, for nobody sends it again.
    noted: NOTED, what its reader found odd.
    offices: those that there are, by every name that they have.
    """

    rows: pl.DataFrame
    name: str
    received_at: datetime
    competing: Competing = "day"
    complete: bool = True
    mapping: Mapping = UNMAPPED
    sparing: bool = False
    noted: pl.DataFrame = field(default_factory=NOTED.to_frame)
    offices: Offices = ANY_OFFICE


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
    """Read the consignments of a message, and its problems; raises Refused where a `complete` message has a bad row."""
    gated, noted = gate_message(message)
    if message.complete and gated.refused.height:
        raise Refused(gated.refused)
    consignments = fold(gated.accepted)
    found = [
        oddities(consignments),
        _improbable(consignments, message),
        _with_refused_lines(consignments, gated, message.name),
        _of_consignments(noted, gated, consignments),
    ]
    oddities_of_all = pl.concat(found).unique(maintain_order=True).sort("row", maintain_order=True)
    return consignments, Problems(gated.refused, oddities_of_all)


def gate_message(message: Message) -> tuple[Gated, pl.DataFrame]:
    """What the gate makes of a message, and what was noted of its rows (NOTED)."""
    if not message.sparing:
        rows = message.offices.in_rows(message.mapping.to_manifest(message.rows))
        return gate_manifest(rows, message.name, message.received_at), message.noted
    rows, left_out = spared(message.offices.in_rows(message.rows))
    return gate_manifest(rows, message.name, message.received_at), pl.concat([message.noted, left_out])


def _improbable(consignments: Consignments, message: Message) -> pl.DataFrame:
    """Find what the message and the installation alone can judge: years that are off, and unknown offices."""
    frame = consignments.frame
    checks = (
        ("lodged_at", LONG_AGO, frame["lodged_at"] < message.received_at - A_YEAR),
        ("office", NOT_LISTED, message.offices.unknown(frame["office"])),
    )
    named = [
        frame.filter(holds).select("row", pl.lit(name).alias("field"), pl.lit(problem).alias("problem"))
        for name, problem, holds in checks
        if holds.any()
    ]
    return pl.concat([PROBLEM.to_frame(), *named])


def _of_consignments(noted: pl.DataFrame, gated: Gated, consignments: Consignments) -> pl.DataFrame:
    """Relate what was noted of lines to the consignments that they belong to."""
    if noted.is_empty():
        return pl.DataFrame(schema=PROBLEM)
    of_lines = gated.accepted.select("line", *VERSION_KEY).join(noted, on="line", how="inner", maintain_order="right")
    numbered = consignments.frame.select("row", *VERSION_KEY)
    related = of_lines.join(numbered, on=list(VERSION_KEY), how="inner", maintain_order="left")
    return related.select("row", "field", "problem")


def _with_refused_lines(consignments: Consignments, gated: Gated, name: str) -> pl.DataFrame:
    """Find the consignments of which a goods line was refused: the rest is judged, and says so."""
    received = gated.refused["row_as_received"].drop_nulls()
    versions = pl.DataFrame(
        {
            "message_id": received.str.json_path_match("$.message_id").fill_null(name),
            "consignment_id": in_one_form(received.str.json_path_match("$.consignment_id")),
            "version": received.str.json_path_match("$.version").cast(pl.Int64, strict=False).fill_null(1),
        }
    )
    incomplete = consignments.frame.join(versions, on=list(VERSION_KEY), how="semi")
    return incomplete.select("row", pl.lit("goods").alias("field"), pl.lit(REFUSED_LINE).alias("problem"))
