"""Explanations: contributions that add up to the margin exactly, and sentences that an officer can read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest

from features.assemble import Rows
from features.catalogue import INPUTS
from service.scoring import Model, Scores
from service.scoring.bundle import GOLDEN_SCORE
from service.scoring.explanation import HOW_MANY, LOWERS, RAISES, UNKNOWN, Language, _shown, reasons_of
from service.scoring.trees import Trees
from tests.service.building import MODEL_ID

LANGUAGES: tuple[Language, ...] = ("en", "fr", "zh")
WORDS = {item.name: item for item in INPUTS}


@pytest.fixture(scope="module")
def scores(trained_model: Model, sealed_home: Path) -> Scores:
    golden = pl.read_parquet(sealed_home / "bundles" / MODEL_ID / "golden.parquet").drop(GOLDEN_SCORE)
    return trained_model.score(Rows.of_frame(golden))


def test_contributions_and_the_expected_value_add_up_to_the_margin(scores: Scores) -> None:
    contributed = scores.contributions(np.arange(scores.frame.height))
    assert contributed.shape == (scores.frame.height, len(INPUTS) + 1)
    assert np.abs(contributed.sum(axis=1) - scores.frame["margin"].to_numpy()).max() < 1e-9
    assert np.abs(contributed[:, :-1]).max() > 0.1  # a model that says nothing would pass the line above


def test_contributions_of_one_row_are_those_of_the_batch_to_the_bit(scores: Scores) -> None:
    everything = scores.contributions(np.arange(50))
    assert all(scores.contributions(np.array([i])).tobytes() == everything[i : i + 1].tobytes() for i in range(50))


def test_nothing_chosen_gives_no_reasons(scores: Scores) -> None:
    assert reasons_of(scores, np.array([], dtype=np.int64), "en") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_the_strongest_in_the_words_of_the_language(scores: Scores, language: Language) -> None:
    chosen = np.array([3, 17, 40])
    contributed = scores.contributions(chosen)[:, :-1]
    for of_row, row, place in zip(reasons_of(scores, chosen, language), contributed, chosen.tolist(), strict=True):
        assert len(of_row) == HOW_MANY
        weakest = min(abs(reason["contribution"]) for reason in of_row)
        named = {reason["code"] for reason in of_row}
        assert all(abs(value) <= weakest for item, value in zip(INPUTS, row, strict=True) if item.name not in named)
        for reason in of_row:
            way = RAISES if reason["contribution"] > 0 else LOWERS
            assert reason["text"].startswith(WORDS[reason["code"]].words[language])
            assert reason["text"].endswith(way[language])
            assert reason["evidence"] == scores.rows.frame[reason["code"]][place]


def test_what_raises_the_risk_comes_first_from_strong_to_weak(scores: Scores) -> None:
    mixed = 0
    for of_row in reasons_of(scores, np.arange(scores.frame.height), "en"):
        contributions = [reason["contribution"] for reason in of_row]
        assert contributions == sorted(contributions, reverse=True)
        mixed += contributions[0] > 0 > contributions[-1]
    assert mixed > 10  # rows with reasons of both kinds were among them


def test_what_contributes_nothing_is_no_reason(scores: Scores) -> None:
    few = _with_trees(scores, 1)
    assert all(reason["contribution"] != 0 for of_row in reasons_of(few, np.arange(20), "en") for reason in of_row)


def _with_trees(scores: Scores, trees: int) -> Scores:
    assert scores.model.trees is not None
    first = lgb.Booster(model_str=scores.model.trees.booster.model_to_string(num_iteration=trees))
    return dataclasses.replace(scores, model=dataclasses.replace(scores.model, trees=Trees.of(first)))


@pytest.mark.parametrize(
    ("value", "unit", "en", "fr"),
    [
        (1234567.0, "€", "1,234,567 €", "1\u202f234\u202f567 €"),
        (12.5, "kg", "12.5 kg", "12,5 kg"),
        (0.04567, "", "0.0457", "0,0457"),
        (3.14159, "", "3.14", "3,14"),
        (1200.0, "", "1,200", "1\u202f200"),
        (100.0, "", "100", "100"),
        (0.0, "d", "0 d", "0 d"),
        (-2.5, "σ", "-2.5 σ", "-2,5 σ"),
        (1.0, "", "1", "1"),
        ("gift", "", "gift", "gift"),
    ],
)
def test_values_are_written_as_the_language_writes_them(value: float | str, unit: str, en: str, fr: str) -> None:
    assert _shown(value, unit, "en") == en
    assert _shown(value, unit, "fr") == fr
    assert _shown(value, unit, "zh") == en


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_value_says_so(language: Language) -> None:
    assert _shown(None, "kg", language) == UNKNOWN[language]


def test_a_value_too_small_to_show_is_zero() -> None:
    assert _shown(-0.00001, "", "en") == "0"
