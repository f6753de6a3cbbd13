"""The list of model inputs: worded, unique, defined, and one line longer for each feature."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from features import compatible
from features.algebra import Numbers, Pattern, Text
from features.assemble import assemble
from features.catalogue import EVERY_INPUT, FORMER, INPUTS, category, direction_of, history, number, with_extras
from features.choices import LANGUAGES
from features.columns import declared, identifiers, shipper
from features.compatible import differences, means_the_same, revised_since
from features.consignment import BY_NAME, TOTALS
from features.definition import DEFINITIONS, forget_definitions, of_consignment
from features.fingerprint import code_fingerprint, fingerprint, fingerprint_over, meanings
from features.history.facts import FACTS, KEYS
from features.history.named_entities import NETWORK
from features.history.windows import reading_of
from features.inputs import NEVER_LOWERS, NEVER_RAISES, as_json, from_json
from features.messages.mapping import Extra
from features.parties import LINKED
from features.source_code import pieces_of_code, wordless
from features.vocabulary import WHAT, WHO
from service.console import reason_words
from tests.features.conftest import consignments_of, no_history, nothing_fitted, row

CAPITAL = Pattern(r"\p{Lu}")


@pytest.mark.parametrize("item", EVERY_INPUT, ids=lambda item: item.name)
def test_every_input_is_worded_and_meant_and_comes_from_somewhere(item: Any) -> None:
    assert tuple(item.words) == LANGUAGES
    assert all(item.words[language].strip() for language in LANGUAGES)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in item.words["zh"])
    assert item.meaning.strip(" .")
    known = item.name in DEFINITIONS or item.name in BY_NAME or item.name in (*TOTALS, *LINKED)
    assert known != (reading_of(item.name) is not None)


@pytest.mark.parametrize("item", EVERY_INPUT, ids=lambda item: item.name)
def test_whatever_an_input_is_computed_from_comes_from_somewhere(item: Any) -> None:
    waiting = [item.name]
    fitted = (
        "value_per_kg_",
        "value_per_piece_",
        "line_wording_likeness",
        "line_heading_",
        "worded_value_",
        "line_value_eur",
        "mean_hit_rate",
        "form_habit",
        "number_habit",
    )
    while waiting:
        name = waiting.pop()
        if name in DEFINITIONS:
            waiting.extend(DEFINITIONS[name].inputs)
        else:
            assert name in BY_NAME or name in (*TOTALS, *LINKED) or reading_of(name) or name.startswith(fitted), name


@pytest.mark.parametrize("language", ["name", *LANGUAGES])
def test_names_and_words_are_unique(language: str) -> None:
    words = [item.name if language == "name" else item.words[language] for item in EVERY_INPUT]
    assert sorted(words) == sorted(set(words))


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
    assert set(written[0]) == {"name", "kind", "words", "unit", "meaning"}


def test_a_direction_stands_on_the_line_that_it_speaks_of() -> None:
    bounded = {item.name: direction_of(item.name) for item in INPUTS if direction_of(item.name)}
    assert bounded["consignor_burst"] == bounded["network_consignments_90d"] == NEVER_LOWERS
    assert bounded["pair_share"] == bounded["consignor_days_since_last"] == NEVER_RAISES
    assert len(bounded) == 20
    assert direction_of("consignor_hits_ever") == direction_of("extra_rate") == 0


def test_a_function_that_defines_no_feature_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="shrunk_rate is not declared as a feature"):
        number(shipper.shrunk_rate, "a", "b", "c")
    with pytest.raises(TypeError, match="route_grave_share is not declared"):
        number(identifiers.grave_share, "a", "b", "c", key="route")


def test_the_fingerprint_holds_names_types_and_order_but_no_words() -> None:
    before = fingerprint(INPUTS)
    first, *others = INPUTS
    assert fingerprint((replace(first, words=dict.fromkeys(LANGUAGES, "x"), unit="y"), *others)) == before
    assert fingerprint((replace(first, kind="category"), *others)) != before
    assert fingerprint((*others, first)) != before
    assert fingerprint(others) != before
    assert len(before) == 64


def test_the_fingerprint_holds_what_all_inputs_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import features.fingerprint as module
    from features import money

    before = fingerprint(INPUTS)
    assert money in module.MEANINGFUL
    monkeypatch.setattr(module, "MEANINGFUL", tuple(m for m in module.MEANINGFUL if m is not money))
    assert fingerprint(INPUTS) != before


def test_the_fingerprint_holds_facts_and_keys_but_not_their_words() -> None:
    line = 'Fact("hits", "outcome", HIT, words=("Findings", "Constats", "查获"))'
    assert wordless(line) == wordless(line.replace("Findings", "Hits") + "  # reworded")
    assert wordless(line) != wordless(line.replace("HIT", "GRAVE"))
    assert "查获" not in wordless(line)


def test_where_code_stands_says_nothing_and_what_it_is_called_elsewhere_does() -> None:
    one = "import polars as pl\nfrom features.a import f\n\ndef g():\n    return f()"
    moved = '"""Another module."""\nfrom features.b import f\nimport polars as pl\ndef g():  # said\n    return f()'
    renamed = "import polars as pl\nfrom features.a import h as f\n\ndef g():\n    return f()"
    changed = "import polars as pl\nfrom features.a import f\n\ndef g():\n    return -f()"
    assert pieces_of_code(one) == pieces_of_code(moved)
    assert pieces_of_code(one) != pieces_of_code(renamed)
    assert pieces_of_code(one) != pieces_of_code(changed)


def test_a_statement_of_what_inputs_rest_on_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    from features import money

    before = code_fingerprint(INPUTS)
    source = inspect.getsource

    def with_another_line(module: Any) -> str:
        return source(module) + ("\nROUNDED = True\n" if module is money else "")

    monkeypatch.setattr(inspect, "getsource", with_another_line)
    assert code_fingerprint(INPUTS) != before


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    """Sets have another order in each process: what a hash rests on must not follow it."""
    names = "from features.catalogue import INPUTS; from features.fingerprint import fingerprint"
    code = f"{names}; print(fingerprint(INPUTS))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout.decode()
        for seed in ("1", "2", "3")
    }
    assert found == {f"{fingerprint(INPUTS)}\n"}


def test_foreign_inputs_have_the_code_of_the_others() -> None:
    more = with_extras([Extra("rate", "Rate", "number")])
    assert code_fingerprint(more) == code_fingerprint(INPUTS)
    assert fingerprint(more) != fingerprint(INPUTS)
    assert fingerprint(more) == fingerprint_over(more, code_fingerprint(INPUTS))


def test_what_is_listed_as_the_same_serves_with_any_foreign_inputs_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = with_extras([Extra("rate", "Rate", "number")])
    earlier, learned = "c" * 64, fingerprint_over(more, "c" * 64)
    assert means_the_same(INPUTS, fingerprint(INPUTS), None)
    assert not means_the_same(more, learned, earlier)
    monkeypatch.setattr(compatible, "SAME_FEATURES_AS", {code_fingerprint(INPUTS): frozenset({earlier, "f" * 64})})
    assert means_the_same(more, learned, earlier)
    assert means_the_same(INPUTS, "f" * 64, None)
    assert not means_the_same(INPUTS, learned, earlier), "of other inputs"
    assert not means_the_same(more, learned, None)
    monkeypatch.setattr(compatible, "SAME_FEATURES_AS", {"a" * 64: frozenset({earlier, "f" * 64})})
    assert not means_the_same(more, learned, earlier), "another code computes the same, today's does not"


def test_what_learned_before_identifiers_were_revised_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier, kinds = "c" * 64, ("phone", "network")
    learned = fingerprint_over(INPUTS, earlier)
    assert revised_since(INPUTS, learned, earlier) == ()
    monkeypatch.setattr(compatible, "REVISED_SINCE", {code_fingerprint(INPUTS): {earlier: kinds, "f" * 64: kinds}})
    assert revised_since(INPUTS, learned, earlier) == revised_since(INPUTS, "f" * 64, None) == kinds
    assert not means_the_same(INPUTS, learned, earlier)
    assert revised_since(INPUTS, learned, None) == revised_since(INPUTS, "e" * 64, earlier) == (), "of other code"
    monkeypatch.setattr(compatible, "REVISED_SINCE", {"a" * 64: {earlier: kinds}})
    assert revised_since(INPUTS, learned, earlier) == (), "another code is a revision, today's is not"


def test_an_input_that_none_learns_any_more_is_there_for_what_learned_of_it() -> None:
    before = (*INPUTS[:9], *FORMER, *INPUTS[9:])
    assert FORMER
    assert means_the_same(before, fingerprint(before), None)
    assert differences(before, meanings(before)) == []
    assert not {item.name for item in FORMER} & {item.name for item in INPUTS}
    assert [reason_words.BY_NAME[item.name].words["en"] for item in FORMER] == [item.words["en"] for item in FORMER]


def test_an_input_that_was_added_leaves_what_learned_before_it_as_it_was(
    registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned, code = fingerprint(INPUTS), code_fingerprint(INPUTS)
    earlier = "c" * 64
    monkeypatch.setattr(compatible, "SAME_FEATURES_AS", {code: frozenset({earlier})})

    @of_consignment
    def grams_per_euro(gross_mass_kg: Numbers, value_eur: Numbers) -> Numbers:
        """Gross mass in grams for each euro declared."""
        return gross_mass_kg * 1000.0 / value_eur

    added = number("grams_per_euro", "Grams per euro", "Grammes par euro", "每欧元克数", "g/€")
    monkeypatch.setattr(compatible, "EVERY_INPUT", (added, *INPUTS))
    assert code_fingerprint([added, *INPUTS]) != code == code_fingerprint(INPUTS)
    assert means_the_same(INPUTS, learned, code)
    assert means_the_same(INPUTS, fingerprint_over(INPUTS, earlier), earlier), "what is listed is listed for it still"
    assert differences(INPUTS, meanings(INPUTS)) == []


def test_an_input_that_went_or_is_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compatible, "REVISED_SINCE", {code_fingerprint(INPUTS): {"f" * 64: ("phone",)}})
    first, second, *others = INPUTS
    for today in ([second, *others], [replace(first, kind="category"), second, *others]):
        monkeypatch.setattr(compatible, "EVERY_INPUT", tuple(today))
        assert not means_the_same(INPUTS, fingerprint(INPUTS), None), "though its definition is there"
        assert revised_since(INPUTS, "f" * 64, None) == ()
        (named,) = differences(INPUTS, {})
        assert named.startswith(f"{first.name} is ")
        more = with_extras([Extra("rate", "Rate", "number")])
        assert differences(more, {}) == [named], "a unit's own inputs are in no catalogue"


def test_an_input_that_is_computed_otherwise_is_named_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = meanings(INPUTS)
    monkeypatch.setattr(declared, "LOW_VALUE_EUR", 151.0)
    forget_definitions()
    assert differences(INPUTS, learned) == ["short_of_low_value is computed otherwise"]
    assert differences(INPUTS, {}) == [], "a bundle that does not say what they meant"


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
    def grams_per_euro(gross_mass_kg: Numbers, value_eur: Numbers) -> Numbers:
        """Gross mass in grams for each euro declared."""
        return gross_mass_kg * 1000.0 / value_eur

    inputs = (*INPUTS, number("grams_per_euro", "Grams per euro", "Grammes par euro", "每欧元克数", "g/€"))
    after = assemble(consignments, no_history(), nothing_fitted(), inputs).frame
    assert after["grams_per_euro"].to_list() == [25.0, None]
    assert after.drop("grams_per_euro").equals(before)
    assert inputs[-1].meaning == "Gross mass in grams for each euro declared."
    assert fingerprint(inputs) != fingerprint(INPUTS)


def test_adding_a_feature_of_a_text_takes_one_function_and_one_line(registry: dict[str, Any]) -> None:
    @of_consignment
    def sender_shouts(consignor_name: Text) -> Numbers:
        """Share of the sender's name that is in capital letters."""
        return consignor_name.number(lambda name: CAPITAL.count(name) / max(len(name), 1))

    inputs = (*INPUTS, number("sender_shouts", "Capitals of the name", "Majuscules du nom", "名称大写占比", "%"))
    assert sender_shouts("ABcd") == 0.5
    assert sender_shouts(["É手", None]) == [0.5, None]
    consignments = consignments_of(row(consignor_name="ABcd"), row(consignment_id="B", consignor_name=None))
    after = assemble(consignments, no_history(), nothing_fitted(), inputs).frame
    assert after["sender_shouts"].to_list() == [0.5, None]
    before = fingerprint(inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "CAPITAL", Pattern(r"[A-Z]"))
        assert fingerprint(inputs) != before


def test_adding_a_reading_of_history_takes_one_line() -> None:
    inputs = (*INPUTS, *history("consignee_pieces_7d"))
    rows = assemble(consignments_of(row()), no_history(), nothing_fitted(), inputs)
    assert rows.frame["consignee_pieces_7d"].to_list() == [0.0]


def test_a_category_and_a_number_differ_in_kind_alone() -> None:
    words = ("a", "b", "c")
    assert replace(category("x", *words), kind="number") == number("x", *words)
