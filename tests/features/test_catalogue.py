"""The list of model inputs: worded, unique, defined, and one line longer for each feature."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from features.assemble import assemble
from features.catalogue import (
    INPUTS,
    LANGUAGES,
    WHAT,
    WHO,
    as_json,
    category,
    fingerprint,
    from_json,
    history,
    number,
    with_extras,
)
from features.consignment import BY_NAME, TOTALS
from features.definition import DEFINITIONS, of_consignment
from features.facts import FACTS, KEYS
from features.messages.mapping import Extra
from features.parties import LINKED
from features.windows import NETWORK, reading_of
from tests.features.conftest import consignments_of, no_history, nothing_fitted, row


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_every_input_is_worded_and_meant_and_comes_from_somewhere(item: Any) -> None:
    assert tuple(item.words) == LANGUAGES
    assert all(item.words[language].strip() for language in LANGUAGES)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in item.words["zh"])
    assert item.meaning.strip(" .")
    known = item.name in DEFINITIONS or item.name in BY_NAME or item.name in (*TOTALS, *LINKED)
    assert known != (reading_of(item.name) is not None)


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_whatever_an_input_is_computed_from_comes_from_somewhere(item: Any) -> None:
    waiting = [item.name]
    fitted = ("value_per_kg_", "value_per_piece_", "line_wording_likeness", "line_value_eur", "mean_hit_rate")
    while waiting:
        name = waiting.pop()
        if name in DEFINITIONS:
            waiting.extend(DEFINITIONS[name].inputs)
        else:
            assert name in BY_NAME or name in (*TOTALS, *LINKED) or reading_of(name) or name.startswith(fitted), name


@pytest.mark.parametrize("language", ["name", *LANGUAGES])
def test_names_and_words_are_unique(language: str) -> None:
    told = [item.name if language == "name" else item.words[language] for item in INPUTS]
    assert sorted(told) == sorted(set(told))


def test_every_key_and_fact_has_words_in_every_language() -> None:
    assert set(WHO) == {*(key.name for key in KEYS), NETWORK}
    assert set(WHAT) == set(FACTS)
    assert all(len(words) == len(LANGUAGES) for words in (*WHO.values(), *WHAT.values()))


def test_readings_of_history_word_themselves() -> None:
    one, ever, first, last = history(
        "consignor_hits_90d", "route_value_ever", "shop_days_since_first", "shop_days_since_last"
    )
    assert one.words == {
        "en": "Non-compliant findings, the sender, in 90 days",
        "fr": "Constats non conformes, l'expéditeur, en 90 jours",
        "zh": "寄件人90天内查获次数",
    }
    assert ever.words["en"].endswith("so far")
    assert (first.unit, first.words["fr"]) == ("d", "Jours depuis le premier fait : la boutique en ligne")
    assert first.words != last.words


@pytest.mark.parametrize("name", ["consignor_hits", "sender_hits_90d", "consignor_luck_90d", "consignor_hits_d"])
def test_what_is_no_reading_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        history(name)


def test_inputs_come_back_from_json_as_they_were() -> None:
    written = json.loads(json.dumps(as_json(INPUTS), ensure_ascii=False))
    assert from_json(written) == INPUTS
    assert [item["meaning"] for item in written] == [item.meaning for item in INPUTS]
    assert fingerprint(from_json(written)) == fingerprint(INPUTS)


def test_the_fingerprint_holds_names_types_and_order_but_no_words() -> None:
    before = fingerprint(INPUTS)
    first, *others = INPUTS
    assert fingerprint((replace(first, words=dict.fromkeys(LANGUAGES, "x"), unit="y"), *others)) == before
    assert fingerprint((replace(first, kind="category"), *others)) != before
    assert fingerprint((*others, first)) != before
    assert fingerprint(others) != before
    assert len(before) == 64


def test_the_fingerprint_holds_what_all_inputs_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from features import catalogue, money

    before = fingerprint(INPUTS)
    assert money in catalogue.MEANINGFUL
    monkeypatch.setattr(catalogue, "MEANINGFUL", tuple(m for m in catalogue.MEANINGFUL if m is not money))
    assert fingerprint(INPUTS) != before


def test_foreign_numbers_and_categories_are_offered_and_texts_are_not() -> None:
    extras = [Extra("rate", "Rate", "number"), Extra("kind", "Kind", "category"), Extra("who", "Who", "text")]
    offered = with_extras(extras)
    assert offered[: len(INPUTS)] == INPUTS
    assert [(item.name, item.kind, item.words["zh"]) for item in offered[len(INPUTS) :]] == [
        ("extra_rate", "number", "Rate"),
        ("extra_kind", "category", "Kind"),
    ]


def test_adding_a_feature_takes_one_function_and_one_line(registry: dict[str, Any]) -> None:
    consignments = consignments_of(
        row(gross_mass_kg="0.5", value="20"), row(consignment_id="B", value=None, gross_mass_kg="0.5")
    )
    before = assemble(consignments, no_history(), nothing_fitted(), INPUTS).frame

    @of_consignment
    def grams_per_euro(gross_mass_kg: pl.Expr, value_eur: pl.Expr) -> pl.Expr:
        """Gross mass in grams for each euro declared."""
        return gross_mass_kg * 1000.0 / value_eur

    inputs = (*INPUTS, number("grams_per_euro", "Grams per euro", "Grammes par euro", "每欧元克数", "g/€"))
    after = assemble(consignments, no_history(), nothing_fitted(), inputs).frame
    assert after["grams_per_euro"].to_list() == [25.0, None]
    assert after.drop("grams_per_euro").equals(before)
    assert inputs[-1].meaning == "Gross mass in grams for each euro declared."
    assert fingerprint(inputs) != fingerprint(INPUTS)


def test_adding_a_reading_of_history_takes_one_line() -> None:
    inputs = (*INPUTS, *history("consignee_pieces_7d"))
    rows = assemble(consignments_of(row()), no_history(), nothing_fitted(), inputs)
    assert rows.frame["consignee_pieces_7d"].to_list() == [0.0]


def test_a_category_and_a_number_differ_in_kind_alone() -> None:
    words = ("a", "b", "c")
    assert replace(category("x", *words), kind="number") == number("x", *words)
