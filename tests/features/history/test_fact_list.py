"""The list of facts: a line that is not complete fails at import with a sentence that says what to add."""

from __future__ import annotations

import polars as pl
import pytest

from features.consignment import TIME
from features.history.fact_list import (
    FACT_LIST,
    FACT_SCHEMA,
    FACTS,
    KEPT_OF_OUTCOMES,
    LODGED,
    RESULT_COLUMNS,
    Fact,
    check_facts,
    whole,
)
from features.history.keys import KEYS, Key, check_keys
from features.outcome import NAMING_PERSONS

WORDS = ("Pieces found", "Pièces trouvées", "查获件数")


def test_the_order_of_facts_is_that_of_the_table_and_of_bundles() -> None:
    assert FACTS[:6] == (LODGED, "consignments", "lines", "value", "mass", "pieces")
    assert FACTS[6:9] == ("new_consignee", "new_wording", "new_route")
    assert FACTS[9:16] == ("inspected", "hits", *(f"hits_{finding}" for finding in
                           ("counterfeit", "undervalued", "misdeclared", "prohibited", "dangerous")))  # fmt: skip
    assert FACTS[16:] == ("hits_grave", "not_presented", "registered", "new_sender", "new_name")
    assert FACT_SCHEMA["known_at"] == TIME
    assert FACT_SCHEMA.names()[2:] == list(FACTS)


def test_what_outcome_facts_need_is_handed_on_and_outlives_an_erasure() -> None:
    needed = {column for fact in FACT_LIST if fact.of == "outcome" for column in fact.needs}
    assert {column.name for column in RESULT_COLUMNS} == needed >= {"result", "findings", "criminal_link"}
    assert needed <= set(KEPT_OF_OUTCOMES)
    assert {"selection", "selection_probability"} <= set(KEPT_OF_OUTCOMES)
    assert not set(NAMING_PERSONS) & set(KEPT_OF_OUTCOMES)


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        (Fact("pieces_found", "outcome", whole(pl.col("items_found"))), "pieces_found needs words in en, fr, zh: add"),
        (Fact("pieces_found", "outcome", words=(*WORDS[:2], "")), "pieces_found needs words"),
        (Fact("pieces_found", "outcome", pl.col("pieces_seen"), WORDS), "needs pieces_seen, .* features/outcome.py"),
        (Fact("parcels", "declaration", lambda parcels: parcels, WORDS), "needs parcels, .* features/consignment.py"),
        (Fact("parcels", "declaration", pl.col("pieces"), WORDS), "fact parcels is to be a function of columns"),
        (Fact("found", "outcome", lambda pieces: pieces, WORDS), "fact found is to be an expression"),
        (Fact("seen", "lodging", pl.col("lines"), WORDS), "seen needs lines"),
        (Fact("by_officer", "outcome", pl.col("officer").is_not_null(), WORDS), "by_officer .* names a person"),
        (Fact("hits", "outcome", words=WORDS), "hits is listed twice"),
        (Fact("new_shop", "novelty", words=WORDS), "new_shop: first_of names keys"),
        (Fact("new_shop", "novelty", words=WORDS, first_of=(("shopp", "home"),)), "new_shop: first_of names keys"),
        (Fact("pieces_twice", "declaration", words=WORDS, first_of=(("shop", "home"),)), "pieces_twice: first_of"),
    ],
)
def test_a_line_that_is_not_complete_names_the_fact_and_what_to_add(fact: Fact, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        check_facts((*FACT_LIST, fact))


def test_a_complete_line_is_taken() -> None:
    new = Fact("pieces_found", "outcome", whole(pl.col("items_found")), WORDS)
    check_facts((*FACT_LIST, new))
    assert new.needs == ("items_found",)


def test_a_finding_without_a_fact_is_named() -> None:
    with pytest.raises(TypeError, match="finding dangerous has no fact: add hits_of"):
        check_facts([fact for fact in FACT_LIST if fact.name != "hits_dangerous"])


def test_a_key_without_words_is_named() -> None:
    with pytest.raises(TypeError, match="key platform needs words in en, fr, zh: add"):
        check_keys((*KEYS, Key("platform", ("platform",), str.lower)))
