"""Small factories: a good row, frames and files of rows, consignments of rows, one feature of a few values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
import pytest

from features.assemble import Fits
from features.consignment import Consignments, fold
from features.contract import gate_manifest
from features.definition import DEFINITIONS, Definition, forget_definitions
from features.history.facts import FACT_SCHEMA
from features.history.totals import FactTable
from features.norms import SCHEMA as NORMS_SCHEMA
from features.norms import Norms
from features.rates import SCHEMA as RATES_SCHEMA
from features.rates import Rates
from features.wording import SCHEMA as WORDING_SCHEMA
from features.wording import Wording

LODGED_AT = datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
GOOD: dict[str, object] = {
    "message_id": "M1",
    "consignment_id": "RR123456785CN",
    "version": "1",
    "stream": "postal",
    "lodged_at": "2026-03-01T08:15:00Z",
    "dispatch_country": "CN",
    "nature": "sale",
    "gross_mass_kg": "0.5",
    "consignor_name": "Sunrise Trading",
    "consignor_address": "12 Harbour Road",
    "consignor_city": "Ningbo",
    "consignor_country": "CN",
    "consignee_name": "A. Martin",
    "consignee_address": "3 rue Haute",
    "packages": "1",
    "line_no": "1",
    "description": "leather phone case",
    "hs_code": "420231",
    "quantity": "2",
    "net_mass_kg": "0.4",
    "value": "20.00",
    "currency": "EUR",
    "goods_origin_country": "CN",
}


def row(**changes: object) -> dict[str, object]:
    """A row with no fault, changed."""
    return {**GOOD, **changes}


def frame_of(*rows: dict[str, object]) -> pl.DataFrame:
    """Rows as a reader of text gives them, numbered from line 2."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    frame = pl.DataFrame({name: pl.Series([one.get(name) for one in rows], dtype=pl.String) for name in names})
    return frame.with_columns(pl.int_range(2, len(rows) + 2, dtype=pl.Int64, eager=True).alias("line"))


def csv_of(*rows: dict[str, object], separator: str = ",") -> bytes:
    """Rows as a CSV file with a header."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_of(frame: pl.DataFrame) -> bytes:
    """A frame as a Parquet file."""
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()


def consignments_of(*rows: dict[str, object]) -> Consignments:
    """The consignments of rows that the gate lets through."""
    gated = gate_manifest(frame_of(*rows), "test")
    assert gated.refused.is_empty(), gated.refused.rows()
    return fold(gated.accepted)


def feature(name: str, **inputs: object) -> object:
    """One computed column of one row of inputs, or of the lists of goods lines that `over_lines` sums up."""
    definition = DEFINITIONS[name]
    assert set(definition.inputs) == set(inputs)
    return definition.of(*(inputs[column] for column in definition.inputs))


def nothing_fitted() -> Fits:
    """Norms and wording before anything was learned."""
    return Fits(Norms(NORMS_SCHEMA.to_frame()), Wording(WORDING_SCHEMA.to_frame()), Rates(RATES_SCHEMA.to_frame()))


def no_history() -> FactTable:
    """A history of nothing."""
    return FactTable(FACT_SCHEMA.to_frame())


@pytest.fixture
def registry() -> Iterator[dict[str, Definition]]:
    """The registry of definitions, put back as it was when the test ends."""
    before = dict(DEFINITIONS)
    forget_definitions()
    yield DEFINITIONS
    DEFINITIONS.clear()
    DEFINITIONS.update(before)
    forget_definitions()
