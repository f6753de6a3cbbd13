"""Countries by code and in words; nothing is guessed."""

from __future__ import annotations

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence.countries import country_code


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("CN", "CN cn CHN chn China CHINA Chine 中国 中华人民共和国 PRC P.R.C. Kina Cina Chiny Китай Çin"),
        ("DE", "DE Germany Allemagne Deutschland Alemania Germania 德国 Duitsland Niemcy"),
        ("GB", "GB UK U.K. England Scotland Royaume-Uni 英国 gb-sct Großbritannien"),
        ("TR", "TR Turkey Türkiye Turquie Türkei Turquía 土耳其"), ("KR", "KOR Korea Südkorea 韩国"),
        ("HK", "HK HKG Hongkong 香港"),
        ("US", "US USA U.S.A. États-Unis 美国 EE.UU."), ("VN", "VN Vietnam 越南"), ("RU", "Russia Russie Россия"),
        ("CZ", "Czechia CZE"),
        ("CI", "Côte_d'Ivoire"), ("GR", "EL Greece Grèce Griechenland 希腊"), ("XK", "XK Kosovo"),
        ("NL", "Holland Nederland Pays-Bas"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_names(code: str, words: str) -> None:
    assert {word: country_code(word) for word in words.split()} == dict.fromkeys(words.split(), code)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("P.R. China", "CN"), ("People's Republic of China", "CN"), ("Hong Kong SAR", "HK"),
        ("Hong Kong, China", "HK"), ("South Korea", "KR"),
        ("Korea, Republic of", "KR"), ("Korea, Democratic People's Republic of", "KP"), ("  Viet  Nam ", "VN"),
        ("Taiwan, Province of China", "TW"),
        ("Russian Federation", "RU"), ("United Arab Emirates", "AE"), ("Corée du Sud", "KR"),
        ("Vereinigte Staaten", "US"), ("Reino Unido", "GB"),
        ("Republic of Ireland", "IE"), ("Guinea-Bissau", "GW"), ("Czech Republic", "CZ"),
        ("République populaire de Chine", "CN"),
    ],
)  # fmt: skip
def test_a_name_of_several_words_is_known(words: str, code: str) -> None:
    assert country_code(words) == code


@pytest.mark.parametrize(
    "text", ["", " ", "Chnia", "n/a", "none", "unknown", "suhh", "eu", "EU", "Asia", "Yiwu", "Guinea-Elsewhere",
     "???", "zz", "C N", "x" * 500]
)  # fmt: skip
def test_what_names_no_country_is_none(text: str) -> None:
    assert country_code(text) is None


def test_every_country_is_known_by_its_codes_and_its_english_names() -> None:
    for country in pycountry.countries:
        for name in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            text = getattr(country, name, None)
            assert text is None or country_code(text) == country.alpha_2, text


@given(st.text(max_size=200))
def test_any_text_is_a_country_or_none(text: str) -> None:
    code = country_code(text)
    assert code is None or len(code) == 2
