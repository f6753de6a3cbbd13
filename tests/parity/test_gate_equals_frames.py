"""Gate, fold and data problems over columns against the former ones over frames (tests/oracle/gate): bit for bit.

Each is asked for as of a call, whose few texts are judged here, and as of a file, whose columns polars judges.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.algebra.tables import Table
from features.consignment import COLUMNS, EXTRA, Column, fold
from features.contract import gate_manifest, gate_outcomes, spared
from features.messages.offices import Offices
from features.messages.read_message import Message, Refused, read
from features.messages.required_elements import rows_lacking, stages
from features.outcome import OUTCOME_COLUMNS
from tests.features.conftest import LODGED_AT, row
from tests.oracle.gate import consignment as former_fold
from tests.oracle.gate import contract as former
from tests.oracle.gate import offices as former_offices
from tests.oracle.gate import read_message as former_message

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD_TEXT = st.one_of(
    st.sampled_from([
        "", " ", "\u3000", "\x1f", "a\x00b", "x\x1dy", "\ufffd", "\uffff", "tab\tand\nline", "\x85end", "x" * 201,
        "é" * 41, "(last digits lost)", "ß", "ʰ", "ƛ", "ﬁ", "DŽ", "fr", "gb", "eur", "usd", "XXX", "EU", "postal",
        "POSTAL", "gift",
        "Rb 123 456 785 cn", "RB123456785CN", "RB123456784CN", "（RB123456785CN）", "ＲＢ123456785ＣＮ",
        "1z 999aa1 01 2345 6784",
        "M1", "M2", "CDG", "ZZZ", "FRPAR", "XXPAR", "FRCDGA", "frcdg1", "IM1234567890", "IM1234567890\n",
        "+33 1 23 45 67 89",
        "12345", "１２３４５６", "a@b.fr", "a@b", "a@b.c\u2003d", "ü" * 65 + "@b.fr", "@b.fr", "6404.11", "６４０４.11",
        "640411 ",
        "123", "9999", "0000", "42\u00a002", "gift", "Gifts & parts", "礼品", "²", "Ⅷ", "not stated", "shoes", "ΟΔΟΣ",
        "9506000134352",
        "https://id.gs1.org/01/09506000134352/21/A1", "]C10109506000134352", "09506000134353", "J" * 29,
        "CNPVGAFRCDGAAUX60001001000105", "E", "EMS", "en", "EN\u00e9", "amendment", "cancellation",
    ]),
    st.text(max_size=6),
    st.text(st.characters(min_codepoint=0, max_codepoint=0x24F), max_size=4),
)  # fmt: skip
ODD_NUMBER = st.one_of(
    st.sampled_from([
        "1_000", "１２", "nan", "NaN", "inf", "-inf", "Infinity", "1e5", "1E+400", "-0", "-0.0", "+1", "1.", ".5",
        "0x10", "1,5", "-1",
        "1e13", "1000000000000", "1000000000001", "0.1", "00012", "2.0", "1.5", "0", "--1", "1e", "9007199254740993",
        "3", "20", "31",
        "12345678901234567.12345678901234567", " 7 ", "\u20037", "1d5",
    ]),
    st.floats().map(repr),
    st.integers(-5, 10**13).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=5000).map(str),
)  # fmt: skip
ODD_TIME = st.one_of(
    st.sampled_from([
        "2026-03-01T08:15Z", "2026-03-01 08:15:00+01", "2026-03-01T08:15:00.123456789Z", "20260301T081500Z",
        "2026-W09-7T08:15Z",
        "2026-060T08:15:00,5Z", "2026-03-01", "2026-03-01T08:15:00", "2026-03-29T02:30:00[Europe/Paris]",
        "2026-02-30T00:00:00Z",
        "2026-10-25T02:30:00[Europe/Paris]", "2026-03-01T24:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z",
        "45000.5",
        "2026-03-01T08:15:00-0930", "2026-03-01T08:15:00 UTC", "2026-03-01t08:15:00z", "yesterday",
        "2026-03-01T08:15:60Z",
        "2026-03-01T08:15:00\u22120500", "2026-03-01T08:15:00+14:59", "2026-03-01T08:15:00.5+00:00",
        "2026-03-01 08:15:00.25Z",
        "2026-03-01T08:15:00[Nowhere/City]", "2030-01-01T00:00:00Z", "2024-01-01T00:00:00Z",
        "  2026-03-01T08:15:00Z\u3000",
    ]),
    st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1)).map(lambda at: at.isoformat() + "Z"),  # noqa: DTZ001
)  # fmt: skip
POOLS = {"text": ODD_TEXT, "number": ODD_NUMBER, "whole": ODD_NUMBER, "time": ODD_TIME}


def cell_of(column: Column) -> st.SearchStrategy[str | None]:
    """What may stand in a cell: what belongs there in some form, what does not, or nothing."""
    return st.one_of(st.none(), POOLS[column.kind], ODD_TEXT, st.sampled_from(column.choices or (None,)))


@st.composite
def rows_of(draw: st.DrawFn) -> pl.DataFrame:
    """Rows of the manifest, of which some cells are odd; several lines and versions of few consignments."""
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        one = row(
            consignment_id=draw(st.sampled_from(["C1", "C2", "RB123456785CN", "rb 123456785 cn"])),
            line_no=draw(st.sampled_from([None, "1", "2", "3", "4.0"])),
            version=draw(st.sampled_from([None, "1", "2"])),
        )
        for column in draw(st.lists(st.sampled_from(COLUMNS), max_size=4)):
            one[column.name] = draw(cell_of(column))
        rows.append(one)
    names = [column.name for column in COLUMNS] + draw(
        st.sampled_from([[], [f"{EXTRA}depot"], [f"{EXTRA}a", f"{EXTRA}b"]])
    )
    missing = draw(st.lists(st.sampled_from(names), max_size=2))
    names = [name for name in names if name not in missing]
    for one in rows:
        one |= {name: draw(st.one_of(st.none(), ODD_TEXT)) for name in names if name.startswith(EXTRA)}
    cells = {name: [one.get(name) for one in rows] for name in names}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))
    lines = pl.Series("line", range(len(rows)), pl.Int64)
    return frame.with_columns(lines) if draw(st.booleans()) and names else frame


TYPED: dict[str, st.SearchStrategy[Any]] = {
    "float": st.lists(st.one_of(st.none(), st.floats()), min_size=3, max_size=3).map(
        lambda v: pl.Series(v, dtype=pl.Float64)
    ),
    "int": st.lists(st.one_of(st.none(), st.integers(-3, 2**62)), min_size=3, max_size=3).map(
        lambda v: pl.Series(v, dtype=pl.Int64)
    ),
    "small": st.lists(st.integers(0, 9), min_size=3, max_size=3).map(lambda v: pl.Series(v, dtype=pl.UInt8)),
    "bool": st.just(pl.Series([True, None, False])),
    "date": st.just(pl.Series([date(2026, 3, 1), None, date(2026, 3, 2)])),
    "time": st.just(pl.Series([LODGED_AT, None, LODGED_AT])),
    "naive": st.just(pl.Series([LODGED_AT.replace(tzinfo=None), None, LODGED_AT.replace(tzinfo=None)])),
    "list": st.just(pl.Series([["a"], None, []])),
    "record": st.just(pl.Series([{"a": 1}, None, {"a": 2}])),
    "bytes": st.just(pl.Series([b"EUR", None, b"\xff"])),
    "words": st.just(pl.Series(["EUR", None, " a "], dtype=pl.Categorical)),
    "nothing": st.just(pl.Series([None, None, None])),
    "decimal": st.just(pl.Series(["1.0", None, "2.50"]).cast(pl.Decimal(10, 2))),
}


@pytest.fixture(params=["few", "many"])
def judged_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have texts judged as those of a call, or as those of a file."""
    if request.param == "many":
        for module in ("received", "contract", "algebra.written", "algebra.frames"):
            monkeypatch.setattr(f"features.{module}.MANY", 0)
    return str(request.param)


def bits(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The cells of a frame, of numbers their bits."""
    return [tuple(cell.hex() if isinstance(cell, float) else cell for cell in cells) for cells in frame.rows()]


def same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.schema == other.schema
    assert bits(one) == bits(other)


def same_gated(frame: pl.DataFrame, columns: bool = True) -> None:
    rows = Table.of_frame(frame) if columns else frame
    for how in ({}, {"arrived": LODGED_AT}, {"recorded": True}):
        now, then = gate_manifest(rows, "f.csv", **how), former.gate_manifest(frame, "f.csv", **how)
        same(now.refused, then.refused)
        same(now.accepted, then.accepted)
        assert now.received == then.received
        folded, formerly = fold(now.rows), former_fold.fold(then.accepted)
        same(folded.frame, formerly.frame)
        same(folded.goods, formerly.goods)


@SETTINGS
@given(frame=rows_of())
def test_rows_of_text_are_gated_and_folded_as_they_were(judged_as: str, frame: pl.DataFrame) -> None:
    same_gated(frame)


@SETTINGS
@given(data=st.data())
def test_typed_columns_are_gated_as_they_were(judged_as: str, data: st.DataObject) -> None:
    frame = pl.DataFrame([row(consignment_id=f"C{i}") for i in range(3)])
    names = data.draw(
        st.lists(st.sampled_from([*(c.name for c in COLUMNS), f"{EXTRA}x", "foreign"]), min_size=1, max_size=4)
    )
    series = {name: data.draw(data.draw(st.sampled_from(list(TYPED.values())))) for name in names}
    same_gated(frame.with_columns(**series))


@SETTINGS
@given(frame=rows_of())
def test_values_are_left_out_as_they_were(judged_as: str, frame: pl.DataFrame) -> None:
    (now, noted), (then, formerly) = spared(frame), former.spared(frame)
    same(now.select(sorted(now.columns)), then.select(sorted(then.columns)))
    same(noted, formerly)


@SETTINGS
@given(data=st.data())
def test_results_are_gated_as_they_were(judged_as: str, data: st.DataObject) -> None:
    rows = []
    for _ in range(data.draw(st.integers(0, 4))):
        one: dict[str, str | None] = {"consignment_id": "C1", "known_at": "2026-03-01T08:15:00Z", "result": "compliant"}
        for column in data.draw(st.lists(st.sampled_from(OUTCOME_COLUMNS), max_size=3)):
            one[column.name] = data.draw(cell_of(column))
        rows.append(one)
    frame = pl.DataFrame(rows, schema=dict.fromkeys((c.name for c in OUTCOME_COLUMNS), pl.String))
    for recorded in (False, True):
        now, then = gate_outcomes(frame, recorded=recorded), former.gate_outcomes(frame, recorded=recorded)
        same(now.refused, then.refused)
        same(now.accepted, then.accepted)


@SETTINGS
@given(frame=rows_of(), sparing=st.booleans(), listed=st.booleans())
def test_messages_are_read_as_they_were(judged_as: str, frame: pl.DataFrame, sparing: bool, listed: bool) -> None:
    how: dict[str, Any] = {"received_at": LODGED_AT, "complete": False, "sparing": sparing}
    if frame.height:
        how["noted"] = pl.DataFrame(
            [(0, "description", "missing"), (1, "hs_code", "odd"), (1, "hs_code", "odd")],
            schema={"line": pl.Int64, "field": pl.String, "problem": pl.String}, orient="row",
        )  # fmt: skip
    by_name = {"FRCDG1": "FRCDG1", "CDG": "FRCDG1", "SS": "FRCDG1"} if listed else {}
    consignments, problems = read(Message(frame, "m", offices=Offices(by_name), **how))
    formerly, then = former_message.read(
        former_message.Message(frame, "m", offices=former_offices.Offices(by_name), **how)
    )
    lacking = pl.DataFrame({"row": rows_lacking(problems.odd, "request_information")}, schema={"row": pl.UInt32})
    same(lacking, lacking_as_it_was(then.found))
    same(problems.refused, then.refused)
    same(problems.found, then.found)
    same(consignments.frame.select(formerly.frame.columns), formerly.frame)
    same(consignments.goods, formerly.goods)


def lacking_as_it_was(problems: pl.DataFrame) -> pl.DataFrame:
    lacking = [pair for stage in stages() if stage.orientation == "request_information" for pair in stage.lacking]
    listed = pl.DataFrame(lacking, schema={"field": pl.String, "problem": pl.String}, orient="row")
    return problems.join(listed, on=["field", "problem"], how="semi").select(pl.col("row").unique().sort())


def test_a_message_with_a_bad_row_is_refused_as_a_whole() -> None:
    with pytest.raises(Refused):
        read(Message(pl.DataFrame([row(stream="sea")]), "m", LODGED_AT))
