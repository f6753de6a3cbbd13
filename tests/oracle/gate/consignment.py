"""The schema of consignments and goods lines: the two frames that all modules use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from features.money import in_euro

Kind = Literal["text", "number", "whole", "time"]
TIME = pl.Datetime("us", "UTC")
DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "whole": pl.Int64(),
    "time": TIME,
}
EXTRA = "extra_"  # columns of a foreign file that Tamis does not know keep their values under this prefix
STREAMS = ("postal", "express")
NATURES = ("sale", "gift", "documents", "sample", "returned", "other")
PURPOSES = ("original", "amendment", "cancellation")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the manifest: name, meaning, type, unit, and whether it is required."""

    name: str
    meaning: str
    kind: Kind = "text"
    unit: str = ""
    required: bool = False
    longest: int = 200
    choices: tuple[str, ...] = ()

    @property
    def dtype(self) -> pl.DataType:
        return DTYPES[self.kind]


def _party(role: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(f"{role}_name", f"name of the {meaning}"),
        Column(f"{role}_address", f"street address of the {meaning}", longest=500),
        Column(f"{role}_city", f"city of the {meaning}"),
        Column(f"{role}_postcode", f"postcode of the {meaning}", longest=40),
        Column(f"{role}_country", f"country of the {meaning}, ISO 3166-1 alpha-2", longest=40),
        Column(f"{role}_phone", f"telephone of the {meaning}", longest=80),
        Column(f"{role}_email", f"e-mail address of the {meaning}", longest=320),
        Column(f"{role}_id", f"EORI, tax or seller id of the {meaning}", longest=100),
    )


CONSIGNMENT_COLUMNS: tuple[Column, ...] = (
    Column("message_id", "identifier of the message that carried the row; a file's name where absent"),
    Column("consignment_id", "S10 item id, house waybill number or other unique reference", required=True, longest=100),
    Column("version", "1, 2, …: an amendment carries the next number", kind="whole"),
    Column("purpose", "what the message does to what was declared before", choices=PURPOSES),
    Column("stream", "postal or express", required=True, choices=STREAMS),
    Column("lodged_at", "when the declaration reached customs", kind="time", required=True),
    Column("office", "destination customs office or airport code", longest=40),
    Column("operator", "carrier or postal operator", longest=100),
    Column("mail_class", "UPU class or express product", longest=40),
    Column("transport_id", "flight, receptacle or master waybill", longest=100),
    Column("dispatch_country", "country of dispatch, ISO 3166-1 alpha-2", longest=40),
    Column("transit_countries", "countries of transit in order, ;-separated", longest=200),
    Column("destination_country", "country of destination, ISO 3166-1 alpha-2", longest=40),
    Column("nature", "nature of the transaction", choices=NATURES),
    Column("ioss", "import one-stop shop number", longest=40),
    Column("gross_mass_kg", "gross mass", kind="number", unit="kg"),
    Column("packages", "number of packages", kind="number"),
    Column("postage", "postage paid, in the currency of the first line", kind="number"),
    *_party("consignor", "sender"),
    *_party("consignee", "addressee"),
    Column("platform", "marketplace", longest=100),
    Column("seller_account", "pseudonym on the marketplace", longest=200),
    Column("seller_url", "storefront", longest=2000),
)

GOODS_COLUMNS: tuple[Column, ...] = (
    Column("line_no", "position of the goods line", kind="whole"),
    Column("description", "the goods in words, any language", required=True, longest=2000),
    Column("hs_code", "Harmonized System code, 2 to 10 digits", longest=40),
    Column("quantity", "number of pieces", kind="number"),
    Column("net_mass_kg", "net mass of the line", kind="number", unit="kg"),
    Column("value", "value of the line", kind="number", unit="currency"),
    Column("currency", "ISO 4217 code of the value", longest=10),
    Column("goods_origin_country", "country of origin of the goods, ISO 3166-1 alpha-2", longest=40),
    Column("product_code", "GTIN, GS1 Digital Link or serial", longest=500),
)

COLUMNS = CONSIGNMENT_COLUMNS + GOODS_COLUMNS
BY_NAME = {column.name: column for column in COLUMNS}
VERSION_KEY = ("message_id", "consignment_id", "version")


@dataclass(frozen=True, slots=True)
class Consignments:
    """Consignment versions and their goods lines.

    frame: one row per consignment version: `row` (0 … n-1), CONSIGNMENT_COLUMNS, any `extra_…`, and the totals
        (`lines` and SUMMED) of its goods lines.
    goods: one row per goods line: `row` of its consignment, GOODS_COLUMNS, `line_value_eur`.
    """

    frame: pl.DataFrame
    goods: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    def with_columns(self, *columns: pl.Expr | pl.Series) -> Consignments:
        return replace(self, frame=self.frame.with_columns(*columns))

    def where(self, keep: pl.Expr) -> Consignments:
        """Return the consignments for which `keep` holds, renumbered."""
        kept = self.frame.filter(keep).with_row_index("new_row")
        numbers = kept.select("row", "new_row")
        goods = self.goods.join(numbers, on="row", how="inner", maintain_order="left")
        return Consignments(
            kept.drop("row").rename({"new_row": "row"}),
            goods.drop("row").rename({"new_row": "row"}).select(self.goods.columns),
        )

    def between(self, start: int, end: int) -> Consignments:
        """Return the consignments from one place to before another, renumbered."""
        goods = self.goods.filter(pl.col("row").is_between(start, end - 1))
        return Consignments(
            self.frame.slice(start, end - start).with_columns(pl.col("row") - start),
            goods.with_columns(pl.col("row") - start),
        )

    def flat(self) -> pl.DataFrame:
        """Return one row per goods line again, with the columns of its consignment."""
        names = [c for c in self.frame.columns if c not in TOTALS]
        return (
            self.goods.drop("line_value_eur")
            .join(self.frame.select(names), on="row", how="left", maintain_order="left")
            .drop("row")
        )


SUMMED = {
    "pieces": "quantity",
    "net_mass_total_kg": "net_mass_kg",
    "value_declared": "value",  # in the currency declared
    "value_eur": "line_value_eur",
}
TOTALS = ("lines", *SUMMED)


def fold(flat: pl.DataFrame) -> Consignments:
    """Fold rows of goods lines, as accepted by the gate, into consignments with their goods.

    Lines of one `(message_id, consignment_id, version)` are one consignment wherever they stand in the file;
    consignments keep the order of their first line, and its consignment-level values.
    """
    key = list(VERSION_KEY)
    versions = flat.select(key).unique(maintain_order=True).with_row_index("row")
    numbered = flat.join(versions, on=key, how="left", maintain_order="left")
    goods = numbered.select(
        "row", *(c.name for c in GOODS_COLUMNS), in_euro(pl.col("value"), pl.col("currency")).alias("line_value_eur")
    )
    totals = _totals(goods, versions.height)
    extras = [c for c in flat.columns if c.startswith(EXTRA)]
    level = [c.name for c in CONSIGNMENT_COLUMNS]
    frame = numbered.unique("row", keep="first", maintain_order=True).select("row", *level, *extras)
    return Consignments(frame.hstack(totals), goods)


def _totals(goods: pl.DataFrame, consignments: int) -> pl.DataFrame:
    """Sum the goods lines of each consignment; null where no line states a value, as that is not zero.

    Added line after line: a sum split differently for one consignment than for a million differs in its last bit, as
    polars' own grouped sums do.
    """
    row = goods["row"].to_numpy()
    totals = {"lines": pl.Series(np.bincount(row, minlength=consignments), dtype=pl.Int64)}
    for name, column in SUMMED.items():
        amounts = goods[column].to_numpy()  # the gate admits no NaN: here NaN is a missing value
        stated = np.bincount(row, ~np.isnan(amounts), minlength=consignments)
        sums = np.bincount(row, np.nan_to_num(amounts), minlength=consignments)
        totals[name] = pl.Series(np.where(stated > 0, sums, np.nan), dtype=pl.Float64, nan_to_null=True)
    return pl.DataFrame(totals)
