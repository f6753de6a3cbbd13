"""The gate: each malformed row named with its line, field, reason and remedy, and every row accounted for."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.consignment import BY_NAME, COLUMNS, TIME
from features.contract import AHEAD, QUARANTINE_COLUMNS, Gated, gate, gate_manifest, gate_outcomes
from features.messages.flat import read_csv, read_parquet
from features.outcome import OUTCOME_COLUMNS
from tests.features.conftest import LODGED_AT, csv_of, frame_of, parquet_of, row

# what is changed in a good row, and how the gate must name it: field, reason, a word of the remedy
MALFORMED: list[tuple[dict[str, object], str, str, str]] = [
    ({"consignment_id": ""}, "consignment_id", "missing", "must state"),
    ({"consignment_id": "   "}, "consignment_id", "missing", "must state"),
    ({"stream": ""}, "stream", "missing", "must state"),
    ({"stream": "sea"}, "stream", "unknown word", "postal, express"),
    ({"lodged_at": ""}, "lodged_at", "missing", "must state"),
    ({"lodged_at": "yesterday"}, "lodged_at", "not a time", "ISO 8601"),
    ({"lodged_at": "2026-02-30T08:15:00Z"}, "lodged_at", "not a time", "ISO 8601"),
    ({"lodged_at": "2026-03-01T08:15:00"}, "lodged_at", "time without a zone", "zone"),
    ({"lodged_at": "2026-03-01"}, "lodged_at", "time without a zone", "zone"),
    ({"description": ""}, "description", "missing", "must state"),
    ({"gross_mass_kg": "two"}, "gross_mass_kg", "not a number", "decimal"),
    ({"gross_mass_kg": "1,5"}, "gross_mass_kg", "not a number", "decimal"),
    ({"value": "-0.01"}, "value", "negative", "zero or more"),
    ({"value": "inf"}, "value", "not finite", "finite"),
    ({"value": "1e999"}, "value", "not finite", "finite"),
    ({"value": "NaN"}, "value", "not a number", "decimal"),
    ({"value": "1e13"}, "value", "too large", "at most"),
    ({"version": "0"}, "version", "not a whole number from 1", "1, 2, 3"),
    ({"version": "1.5"}, "version", "not a whole number from 1", "1, 2, 3"),
    ({"line_no": "0"}, "line_no", "not a whole number from 1", "1, 2, 3"),
    ({"description": "phone\x07case"}, "description", "control or undecodable characters", "printable"),
    ({"description": "x" * 2001}, "description", "longer than allowed", "at most 2000"),
    ({"consignee_name": "é" * 201}, "consignee_name", "longer than allowed", "at most 200"),
    ({"nature": "loan"}, "nature", "unknown word", "sale, gift"),
]
TWICE = row(consignment_id="TWICE1")


def malformed_rows() -> list[dict[str, object]]:
    """Each malformed row after a good one; at the end, one line of one consignment stands twice."""
    rows = []
    for i, (changes, *_) in enumerate(MALFORMED):
        rows += [row(consignment_id=f"GOOD{i}"), row(**{"consignment_id": f"BAD{i}", **changes})]
    return [*rows, TWICE, TWICE]


def named(refused: pl.DataFrame) -> list[tuple[object, ...]]:
    return refused.select("line", "field", "reason").rows()


EXPECTED = [(3 + 2 * i, field, reason) for i, (_, field, reason, _) in enumerate(MALFORMED)] + [
    (3 + 2 * len(MALFORMED), "line_no", "line given twice")
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_malformed_row_is_named_and_counted(kind: str) -> None:
    rows = malformed_rows()
    if kind == "csv":
        raw = read_csv(csv_of(*rows), "day.csv")
    else:
        raw = read_parquet(parquet_of(frame_of(*rows).drop("line")), "day.parquet")
    gated = gate_manifest(raw.rows, "day")
    assert named(gated.refused) == EXPECTED
    remedies = gated.refused["remedy"].to_list()
    assert all(word in remedy for (*_, word), remedy in zip(MALFORMED, remedies, strict=False))
    assert gated.received == len(rows) == gated.accepted.height + gated.refused.height
    assert gated.accepted["line"].to_list() == [2 + 2 * i for i in range(len(MALFORMED) + 1)]
    assert gated.refused.columns == list(QUARANTINE_COLUMNS)


def test_csv_records_that_are_no_rows_are_counted_beside_malformed_rows() -> None:
    good = csv_of(row(consignment_id="C1"), row(consignment_id="C2", value="-1"), row(consignment_id="C3"))
    header, first, second, third = good.splitlines()
    broken = [b"only,three,fields", third + b",one too many", third.replace(b"leather", b"cuir\xe9")]
    unclosed = third.replace(b"leather phone case", b'"leather phone case')
    content = b"\n".join([header, first, *broken, second, third, unclosed, first])
    raw = read_csv(content, "day.csv")
    gated = gate_manifest(raw.rows, "day")
    told = pl.concat([raw.broken, gated.refused]).sort("line")
    width = len(header.split(b","))
    assert named(told) == [
        (3, "record", f"3 fields where the header has {width}"),
        (4, "record", f"{width + 1} fields where the header has {width}"),
        (5, "record", "not UTF-8"),
        (6, "value", "negative"),
        (8, "record", "an opened quote is never closed"),
    ]
    assert min(told["remedy"].str.len_chars().to_list()) > 5
    assert gated.accepted["line"].to_list() == [2, 7]
    assert raw.received == 7 == gated.accepted.height + told.height


def test_a_row_with_several_faults_names_the_first_and_lists_all() -> None:
    refused = gate_manifest(frame_of(row(stream="sea", value="-1", description=None)), "f").refused
    assert refused.height == 1
    assert refused["field"].item() == "stream"
    assert refused["all_faults"].item() == "stream: unknown word; description: missing; value: negative"


def test_the_refused_row_is_kept_as_received() -> None:
    refused = gate_manifest(frame_of(row(value="lots", extra_depot="7")), "f").refused
    received = refused["row_as_received"].item()
    assert '"value":"lots"' in received
    assert '"extra_depot":"7"' in received


def test_a_line_given_twice_is_kept_as_received() -> None:
    refused = gate_manifest(frame_of(row(value="20.00"), row(value="20.00")), "f").refused
    assert '"value":"20.00"' in refused["row_as_received"].item()


def test_a_good_row_is_typed_with_defaults() -> None:
    rows = frame_of({k: v for k, v in row(dispatch_country="cn", currency="eur").items() if k != "message_id"})
    accepted = gate_manifest(rows.drop("version", "line_no"), "monday.csv").accepted
    assert accepted.height == 1
    one = accepted.row(0, named=True)
    assert (one["message_id"], one["version"], one["line_no"]) == ("monday.csv", 1, 1)
    assert (one["dispatch_country"], one["currency"]) == ("CN", "EUR")
    assert one["lodged_at"] == datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
    assert (one["value"], one["gross_mass_kg"], one["office"]) == (20.0, 0.5, None)
    assert {n: t for n, t in accepted.schema.items() if n != "line"} == {c.name: c.dtype for c in COLUMNS}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T08:15:00Z", "2026-03-01T08:15:00+00:00"),
        ("2026-03-01 08:15:00z", "2026-03-01T08:15:00+00:00"),
        ("2026-03-01T08:15Z", "2026-03-01T08:15:00+00:00"),
        ("2026-03-01T08:15:00+09:00", "2026-02-28T23:15:00+00:00"),
        ("2026-03-01T08:15:00-0330", "2026-03-01T11:45:00+00:00"),
        ("2026-03-01T08:15:00.25+01:00", "2026-03-01T07:15:00.250000+00:00"),
        ("2026-03-01T08:15:00+01", "2026-03-01T07:15:00+00:00"),
        ("2026-03-01 08:15-05", "2026-03-01T13:15:00+00:00"),
    ],
)
def test_times_with_a_zone_are_turned_to_utc(written: str, meant: str) -> None:
    accepted = gate_manifest(frame_of(row(lodged_at=written)), "f").accepted
    assert [t.isoformat() for t in accepted["lodged_at"]] == [meant]


@pytest.mark.parametrize("written", ["0000-01-01T00:00:00Z", "-2026-01-01T00:00:00Z", "+12026-01-01T00:00:00Z"])
def test_times_out_of_all_range_are_refused(written: str) -> None:
    assert gate_manifest(frame_of(row(lodged_at=written)), "f").refused.height == 1


def test_missing_line_numbers_are_positions_within_the_version() -> None:
    rows = [row(line_no=None, consignment_id=name) for name in ("A", "B", "A", "A")]
    accepted = gate_manifest(frame_of(*rows), "f").accepted
    assert accepted["line_no"].to_list() == [1, 1, 2, 3]


def test_a_missing_line_number_never_collides_with_a_stated_one() -> None:
    gated = gate_manifest(frame_of(row(line_no="2"), row(line_no=None, description="belt")), "f")
    assert gated.refused.is_empty()


def test_the_same_line_of_another_version_or_message_is_no_repetition() -> None:
    gated = gate_manifest(frame_of(row(), row(version="2"), row(message_id="M2")), "f")
    assert gated.accepted.height == 3


def test_nothing_received_is_nothing_judged() -> None:
    gated = gate_manifest(frame_of(row()).head(0), "f")
    assert (gated.received, gated.accepted.height, gated.refused.height) == (0, 0, 0)


# ---- Parquet types


def typed(**columns: object) -> Gated:
    """The gate on a good row of which some columns are of another type."""
    changed = [value.alias(name) for name, value in columns.items() if isinstance(value, pl.Series)]
    return gate_manifest(frame_of(row()).with_columns(changed), "f")


def test_a_datetime_without_zone_is_refused_and_with_zone_turned_to_utc() -> None:
    moment = pl.Series([datetime(2026, 3, 1, 8, 15)])  # noqa: DTZ001 - naive is the point
    assert named(typed(lodged_at=moment).refused) == [(2, "lodged_at", "time without a zone")]
    for unit in ("ms", "us", "ns"):
        seoul = moment.dt.cast_time_unit(unit).dt.replace_time_zone("Asia/Seoul")
        accepted = typed(lodged_at=seoul).accepted
        assert accepted.schema["lodged_at"] == TIME
        assert accepted["lodged_at"].to_list() == [datetime(2026, 2, 28, 23, 15, tzinfo=UTC)]


def test_a_date_or_a_number_is_not_a_time() -> None:
    for value in (1_770_000_000, 1.5, True):
        assert named(typed(lodged_at=pl.Series([value])).refused) == [(2, "lodged_at", "not a time")]
    days = typed(lodged_at=pl.Series([date(2026, 3, 1)])).refused
    assert named(days) == [(2, "lodged_at", "a day without a time of day")]


def test_integers_serve_as_ids_and_as_numbers() -> None:
    accepted = typed(consignment_id=pl.Series([17]), hs_code=pl.Series([420231]), value=pl.Series([5])).accepted
    assert accepted.select("consignment_id", "hs_code", "value").row(0) == ("17", "420231", 5.0)


def test_decimals_and_categoricals_are_read() -> None:
    gated = typed(
        value=pl.Series([Decimal("12.50")]),
        stream=pl.Series(["express"], dtype=pl.Enum(["express", "postal"])),
        description=pl.Series(["belt"], dtype=pl.Categorical),
        quantity=pl.Series(["3"], dtype=pl.Categorical),
    )
    accepted = gated.accepted.select("value", "stream", "description", "quantity")
    assert accepted.rows() == [(12.5, "express", "belt", 3.0)]


def test_a_boolean_is_no_number() -> None:
    assert named(typed(value=pl.Series([True])).refused) == [(2, "value", "not a number")]


def test_numbers_that_are_none_are_refused() -> None:
    assert named(typed(value=pl.Series([math.nan])).refused) == [(2, "value", "not finite")]
    assert named(typed(value=pl.Series([-math.inf])).refused)[0][:2] == (2, "value")
    assert named(typed(version=pl.Series([2**63], dtype=pl.UInt64)).refused) == [(2, "version", "too large")]


def test_columns_of_nulls_are_unknown_and_missing_where_required() -> None:
    nulls = pl.Series([None], dtype=pl.Null)
    assert typed(value=nulls, office=nulls, version=nulls).accepted.select("value", "version").row(0) == (None, 1)
    assert named(typed(description=nulls).refused) == [(2, "description", "missing")]


ODD_TYPES = {
    "list": pl.Series([["a"]]),
    "binary": pl.Series([b"\xff"]),
    "duration": pl.Series([timedelta(hours=1)]),
    "struct": pl.Series([{"a": 1}]),
    "time": pl.Series([datetime(2026, 3, 1, 8, tzinfo=UTC).time()]),
}
ODD_CASES = [
    pytest.param(odd, column)
    for odd in ("list", "binary", "duration", "time")
    for column in ("description", "value", "lodged_at", "extra_blob")
]


@pytest.mark.parametrize(("odd", "column"), ODD_CASES)
def test_columns_of_types_that_hold_no_text_never_raise(odd: str, column: str) -> None:
    changed = ODD_TYPES[odd].alias(column)
    gated = gate_manifest(frame_of(row(quantity="-1")).with_columns(changed), "f")
    assert (gated.received, gated.accepted.height, gated.refused.height) == (1, 0, 1)


# ---- properties

NASTY = ["", " ", "NaN", "inf", "-0", "1e400", "1_000", "٣", "0x1F", "\x00", "\ufeff", "null", "postal", "sale", "1",
         "2026-03-01T08:15:00Z", "2026-03-01", "9999-12-31T23:59:59-23:59", "-1", "0.0", "1.5", "x" * 3000]  # fmt: skip
TEXTS = st.one_of(st.none(), st.sampled_from(NASTY), st.text(max_size=12))
CELLS: dict[str, tuple[st.SearchStrategy[object], pl.DataType]] = {
    "text": (TEXTS, pl.String()),
    "number": (st.one_of(st.none(), st.floats()), pl.Float64()),
    "integer": (st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), pl.Int64()),
    "boolean": (st.one_of(st.none(), st.booleans()), pl.Boolean()),
    "moment": (
        st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))),  # noqa: DTZ001
        pl.Datetime("us"),
    ),
    "zoned": (st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))), TIME),  # noqa: DTZ001
    "category": (st.one_of(st.none(), st.sampled_from(NASTY)), pl.Categorical()),
    "nothing": (st.none(), pl.Null()),
}
NAMES = (*(c.name for c in COLUMNS), "extra_depot", "whatever")


@st.composite
def arbitrary_frames(draw: st.DrawFn) -> pl.DataFrame:
    """A frame of good rows in which some columns hold anything at all."""
    height = draw(st.integers(0, 4))
    base = frame_of(*[row()] * height) if height else frame_of(row()).head(0)
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    changed = []
    for name in names:
        cells, dtype = CELLS[draw(st.sampled_from([*CELLS, "text", "text"]))]
        values = draw(st.lists(cells, min_size=height, max_size=height))
        naive = pl.Series(name, values, dtype=pl.Datetime("us") if dtype == TIME else dtype)
        changed.append(naive.dt.replace_time_zone("UTC") if dtype == TIME else naive)
    return base.with_columns(changed)


@settings(max_examples=60, deadline=None)
@given(arbitrary_frames())
@pytest.mark.slow
def test_the_gate_never_raises_and_accounts_for_every_row(frame: pl.DataFrame) -> None:
    gated = gate_manifest(frame, "f")
    assert gated.received == frame.height == gated.accepted.height + gated.refused.height
    lines = [*gated.accepted["line"], *gated.refused["line"]]
    assert sorted(lines) == frame["line"].to_list()
    assert gated.refused.select(QUARANTINE_COLUMNS).null_count().sum_horizontal().item() == 0
    assert keeps_the_contract(gated.accepted)


def keeps_the_contract(accepted: pl.DataFrame) -> bool:
    """Whether every accepted row is what the contract promises."""
    for column in BY_NAME.values():
        values = accepted[column.name]
        assert values.dtype == column.dtype
        assert not (column.required and values.null_count())
        stated = values.drop_nulls()
        if column.choices:
            assert stated.is_in(list(column.choices)).all()
        if column.kind == "number":
            assert (stated.is_finite() & (stated >= 0) & (stated <= 1e12)).all()
        if column.kind == "whole":
            assert (stated >= 1).all()
        if column.kind == "text" and column.name != "message_id":
            assert not stated.str.contains(r"\x00").any()
    return True


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=len(OUTCOME_COLUMNS), max_size=len(OUTCOME_COLUMNS)), max_size=4))
@pytest.mark.slow
def test_the_outcome_gate_never_raises_either(cells: list[list[str | None]]) -> None:
    schema = {c.name: pl.String for c in OUTCOME_COLUMNS}
    gated = gate_outcomes(pl.DataFrame(cells, schema=schema, orient="row"))
    assert gated.received == len(cells) == gated.accepted.height + gated.refused.height


# ---- outcomes

RESULT: dict[str, object] = {"consignment_id": "C1", "known_at": "2026-03-05T10:00:00Z", "result": "compliant"}


def outcome(**changes: object) -> Gated:
    return gate_outcomes(frame_of({**RESULT, **changes}))


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"result": "guilty"}, "result", "unknown word"),
        ({"result": None}, "result", "missing"),
        ({"known_at": "2026-03-05T10:00:00"}, "known_at", "time without a zone"),
        ({"stage": "later"}, "stage", "unknown word"),
        ({"selection": "hunch"}, "selection", "unknown word"),
        ({"selection_probability": "0"}, "selection_probability", "not a probability"),
        ({"selection_probability": "1.01"}, "selection_probability", "not a probability"),
        ({"selection_probability": "-0.2"}, "selection_probability", "negative"),
        ({"criminal_link": "perhaps"}, "criminal_link", "unknown word"),
        ({"items_found": "-3"}, "items_found", "negative"),
    ],
)
def test_malformed_outcomes_are_named(changes: dict[str, object], field: str, reason: str) -> None:
    assert named(outcome(**changes).refused) == [(2, field, reason)]


@pytest.mark.parametrize("chance", ["1", "0.0001", "0.5"])
def test_probabilities_above_zero_up_to_one_are_kept(chance: str) -> None:
    assert outcome(selection_probability=chance).accepted["selection_probability"].to_list() == [float(chance)]


def test_a_boolean_criminal_link_is_read_as_its_word() -> None:
    rows = frame_of(RESULT, RESULT).with_columns(criminal_link=pl.Series([True, None]))
    assert gate_outcomes(rows).accepted["criminal_link"].to_list() == ["true", None]


def test_an_outcome_without_stage_was_at_clearance() -> None:
    assert outcome().accepted["stage"].to_list() == ["clearance"]


def test_lines_are_numbered_where_the_reader_did_not() -> None:
    gated = gate(frame_of(row(), row(value="-1")).drop("line"))
    assert (gated.accepted["line"].to_list(), gated.refused["line"].to_list()) == ([2], [3])


@pytest.mark.parametrize(
    ("result", "findings", "reason"),
    [
        ("compliant", "counterfeit", "findings beside the result compliant"),
        ("non_compliant", None, "missing beside the result non_compliant"),
        ("compliant", None, None),
        ("non_compliant", "counterfeit", None),
        ("not_presented", None, None),
        ("inconclusive", None, None),
    ],
)
def test_a_result_that_contradicts_itself_is_refused(result: str, findings: str | None, reason: str | None) -> None:
    rows = frame_of({**RESULT, "result": result, "findings": findings}, RESULT)
    gated = gate_outcomes(rows)
    assert gated.refused.select("line", "field", "reason").rows() == ([(2, "findings", reason)] if reason else [])
    assert gated.accepted.height + gated.refused.height == gated.received == 2
    assert gate_outcomes(rows, recorded=True).accepted.height == 2  # what is on record stands


def test_whole_numbers_that_a_table_tool_made_floats_are_their_digits() -> None:
    numbers = {"hs_code": 640411.0, "consignor_phone": 8613800138000.0, "product_code": 9506000134352.0}
    table = frame_of(row(), row(consignment_id="C2")).with_columns(pl.Series(n, [v, None]) for n, v in numbers.items())
    accepted = gate_manifest(table, "day").accepted
    assert accepted.select(*numbers).rows() == [("640411", "8613800138000", "9506000134352"), (None, None, None)]
    assert gate_manifest(frame_of(row()).with_columns(hs_code=pl.lit(1.5)), "day").accepted["hs_code"].to_list() == [
        "1.5"
    ]


@pytest.mark.parametrize(
    ("ahead", "refused"), [(AHEAD, 0), (AHEAD + timedelta(seconds=1), 1), (timedelta(days=13_000), 1)]
)
def test_what_was_lodged_long_after_it_arrived_is_refused(ahead: timedelta, refused: int) -> None:
    lodged = LODGED_AT + ahead
    rows = frame_of(row(lodged_at=lodged.isoformat()), row(consignment_id="C2"))
    gated = gate_manifest(rows, "day", LODGED_AT)
    assert (gated.refused.height, gated.accepted.height) == (refused, 2 - refused)
    assert gated.refused["field"].to_list() == ["lodged_at"] * refused
    assert gated.refused["reason"].to_list() == ["more than 7 days after its arrival"] * refused
    assert gate_manifest(rows, "day").refused.is_empty()  # nobody says when it arrived


OF_ANOTHER_TYPE = [
    ("consignor_phone", pl.Series([["a"]]), "a list where text is wanted"),
    ("consignee_name", pl.Series([{"a": 1}]), "a record where text is wanted"),
    ("product_code", pl.Series([date(2026, 3, 1)]), "a date where text is wanted"),
    ("hs_code", pl.Series([datetime(2026, 3, 1, tzinfo=UTC)]), "a date where text is wanted"),
    ("consignee_postcode", pl.Series([timedelta(hours=1)]), "a duration where text is wanted"),
    ("lodged_at", pl.Series([["2026-03-01T08:15:00Z"]]), "a list where a time is wanted"),
    ("value", pl.Series([b"12.5"]), "bytes where a number is wanted"),
    ("value", pl.Series([[12.5]]), "a list where a number is wanted"),
    ("gross_mass_kg", pl.Series([date(2026, 3, 1)]), "a date where a number is wanted"),
]


@pytest.mark.parametrize(("name", "column", "reason"), OF_ANOTHER_TYPE)
def test_a_column_of_another_type_is_told_by_what_it_holds(name: str, column: pl.Series, reason: str) -> None:
    refused = typed(**{name: column}).refused
    assert named(refused) == [(2, name, reason)]
    assert "one value in a cell" in refused["remedy"][0]


@pytest.mark.parametrize(("name", "column", "reason"), OF_ANOTHER_TYPE)
def test_an_empty_column_of_another_type_states_nothing(name: str, column: pl.Series, reason: str) -> None:
    gated = typed(**{name: column.clear(1)})
    assert [field for _, field, _ in named(gated.refused)] == ([name] if name == "lodged_at" else [])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (pl.Series([8613800138000], dtype=pl.Decimal(38, 2)), "8613800138000"),
        (pl.Series([75002.5]), "75002.5"),
        (pl.Series([float("nan")]), None),
        (pl.Series([90111.0]), "90111"),
        (pl.Series([8.6138001380001e16]), "86138001380001000"),
        (pl.Series([75002], dtype=pl.UInt64), "75002"),
    ],
)
def test_numbers_where_text_is_meant_are_their_digits(number: pl.Series, text: str | None) -> None:
    assert typed(consignor_phone=number).accepted["consignor_phone"].to_list() == [text]


def test_a_number_that_lost_its_last_digits_is_refused_for_it_would_be_another() -> None:
    refused = typed(consignment_id=pl.Series([395060001343521234.0])).refused
    assert named(refused) == [(2, "consignment_id", "a number whose last digits are lost")]
