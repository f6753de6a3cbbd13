"""Masses and their units wherever messages state them: in kilograms, or left out and told."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from features.messages.bounds import OF_A_FILE
from features.messages.formats import read_content
from features.messages.mapping import UNMAPPED
from features.messages.masses import TWO_UNITS, UNKNOWN_UNIT, in_kilograms, number_of, unit_of, units
from features.messages.postal import read_postal_xml
from features.messages.postal_map import postal_map
from features.messages.quality import TOO_HEAVY, oddities
from features.messages.raw import Raw
from tests.features.conftest import consignments_of, row
from tests.features.messages.parcels import FHL

PARTY = {"name": "Bright Yiwu", "country": "CN"}


def item_message(item: dict[str, Any], piece: dict[str, Any] | None = None, **message: Any) -> Raw:
    """Read an item message of one item with one piece."""
    whole = {"itemId": "RB123456785CN", "sender": PARTY, **item}
    pieces = [{"description": "running shoes", **(piece or {})}]
    told = {"itmatt": {"messageId": "M1", **message, "items": [{**whole, "contentPiece": pieces}]}}
    return read_content(json.dumps(told).encode(), "m", UNMAPPED)


def masses_of(raw: Raw) -> tuple[float | None, float | None]:
    gross, net = raw.rows.select(pl.col("gross_mass_kg", "net_mass_kg").cast(pl.Float64)).row(0)
    return gross, net


@pytest.mark.parametrize(
    ("item", "kilograms"),
    [
        ({"grossWeight": 450, "grossWeightUnit": "g"}, 0.45),
        ({"grossWeight": 450, "weightUnit": "GRM"}, 0.45),
        ({"grossWeight": {"value": 450, "unit": "grams"}}, 0.45),
        ({"grossWeight": {"amount": "1.5", "uom": "LB"}}, 0.680388555),
        ({"weight": {"pounds": 1, "ounces": 8}}, 0.680388555),
        ({"weight": {"value": 24.0, "units": "ounces"}}, 0.680388555),
        ({"weight": "0.45 kg"}, 0.45),
        ({"weight": "450g"}, 0.45),
        ({"weight": "1 lb 8 oz"}, 0.680388555),
        ({"weight": "450 克"}, 0.45),
        ({"weightInGrams": 450}, 0.45),
        ({"gross_weight_kg": "0.45"}, 0.45),
        ({"weight": "0,45", "weight_unit": "Kgs."}, 0.45),
        ({"weight": 0.00045, "weightUnit": "TNE"}, 0.45),
        ({"weight": "0.45"}, 0.45),  # none stated: the map says kilograms
    ],
)
def test_the_unit_of_a_mass_is_read_where_it_stands(item: dict[str, Any], kilograms: float) -> None:
    raw = item_message(item)
    assert masses_of(raw)[0] == pytest.approx(kilograms)
    assert "gross_mass_kg" not in raw.noted["field"].to_list()


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"weight": 450, "weightUnit": "stone"}, UNKNOWN_UNIT),
        ({"weight": "450 ton"}, UNKNOWN_UNIT),  # of three kinds
        ({"weight": {"value": 2, "unit": "PCE"}}, UNKNOWN_UNIT),
        ({"weight": "1 kg 3 pcs"}, UNKNOWN_UNIT),
        ({"weight": "450 g", "weightUnit": "kg"}, TWO_UNITS),
        ({"weight": "1 lb 8 oz", "weightUnit": "lb"}, TWO_UNITS),
    ],
)
def test_a_unit_that_is_not_known_is_told_and_its_mass_left_out(item: dict[str, Any], problem: str) -> None:
    raw = item_message(item)
    assert masses_of(raw)[0] is None
    assert ("gross_mass_kg", problem) in raw.noted.select("field", "problem").rows()


@pytest.mark.parametrize(
    ("item", "piece", "message"),
    [
        ({"grossWeight": 450, "grossWeightUnit": "g"}, {"netWeight": 400, "netWeightUnit": "g"}, {}),
        ({"grossWeight": 450, "grossWeightUnit": "g"}, {"netWeight": 400}, {}),
        ({"grossWeight": 450, "weightUnit": "g"}, {"netWeight": 400}, {}),
        ({"grossWeight": 450}, {"netWeight": 400}, {"weightUnit": "g"}),
        ({"grossWeight": 450}, {"netWeight": 0.4, "netWeightUnit": "kg"}, {"massUnit": "grams"}),
        ({"grossWeight": "0.45"}, {"netWeight": "400 g"}, {}),
    ],
)
def test_a_unit_holds_for_what_stands_below_it(
    item: dict[str, Any], piece: dict[str, Any], message: dict[str, Any]
) -> None:
    assert masses_of(item_message(item, piece, **message)) == pytest.approx((0.45, 0.4))


def test_a_map_may_say_that_bare_numbers_are_ounces() -> None:
    told = b'<itmatt><item><itemId>LZ123456785US</itemId><weight unit="">16</weight></item></itmatt>'
    raw = read_postal_xml(told, "m", postal_map({"units": {"mass": "oz"}}), OF_A_FILE)
    assert masses_of(raw)[0] == pytest.approx(0.45359237)


@pytest.mark.parametrize(
    ("written", "number"),
    [(".5", "0.5"), ("1,5", "1.5"), ("2.", "2"), ("1,500", None), ("1.500", "1.500"), ("1,5,0", None), ("K", None)],
)
def test_a_comma_is_a_decimal_sign_unless_it_may_divide_thousands(written: str, number: str | None) -> None:
    assert number_of(written) == number


@pytest.mark.parametrize("written", ["9" * 70 + "x", "1 " * 40, ",".join("1" * 30), "1 kg" * 30])
def test_what_is_no_mass_is_left_to_the_gate(written: str) -> None:
    assert in_kilograms(written, None, "kg") == (written, None)


def test_every_unit_has_one_value_and_an_unlisted_one_none() -> None:
    assert all(unit_of(name) == value for name, value in units().items())
    assert unit_of("ton") is None is unit_of("L")


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ({"address": {"lines": ["3 rue de la Paix", "Bât. B"]}}, "3 rue de la Paix Bât. B"),
        ({"address": {"lines": [{"line": "3 rue"}, {"line": "de la Paix"}]}}, "3 rue de la Paix"),
        ({"addressLines": ["3 rue de la Paix", "", "Bât. B"]}, "3 rue de la Paix Bât. B"),
        ({"address": ["3 rue de la Paix", "Bât. B"]}, "3 rue de la Paix Bât. B"),
        ({"street": ["3 rue de la Paix", "Bât. B"]}, "3 rue de la Paix Bât. B"),
        ({"lines": ["3 rue de la Paix"]}, "3 rue de la Paix"),
        ({"line1": "3 rue", "line3": "de la Paix"}, "3 rue de la Paix"),
        ({"address": {"street": "3 rue de la Paix", "lines": ["other"]}}, "3 rue de la Paix"),
    ],
)
def test_all_lines_of_an_address_are_read(address: dict[str, Any], read: str) -> None:
    raw = item_message({"addressee": {"name": "Marie Durand", "country": "FR", **address}})
    assert raw.rows["consignee_address"].to_list() == [read]


def test_lines_of_an_address_in_xml_are_read() -> None:
    lines = "<address><line>3 rue de la Paix</line><line>Bât. B</line><city>Paris</city></address>"
    raw = read_content(f"<itmatt><item><itemId>A1</itemId><addressee>{lines}</addressee></item></itmatt>".encode(), "m")
    assert raw.rows.select("consignee_address", "consignee_city").rows() == [("3 rue de la Paix Bât. B", "Paris")]


@pytest.mark.parametrize(
    ("stream", "mail_class", "mass", "told"),
    [
        ("postal", None, "450", True),
        ("postal", "C", "31.6", True),
        ("postal", "C", "31.5", False),
        ("postal", "E", "31", True),
        ("postal", "EMS", "31", True),
        ("postal", "EN", "30", False),
        ("postal", "ECONOMY", "31", False),
        ("express", None, "450", False),
        ("postal", "C", None, False),
    ],
)
def test_what_the_post_does_not_carry_is_a_data_problem(
    stream: str, mail_class: str | None, mass: str | None, told: bool
) -> None:
    found = oddities(consignments_of(row(stream=stream, mail_class=mail_class, gross_mass_kg=mass)))
    assert (TOO_HEAVY in found["problem"].to_list()) == told


def test_a_net_mass_above_the_gross_is_a_data_problem() -> None:
    found = oddities(consignments_of(row(gross_mass_kg="0.45", net_mass_kg="400")))
    assert ("gross_mass_kg", "less than the net mass") in found.select("field", "problem").rows()


@pytest.mark.parametrize(
    ("written", "kilograms"),
    [("K.5", 0.5), ("K1,5", 1.5), ("K2.", 2.0), ("L1,5", 0.680389), ("K1.500", 1.5), ("K1,500", None), ("KX", None)],
)
def test_masses_of_waybills_in_text_are_read_as_they_are_written(written: str, kilograms: float | None) -> None:
    raw = read_content(FHL.replace("K245", written).encode(), "m")
    assert raw.rows["gross_mass_kg"].cast(pl.Float64).to_list()[0] == (
        None if kilograms is None else pytest.approx(kilograms)
    )
    assert ("gross_mass_kg" in raw.noted["field"].to_list()) == (kilograms is None)


# the telephone of the shipper, and of the consignee, as lines of customs information state them
@pytest.mark.parametrize(
    ("lines", "consignor", "consignee"),
    [
        (["OCI/CN/SHP/T/9133X", "///CT/8657912345"], ("9133X", "8657912345"), (None, None)),
        (["OCI/CN/SHP/T/9133X", "//CNE/CT/3312345"], ("9133X", None), (None, "3312345")),
        (["OCI/CN/SHP/T/9133X", "/FR/CNE/T/FR1", "///CT/3312345"], ("9133X", None), ("FR1", "3312345")),
        (["OCI/CN/SHP/T/9133X", "/CN//CT/8657912345"], ("9133X", "8657912345"), (None, None)),
        (["OCI/CN/SHP/T/9133X", "/FR//CT/3312345"], ("9133X", None), (None, None)),  # of whom is not said
        (["OCI/CN/SHP/T/9133X", "/NL/ISS/RA/00001", "///ED/2703", "///CT/111"], ("9133X", None), (None, None)),
        (["OCI/CN/SHP/T/9133X", "////MORE"], ("9133X", None), (None, None)),
        (["OCI/CN/SHP/T/9133X", "//SHP//LOST"], ("9133X", None), (None, None)),
        (["OCI///CT/8657912345"], (None, None), (None, None)),  # nothing before it
        (["OCI/CN/SHP/CT/1", "///T/9133X", "OCI/FR/CNE/CT/2", "///T/FR1"], ("9133X", "1"), ("FR1", "2")),
    ],
)
def test_an_empty_field_of_customs_information_repeats_the_line_before(
    lines: list[str], consignor: tuple[str | None, str | None], consignee: tuple[str | None, str | None]
) -> None:
    text = "\n".join(["FHL/4", "MBI/888-11111111FRAPVG/T4K245", "HBS/FF100/FRAPVG/4/K245/4/SHOES", *lines])
    raw = read_content(text.encode(), "m")
    names = [f"{role}_{kind}" for role in ("consignor", "consignee") for kind in ("id", "phone")]
    assert raw.rows.select(names).row(0) == (*consignor, *consignee)
