"""The schema of consignments and goods lines: the two frames that all modules use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Text
from features.algebra.tables import Cells, Table, Wholes
from features.money import euro_per_unit

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


class Consignments:
    """Consignment versions and their goods lines, as tables: columns for what computes, frames for who asks for them.

    declared: one row per consignment version: `row` (0 … n-1), CONSIGNMENT_COLUMNS, any `extra_…`, and the totals
        (`lines` and SUMMED) of its goods lines; `frame` is the same as a frame.
    lines: one row per goods line: `row` of its consignment, GOODS_COLUMNS, `line_value_eur`; `goods` as a frame.
    """

    __slots__ = ("declared", "lines")

    def __init__(self, declared: pl.DataFrame | Table, lines: pl.DataFrame | Table) -> None:
        self.declared = declared if isinstance(declared, Table) else Table.of_frame(declared)
        self.lines = lines if isinstance(lines, Table) else Table.of_frame(lines)

    def __len__(self) -> int:
        return self.declared.height

    @property
    def frame(self) -> pl.DataFrame:
        """Consignments as a frame."""
        return self.declared.frame

    @property
    def goods(self) -> pl.DataFrame:
        """Goods lines as a frame."""
        return self.lines.frame

    def holding(self, columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None = None) -> Consignments:
        """Return the same consignments with columns added, or in the place of those of the same names."""
        return Consignments(self.declared.holding(columns, kinds), self.lines)

    def with_columns(self, *columns: pl.Expr | pl.Series) -> Consignments:
        """Return the same with the columns of expressions or series."""
        return Consignments(self.declared.with_columns(*columns), self.lines)

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
        if start == 0 and end >= len(self):
            return self
        of = self.lines.whole("row").values
        lines = self.lines.taken(np.flatnonzero((of >= start) & (of < end)))
        return Consignments(_renumbered(self.declared.part(start, end), start), _renumbered(lines, start))

    def at(self, places: npt.NDArray[np.intp]) -> Consignments:
        """Return the consignments at ascending places, renumbered; without a frame in between."""
        of = self.lines.whole("row").values
        rank = np.searchsorted(places, of)
        kept = np.flatnonzero((rank < len(places)) & (places[np.minimum(rank, len(places) - 1)] == of))
        declared, lines = self.declared.taken(places), self.lines.taken(kept)
        rows, of_lines = Wholes(np.arange(len(places))), Wholes(rank[kept])
        return Consignments(
            declared.holding({"row": rows}, {"row": declared.kinds["row"]}),
            lines.holding({"row": of_lines}, {"row": lines.kinds["row"]}),
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


class Versions:
    """Which rows of goods lines belong to which consignment version, by VERSION_KEY.

    row: for each line the number of its version, in the order of their first lines. first: the place of that line.
    """

    __slots__ = ("first", "row")

    def __init__(self, row: npt.NDArray[np.int64], first: npt.NDArray[np.intp]) -> None:
        self.row, self.first = row, first

    @classmethod
    def of(cls, flat: Table) -> Versions:
        """Return the versions of rows in which none of the key is unknown."""
        return cls.of_columns(flat.text("message_id"), flat.text("consignment_id"), flat.whole("version"))

    @classmethod
    def of_columns(cls, messages: Text, consignments: Text, numbers: Wholes) -> Versions:
        """Return the versions of rows by the columns of their key."""
        if len(numbers) == 1:
            return cls(ONE_LINE, FIRST)
        message, consignment = messages.numbered(), consignments.numbered()
        of_message = message * (consignment.max(initial=0) + 1) + consignment
        version = np.unique(numbers.values, return_inverse=True)[1]
        key = np.unique(of_message, return_inverse=True)[1] * (version.max(initial=0) + 1) + version
        _, first, number = np.unique(key, return_index=True, return_inverse=True)
        in_order = np.argsort(first)
        place = np.empty(len(first), np.int64)
        place[in_order] = np.arange(len(first))
        return cls(place[number], first[in_order])

    @property
    def one_line_each(self) -> bool:
        """Whether every version has a single line."""
        return len(self.first) == len(self.row)

    def with_line_numbers(self, line_no: Wholes) -> Wholes:
        """Return the numbers of lines; those without one are numbered on from the highest of their version."""
        if line_no.known is None:
            return line_no
        absent = ~line_no.known
        highest = np.zeros(len(self.first), np.int64)
        np.maximum.at(highest, self.row, np.where(absent, 0, line_no.values))
        in_order = np.argsort(self.row, kind="stable")
        running = np.cumsum(absent[in_order])
        counts = np.bincount(self.row, minlength=len(self.first))
        before: npt.NDArray[np.int64] = np.repeat((running - absent[in_order])[np.cumsum(counts) - counts], counts)
        nth = np.empty(len(self.row), np.int64)
        nth[in_order] = running - before
        return Wholes(np.where(absent, highest[self.row] + nth, line_no.values))

    def repeated(self, line_no: Wholes) -> npt.NDArray[np.bool_] | None:
        """Return the rows whose version has the number of their line on an earlier row; None where there is none."""
        if self.one_line_each:
            return None
        number = np.unique(line_no.values, return_inverse=True)[1]
        _, first = np.unique(self.row * (number.max(initial=0) + 1) + number, return_index=True)
        if len(first) == len(self.row):
            return None
        repeated = np.ones(len(self.row), np.bool_)
        repeated[first] = False
        return repeated


def _renumbered(table: Table, start: int) -> Table:
    """Return rows whose consignments count from a place on as counting from 0."""
    return table.holding({"row": Wholes(table.whole("row").values - start)}, {"row": table.kinds["row"]})


def fold(flat: pl.DataFrame | Table) -> Consignments:
    """Fold rows of goods lines, as accepted by the gate, into consignments with their goods.

    Lines of one `(message_id, consignment_id, version)` are one consignment wherever they stand in the file;
    consignments keep the order of their first line, and its consignment-level values.
    """
    flat = flat if isinstance(flat, Table) else Table.of_frame(flat)
    versions = Versions.of(flat)
    count = len(versions.first)
    euro = flat.number("value") * euro_per_unit(flat.text_or_unknown("currency"))
    of_lines: dict[str, Cells] = {"row": Wholes(versions.row), "line_value_eur": euro}
    goods = flat.arranged(("row", *GOODS, "line_value_eur"), of_lines, NUMBERED)
    names = (*LEVEL, *(name for name in flat.kinds if name.startswith(EXTRA)))
    declared = flat if versions.one_line_each else flat.select(names).taken(versions.first)
    of_consignments: dict[str, Cells] = {"row": Wholes(np.arange(count)), **_totals(goods, versions, count)}
    return Consignments(declared.arranged(("row", *names, *TOTALS), of_consignments, NUMBERED), goods)


NUMBERED = {"row": pl.UInt32()}
ONE_LINE, FIRST = np.zeros(1, np.int64), np.zeros(1, np.intp)
GOODS = tuple(column.name for column in GOODS_COLUMNS)
LEVEL = tuple(column.name for column in CONSIGNMENT_COLUMNS)


def _totals(goods: Table, versions: Versions, count: int) -> dict[str, Cells]:
    """Sum the goods lines of each consignment; unknown where no line states a value, as that is not zero.

    Added line after line: a sum split differently for one consignment than for a million differs in its last bit.
    """
    row = versions.row
    totals: dict[str, Cells] = {"lines": Wholes(np.bincount(row, minlength=count))}
    for name, column in SUMMED.items():
        amounts = goods.number(column)  # the gate admits no NaN: here NaN is a missing value
        if versions.one_line_each:
            totals[name] = amounts + 0.0  # a sum from nought on, where -0.0 is 0.0
            continue
        stated = np.bincount(row, ~np.isnan(amounts), minlength=count)
        sums = np.bincount(row, np.nan_to_num(amounts), minlength=count)
        totals[name] = np.where(stated > 0, sums, np.nan)
    return totals
