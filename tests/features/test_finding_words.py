"""Words for findings: common ones are read as their kind, others are refused with the list of kinds."""

from __future__ import annotations

import polars as pl
import pytest

from features.contract import Gated, gate_outcomes
from features.finding_kinds import standard_kinds
from features.finding_words import _folded, kind_of_finding, words_of
from features.outcome import FINDINGS
from tests.features.conftest import frame_of

RESULT: dict[str, object] = {
    "consignment_id": "C1", "known_at": "2026-03-05T10:00:00Z", "result": "non_compliant", "findings": "counterfeit",
}  # fmt: skip


def found(cell: str, **changes: object) -> Gated:
    return gate_outcomes(frame_of({**RESULT, "findings": cell, **changes}))


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("Counterfeit", "counterfeit"),
        ("fake brand", "counterfeit"),
        ("CONTREFAÇON", "counterfeit"),
        ("Contrefacon", "counterfeit"),
        ("假冒", "counterfeit"),
        ("Sous-évalué", "undervalued"),
        ("under_valued", "undervalued"),
        ("低报价格", "undervalued"),
        ("fausse déclaration", "misdeclared"),
        ("伪报品名", "misdeclared"),
        ("Narcotics", "narcotics;prohibited"),  # with the wider kind that history counts
        ("armes à feu", "weapons;prohibited"),
        ("烟草", "tobacco"),
        ("cash; narcotics", "cash;narcotics;prohibited"),
        ("produit dangereux", "dangerous"),
        ("unsafe  product.", "dangerous"),
        ("Counterfeit, Dangerous", "counterfeit;dangerous"),
        ("fake；危险品", "counterfeit;dangerous"),
        ("fake;counterfeit;replica", "counterfeit"),
        ("counterfeit; dangerous", "counterfeit; dangerous"),  # all of the list: to the letter
        ("counterfeit;counterfeit", "counterfeit;counterfeit"),
    ],
)
def test_common_words_are_read_as_their_kind(cell: str, kinds: str) -> None:
    gated = found(cell)
    assert gated.accepted["findings"].to_list() == [kinds]


@pytest.mark.parametrize(
    "cell",
    ["conterfiet", "cigarettes", "smuggling", "counterfeit;cigarettes", "counterfeit goods of a kind", "yes", "1"],
)
def test_other_words_are_refused_with_the_list(cell: str) -> None:
    (refused,) = found(cell).refused.to_dicts()
    assert (refused["field"], refused["reason"]) == ("findings", "unknown word")
    assert all(kind in refused["remedy"] for kind in FINDINGS)
    assert cell not in refused["reason"] + refused["remedy"]


def test_a_synonym_beside_a_compliant_result_is_refused_too() -> None:
    (refused,) = found("Contrefaçon", result="compliant").refused.to_dicts()
    assert refused["reason"] == "findings beside the result compliant"


@pytest.mark.parametrize("cell", [" ", ";", None])
def test_no_word_is_no_finding(cell: str | None) -> None:
    assert found(cell or "", result="compliant").accepted.height == 1


def test_what_is_on_record_stands_as_it_is() -> None:
    rows = frame_of({**RESULT, "findings": "Counterfeit"})
    assert gate_outcomes(rows, recorded=True).accepted["findings"].to_list() == ["Counterfeit"]


def test_every_word_means_one_kind_and_every_kind_has_words_in_three_languages() -> None:
    words = words_of(standard_kinds())
    assert set(words.values()) == set(standard_kinds().codes) > set(FINDINGS)
    assert all(kind_of_finding(kind) == kind for kind in standard_kinds().codes)
    assert all(_folded(word) == word for word in words)
    written = pl.Series(list(words))
    assert written.str.contains(r"\p{Han}").sum() > 20


def test_a_word_stands_below_one_kind_only() -> None:
    import tomllib

    from features.finding_words import TABLE

    listed = [_folded(word) for words in tomllib.loads(TABLE.read_text("utf-8")).values() for word in words]
    assert len(listed) == len(set(listed))
