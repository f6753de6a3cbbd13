"""The kinds of finding of an installation: what a file may say, what the gate makes of it, and the main kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract import gate_outcomes
from features.finding_kinds import COUNTED, KindsFault, load_kinds, standard_kinds
from tests.features.conftest import frame_of
from tests.features.test_finding_words import RESULT

OWN = """
[[kinds]]
code = "counterfeit"
area = "XYZ"
words = { en = "counterfeit", fr = "contrefaçon", zh = "假冒" }

[[kinds]]
code = "ivory"
within = "prohibited"
area = "IVO"
words = { en = "ivory", fr = "ivoire", zh = "象牙" }
read = ["tusk", "défense d'éléphant"]
"""
WORDS = 'words = { en = "a", fr = "a", zh = "a" }'


def written(folder: Path, text: str) -> Path:
    path = folder / "kinds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_adds_its_kinds_to_the_five_that_history_counts(tmp_path: Path) -> None:
    kinds = load_kinds(written(tmp_path, OWN))
    assert kinds.codes == (*COUNTED, "ivory")
    assert (kinds.area_of("counterfeit"), kinds.area_of("dangerous"), kinds.area_of("ivory")) == ("XYZ", "PSC", "IVO")
    assert [kinds.word_of("ivory", language) for language in ("en", "fr", "zh")] == ["ivory", "ivoire", "象牙"]
    assert kinds.word_of("cash", "fr") == "cash"  # of a list that was in force before


def test_the_gate_reads_the_words_of_the_list_and_refuses_those_of_another(tmp_path: Path) -> None:
    kinds = load_kinds(written(tmp_path, OWN))
    for cell in ("ivory", "Ivoire", "象牙", "tusk", "défense d’éléphant"):
        gated = gate_outcomes(frame_of({**RESULT, "findings": cell}), kinds=kinds)
        assert gated.accepted["findings"].to_list() == ["ivory;prohibited"], cell
    (refused,) = gate_outcomes(frame_of({**RESULT, "findings": "narcotics"}), kinds=kinds).refused.to_dicts()
    assert (refused["reason"], "ivory" in refused["remedy"]) == ("unknown word", True)
    assert gate_outcomes(frame_of({**RESULT, "findings": "ivory"})).refused.height == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kinds = 3", r"\[\[kinds\]\]"),
        ("[[kinds", "not valid TOML"),
        (f'[[kinds]]\ncode = "A b"\n{WORDS}', "kind 1: code"),
        ('[[kinds]]\ncode = "ivory"\nwords = { en = "a" }', "kind ivory: words"),
        (f'[[kinds]]\ncode = "ivory"\nwithin = "nothing"\n{WORDS}', "kind ivory: within"),
        (f'[[kinds]]\ncode = "ivory"\nwithin = "ivory"\n{WORDS}', "kind ivory: within"),
        (f'[[kinds]]\ncode = "ivory"\narea = "{"A" * 18}"\n{WORDS}', "at most 17"),
        (f'[[kinds]]\ncode = "ivory"\ncolour = "white"\n{WORDS}', "'colour'"),
        (f'[[kinds]]\ncode = "ivory"\nread = "tusk"\n{WORDS}', "read needs a list"),
        (f'[[kinds]]\ncode = "ivory"\n{WORDS}\n[[kinds]]\ncode = "ivory"\n{WORDS}', "ivory is listed twice"),
    ],
)
def test_a_faulty_file_is_refused_with_the_kind_and_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(KindsFault, match=named):
        load_kinds(written(tmp_path, text))


@pytest.mark.parametrize(
    ("chances", "main"),
    [
        ({"counterfeit": 0.3, "undervalued": 0.1}, "counterfeit"),
        ({"prohibited": 0.4, "narcotics": 0.3, "weapons": 0.05}, "narcotics"),
        ({"prohibited": 0.4, "narcotics": 0.15, "weapons": 0.15}, "prohibited"),
        ({"counterfeit": 0.5, "prohibited": 0.4, "narcotics": 0.4}, "counterfeit"),
        ({}, None),
        (None, None),
    ],
)
def test_the_main_kind_is_the_likeliest_and_of_a_wide_one_what_makes_up_half_of_it(
    chances: dict[str, float] | None, main: str | None
) -> None:
    assert standard_kinds().main_of(chances) == main
