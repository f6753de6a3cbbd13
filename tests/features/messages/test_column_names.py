"""Columns that nearly fit: read where they differ in form alone, proposed where they are other words or slips."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from features.consignment import BY_NAME
from features.contract import gate_manifest
from features.messages.column_names import meant, of_same_form, plain, synonyms, unit_of
from features.messages.formats import read_content
from features.messages.mapping import OUTCOME_BY_NAME, UNMAPPED
from features.messages.raw import UnreadableFile
from tests.features.conftest import GOOD, csv_of


def renamed(**names: str) -> bytes:
    return csv_of({names.get(name, name): value for name, value in GOOD.items()})


@pytest.mark.parametrize(
    "names",
    [
        {"consignment_id": "Consignment ID"},
        {"consignment_id": "ConsignmentId", "lodged_at": "LODGED-AT"},
        {"lodged_at": "Lodged at", "stream": "Stream ", "description": "Description"},
        {"hs_code": "HS Code", "gross_mass_kg": "Gross mass (kg)"},
        {"value": "VALUE", "currency": "Currency"},
        {"consignor_name": "consignor.name", "consignee_name": "Consignee/Name"},
        {"description": "déscription"},
    ],
)
def test_a_name_of_another_form_is_read(names: dict[str, str]) -> None:
    raw = read_content(renamed(**names), "day")
    accepted = gate_manifest(UNMAPPED.to_manifest(raw.rows), "day").accepted
    expected = gate_manifest(UNMAPPED.to_manifest(read_content(renamed(), "day").rows), "day").accepted
    assert accepted.equals(expected)


@pytest.mark.parametrize(
    ("columns", "read"),
    [
        (["Value", "value"], {}),  # the exact one stands
        (["Value", "VALUE"], {}),  # two: nobody can say which
        (["Values"], {}),  # another word
        (["net mass"], {}),  # not in kilograms
        (["Net Mass KG"], {"net_mass_kg": "Net Mass KG"}),
        (["", " ", "__"], {}),
    ],
)
def test_what_is_not_the_same_name_is_not_read(columns: list[str], read: dict[str, str]) -> None:
    assert of_same_form(columns, BY_NAME) == read


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("N° de suivi", "consignment_id"),
        ("Numéro de colis", "consignment_id"),
        ("运单号", "consignment_id"),
        ("Tracking No.", "consignment_id"),
        ("Date de dépôt", "lodged_at"),
        ("申报时间", "lodged_at"),
        ("Désignation des marchandises", "description"),
        ("品名", "description"),
        ("goods description", "description"),
        ("valeur déclarée", "value"),
        ("金额", "value"),
        ("Code SH", "hs_code"),
        ("Poids brut (g)", "gross_mass_kg"),
        ("Weight [lb]", "gross_mass_kg"),
        ("lodged_ta", "lodged_at"),
        ("consigment_id", "consignment_id"),
        ("Descripton", "description"),
        ("dispatch_cuontry", "dispatch_country"),
    ],
)
def test_other_words_and_slips_are_proposed_and_never_read(column: str, name: str) -> None:
    assert meant([column, "x"], list(BY_NAME)) == {name: column}
    assert of_same_form([column], BY_NAME) == {}
    if BY_NAME[name].required:
        with pytest.raises(UnreadableFile) as refused:
            read_content(renamed(**{name: column}), "day")
        assert f'did you mean "{column}"' in str(refused.value)
        assert f'{name} = "{column}"' in str(refused.value)


@pytest.mark.parametrize("column", ["valuable", "stage", "street", "x" * 100, "desc\x07ription", "line_not", "hs"])
def test_what_means_something_else_is_not_proposed(column: str) -> None:
    assert meant([column], ["value", "stream", "description", "lodged_at", "quantity"]) == {}


@pytest.mark.parametrize(
    ("column", "unit"),
    [("Weight (g)", "g"), ("poids kg", "kg"), ("mass_lb", "lb"), ("net_mass_oz", "oz"), ("weight [t]", "t"),
     ("Weight", ""), ("bag", ""), ("great", "")],
)  # fmt: skip
def test_a_unit_at_the_end_of_a_name_is_known(column: str, unit: str) -> None:
    assert unit_of(column) == unit


def test_a_word_stands_for_one_column_of_a_table() -> None:
    for known in (BY_NAME, OUTCOME_BY_NAME):
        words = Counter(word for name in known for word in synonyms().get(name, ()))
        assert [word for word, count in words.items() if count > 1] == []
        names = {plain(name): name for name in known}
        assert [word for word in words if word in names and word not in synonyms()[names[word]]] == []
    assert set(synonyms()) == {*BY_NAME, *OUTCOME_BY_NAME}


def test_two_thousand_long_names_are_looked_at_quickly() -> None:
    columns = [f"{'Ж' * 90}{n}" for n in range(1_000)] + [f"consignmen_{n}" for n in range(1_000)]
    started = time.perf_counter()
    of_same_form(columns, BY_NAME)
    meant(columns, list(BY_NAME))
    assert time.perf_counter() - started < 2
