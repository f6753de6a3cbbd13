"""A message read to frames: what was accepted, what was refused, and what is odd in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from features.algebra.tables import Table, anywhere
from features.consignment import VERSION_KEY, Consignments, fold
from features.contract import Gated, gate_manifest, spared
from features.fault import Fault
from features.history.facts import with_entities
from features.item_numbers import in_one_form
from features.messages.found import Found, Rows
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.offices import ANY_OFFICE, NOT_LISTED, Offices
from features.messages.quality import odd_in
from features.messages.raw import NOTED
from features.moments import micros

NOTHING_NOTED = NOTED.to_frame()
A_YEAR = timedelta(days=366)
LONG_AGO = "more than a year before its arrival"  # a year that was typed wrong, or data that nobody waits for any more
REFUSED_LINE = "a goods line was refused by the gate"
Competing = Literal["message", "day"]


@dataclass(frozen=True, slots=True)
class Message:
    """One transmission as it arrived.

    rows: flat rows as a reader gave them, with `line`: columns of texts of a call, a frame of a file.
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

    rows: pl.DataFrame | Table
    name: str
    received_at: datetime
    competing: Competing = "day"
    complete: bool = True
    mapping: Mapping = UNMAPPED
    sparing: bool = False
    noted: pl.DataFrame = field(default_factory=lambda: NOTHING_NOTED)
    offices: Offices = ANY_OFFICE

    @property
    def table(self) -> Table:
        """The rows as columns."""
        return self.rows if isinstance(self.rows, Table) else Table.of_frame(self.rows)


class Problems:
    """What is wrong with a message.

    refused: quarantine rows (contract.QUARANTINE_COLUMNS).
    odd: `row`, `field`, `problem`: oddities of consignments that were accepted all the same; `found` as a frame.
    """

    __slots__ = ("odd", "refused")

    def __init__(self, refused: pl.DataFrame, odd: pl.DataFrame | Table) -> None:
        self.refused = refused
        self.odd = odd if isinstance(odd, Table) else Table.of_frame(odd)

    @property
    def found(self) -> pl.DataFrame:
        """The oddities as a frame."""
        return self.odd.frame


class Refused(Fault):
    """A message refused as a whole; `faults` of its rows are FAULT_COLUMNS."""

    def __init__(self, faults: pl.DataFrame) -> None:
        super().__init__(f"{faults['line'].n_unique()} malformed rows")
        self.faults = faults


def read(message: Message) -> tuple[Consignments, Problems]:
    """Read the consignments of a message, and its problems; raises Refused where a `complete` message has a bad row."""
    gated, noted = gate_message(message)
    if message.complete and gated.refused.height:
        raise Refused(gated.faults)
    consignments = with_entities(fold(gated.rows))
    found = odd_in(consignments)
    _add_improbable(found, consignments, message)
    if gated.refused.height:
        _add_incomplete(found, consignments, gated, message.name)
    if noted.height:
        _add_noted(found, noted, gated, consignments)
    return consignments, Problems(gated.refused, found.by_row())


def gate_message(message: Message) -> tuple[Gated, pl.DataFrame]:
    """What the gate makes of a message, and what was noted of its rows (NOTED)."""
    if not message.sparing:
        rows = message.offices.in_rows(message.mapping.in_manifest(message.table))
        return gate_manifest(rows, message.name, message.received_at), message.noted
    rows_left, left_out = spared(message.offices.in_rows(message.table).frame)
    return gate_manifest(rows_left, message.name, message.received_at), pl.concat([message.noted, left_out])


def _add_improbable(found: Found, consignments: Consignments, message: Message) -> None:
    """Find what the message and the installation alone can judge: years that are off, and unknown offices."""
    table = consignments.declared
    long_ago = table.moments("lodged_at") < micros(message.received_at - A_YEAR)
    unlisted = message.offices.unlisted(table.text_or_unknown("office"))
    for name, problem, holds in (("lodged_at", LONG_AGO, long_ago), ("office", NOT_LISTED, unlisted)):
        if holds is not None and anywhere(holds):
            found.add(table.whole("row").values[holds], name, problem)


def _add_noted(found: Found, noted: pl.DataFrame, gated: Gated, consignments: Consignments) -> None:
    """Relate what was noted of lines to the consignments that they belong to."""
    of_lines = gated.accepted.select("line", *VERSION_KEY).join(noted, on="line", how="inner", maintain_order="right")
    numbered = consignments.frame.select("row", *VERSION_KEY)
    related = of_lines.join(numbered, on=list(VERSION_KEY), how="inner", maintain_order="left")
    found.add_each(_rows(related), related["field"].to_list(), related["problem"].to_list())


def _rows(frame: pl.DataFrame) -> Rows:
    return frame["row"].to_numpy().astype(np.int64)


def _add_incomplete(found: Found, consignments: Consignments, gated: Gated, name: str) -> None:
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
    found.add(_rows(incomplete), "goods", REFUSED_LINE)
