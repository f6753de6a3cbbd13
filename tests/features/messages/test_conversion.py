"""What a mapping or an option says of numbers, masses and times, and what nobody may guess of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from features.contract import gate_manifest
from features.messages.formats import read_content
from features.messages.mapping import UNMAPPED, MappingFault
from features.messages.mapping_file import form_of, load_mapping
from features.messages.written_times import WrittenTimes, times_written
from features.numerals import LOST_DIGITS, comma_of, digits_of, with_decimal_point
from tests.features.conftest import csv_of, frame_of, row


def converted(tmp_path: Path, name: str, rule: str, value: str) -> object:
    (tmp_path / "m.toml").write_text(f"[manifest.convert]\n{name} = {{ {rule} }}\n", encoding="utf-8")
    gated = gate_manifest(load_mapping(tmp_path / "m.toml").to_manifest(frame_of(row(**{name: value}))), "day")
    return gated.accepted[name][0] if gated.accepted.height else gated.refused["reason"][0]


@pytest.mark.parametrize(
    ("rule", "written", "number"),
    [
        ('decimal = ","', "12,50", 12.5),
        ('decimal = ","', "1.234,50", 1234.5),
        ('decimal = ","', "1\u202f234,5", 1234.5),
        ('decimal = ","', "1,234", 1.234),
        ('decimal = ",", grouping = "\'"', "1'234'567,5", 1234567.5),
        ('grouping = ","', "1,234", 1234.0),
        ('grouping = ","', "1,234,567.89", 1234567.89),
        ('grouping = ","', "12,34,567.5", 1234567.5),  # lakhs
        ('grouping = "\'"', "1\u2019234.5", 1234.5),
        ('grouping = " "', "1 234.5", 1234.5),
        ('grouping = ","', "12,5", "not a number"),
        ('grouping = ","', "1,23", "not a number"),
        ('unit = "g"', "1500", 1.5),
        ('unit = "lb"', "2", 0.90718474),
        ('unit = "oz"', "16", 0.45359237),
        ('unit = "t"', "0.5", 500.0),
        ('unit = "g", decimal = ","', "1500,5", 1.5005),
        ('unit = "g"', "heavy", "not a number"),
    ],
)
def test_numbers_and_masses_are_read_as_a_mapping_says(rule: str, written: str, number: object, tmp_path: Path) -> None:
    got = converted(tmp_path, "gross_mass_kg", rule, written)
    assert got == (pytest.approx(number) if isinstance(number, float) else number)


@pytest.mark.parametrize(
    ("rule", "written", "moment"),
    [
        ('serial = "1900"', "46083", "2026-03-02T00:00:00+00:00"),
        ('serial = "1900", zone = "Europe/Paris"', "46083.333333333336", "2026-03-02T07:00:00+00:00"),
        ('serial = "1900", decimal = ",", zone = "Asia/Shanghai"', "46083,33", "2026-03-01T23:55:12+00:00"),
        ('serial = "1904"', "44621", "2026-03-02T00:00:00+00:00"),
        ('serial = "1900", zone = "Europe/Paris"', "46110.104166667", "an hour that the clocks of its zone skip"),
        ('serial = "1900"', "monday", "not a time"),
        ('serial = "1900"', "1e300", "not a time"),
        ('zone = "Europe/Paris"', "2026-03-02T08:00:00", "2026-03-02T07:00:00+00:00"),
        ('zone = "Europe/Paris"', "2026-03-02 08:00", "2026-03-02T07:00:00+00:00"),
        ('zone = "Europe/Paris"', "20260302T0800", "2026-03-02T07:00:00+00:00"),
        ('zone = "Europe/Paris"', "2026-03-02T08:00:00Z", "2026-03-02T08:00:00+00:00"),  # it states its own
        ('zone = "Europe/Paris"', "2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),  # shown twice: the earlier
        ('zone = "Europe/Paris"', "2026-03-29T02:30:00", "an hour that the clocks of its zone skip"),
        ('zone = "Europe/Paris"', "2026-03-02", "time without a zone"),  # a day is no moment
        ('format = "%d/%m/%Y %H:%M", zone = "America/New_York"', "08/03/2026 02:30",
         "an hour that the clocks of its zone skip"),
        ('format = "%d/%m/%Y %H:%M", zone = "Europe/Paris"', "02/03/2026 08:00", "2026-03-02T07:00:00+00:00"),
        ('format = "%m/%d/%Y %I:%M %p", zone = "UTC"', "03/02/2026 08:00 PM", "2026-03-02T20:00:00+00:00"),
    ],
)  # fmt: skip
def test_times_are_read_as_a_mapping_says(rule: str, written: str, moment: str, tmp_path: Path) -> None:
    got = converted(tmp_path, "lodged_at", rule, written)
    assert (got if isinstance(got, str) else got.isoformat()) == moment  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"decimal": ";"}, r'--decimal: needs "\." or ","'),
        ({"grouping": "x"}, "--grouping: needs"),
        ({"decimal": ",", "grouping": ","}, "--grouping: cannot be the decimal sign as well"),
        ({"encoding": "klingon"}, "--encoding: no such encoding"),
        ({"zone": "Mars/North"}, "--zone: unknown time zone"),
        ({"separator": ";;"}, "--separator: needs one character"),
        ({"separator": '"'}, "--separator: needs one character"),
    ],
)
def test_a_form_that_cannot_be_is_named_by_its_option(form: dict[str, str], fault: str) -> None:
    with pytest.raises(MappingFault, match=fault):
        form_of(form, "--{}")


def test_the_form_of_a_file_holds_for_all_its_columns() -> None:
    written = row(value="1.234,50", gross_mass_kg="0,5", lodged_at="2026-03-02 08:00")
    form = form_of({"decimal": ",", "zone": "Europe/Paris"}, "--{}")
    rows = read_content(csv_of(written, separator=";"), "day").rows
    accepted = gate_manifest(UNMAPPED.written(form).to_manifest(rows), "day").accepted
    assert accepted.select("value", "gross_mass_kg").rows() == [(1234.5, 0.5)]
    assert accepted["lodged_at"][0].hour == 7


@pytest.mark.parametrize(
    ("written", "kind"),
    [("12,50", "decimal"), ("0,123", "decimal"), ("1.234,5", "decimal"), ("1234,567", "decimal"), ("1,234", "either"),
     ("-12,345", "either"), ("1,234.5", "thousands"), ("1,234,567", "thousands"), ("12.5", None), ("12", None),
     ("a,b", None), ("1,,2", None), ("", None)],
)  # fmt: skip
def test_what_a_comma_is_is_told_and_left_open_where_nobody_can_say(written: str, kind: str | None) -> None:
    assert pl.select(comma_of(pl.lit(written))).item() == kind


@pytest.mark.parametrize("text", ["1.234", "1,234", "x", "", "1'234"])
def test_nothing_is_converted_that_nobody_stated(text: str) -> None:
    assert pl.select(with_decimal_point(pl.lit(text), ".", "")).item() == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(8613800138000.0, "8613800138000"), (2.0**53 - 1, "9007199254740991"), (1e16, "10000000000000000"),
     (8.6138001380001e16, "86138001380001000"), (-1e17, "-100000000000000000"), (12345678901234567.0, LOST_DIGITS),
     (3.95e17, "395000000000000000"), (395060001343521234.0, LOST_DIGITS), (75002.5, "75002.5"), (float("nan"), None)],
)  # fmt: skip
def test_a_float_is_its_digits_or_told(number: float, text: str | None) -> None:
    assert pl.DataFrame({"a": [number, None]}).select(digits_of(pl.col("a")))["a"].to_list() == [text, None]


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (["02/03/2026 08:00"], WrittenTimes("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")),
        (["02/03/2026", "13/03/2026"], WrittenTimes("%d/%m/%Y")),
        (["03/13/2026 08:00:00"], WrittenTimes("%m/%d/%Y %H:%M:%S")),
        (["3.2.26"], WrittenTimes("%d.%m.%y", "%m.%d.%y")),
        (["2026/03/02 08:00"], WrittenTimes("%Y/%m/%d %H:%M")),
        (["02-Mar-2026"], WrittenTimes("%d-%b-%Y")),
        (["3/2/2026 8:00 PM"], WrittenTimes("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p")),
        (["2026年3月2日 08:00"], WrittenTimes("%Y年%m月%d日 %H:%M")),
        (["46083.33", "46084"], WrittenTimes(serial="1900")),
        (["20260302T080000"], WrittenTimes()),
        (["640411"], None),
        (["02/03/2026", "yesterday"], None),
        (["2026-03-02T08:00:00Z"], None),
        ([], None),
    ],
)
def test_how_times_are_written_is_told_from_all_cells(cells: list[str], written: WrittenTimes | None) -> None:
    assert times_written(cells) == written
