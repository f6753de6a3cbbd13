"""Names: one firm in every writing of its form and script, and no two firms made one."""

from __future__ import annotations

import time

import pytest

from features.identifiers.names import is_rare, name_readings, near_names, sound_of_name, words_of_name

FIRM = "Lumen Distribution"


@pytest.mark.parametrize(
    "form",
    [
        "S.A.R.L.",
        "SARL",
        "S. A. R. L.",
        "s.a.r.l",
        "S.A.",
        "S.A.S.",
        "S.A.S.U.",
        "E.U.R.L.",
        "G.m.b.H.",
        "GmbH",
        "Ges.m.b.H.",
        "GmbH & Co. KG",
        "A.G.",
        "e.K.",
        "O.H.G.",
        "UG (haftungsbeschränkt)",
        "S.r.l.",
        "S.R.L.S.",
        "S.p.A.",
        "S.n.c.",
        "S.L.",
        "S.L.U.",
        "Lda",
        "Ltda.",
        "S/A",
        "E.I.R.E.L.I.",
        "S.A. de C.V.",
        "S. de R.L. de C.V.",
        "SpA",
        "N.V.",
        "B.V.",
        "B.V.B.A.",
        "S.P.R.L.",
        "V.O.F.",
        "Sp. z o.o.",
        "Sp. z o. o.",
        "SP ZOO",
        "s.r.o.",
        "spol. s r.o.",
        "a.s.",
        "d.o.o.",
        "d.d.",
        "Kft.",
        "Zrt.",
        "O.O.D.",
        "EOOD",
        "A.Ş.",
        "Ltd. Şti.",
        "San. ve Tic. A.Ş.",
        "L.L.C.",
        "LLC",
        "L.L.P.",
        "P.L.C.",
        "Inc.",
        "Oy",
        "Oyj",
        "AB",
        "A/S",
        "ApS",
        "OÜ",
        "UAB",
        "SIA",
        "K.K.",
        "Kabushiki Kaisha",
        "Sdn. Bhd.",
        "Pte. Ltd.",
        "(Pty) Ltd",
        "Pvt. Ltd.",
        "FZ-LLC",
        "W.L.L.",
        "JSC",
        "Co., Ltd.",
    ],
)
def test_a_legal_form_behind_a_name_falls_off(form: str) -> None:
    assert words_of_name(f"{FIRM} {form}") == "distribution lumen"
    assert words_of_name(f"{FIRM} {form}".upper()) == "distribution lumen"


@pytest.mark.parametrize("form", ["ООО", "О.О.О.", "ЗАО", "АО", "ПАО", "ИП", "ТОО", "ТОВ", "OOO", "PT", "SARL"])
def test_a_legal_form_in_front_of_a_name_falls_off(form: str) -> None:
    assert words_of_name(f"{form} Lumen Distribution") == "distribution lumen"
    assert words_of_name(f"{form} «Люмен Дистрибушн»") == words_of_name("Люмен Дистрибушн")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Мосторгсервис Комплект", "Mostorgservis Komplekt"),
        ("ООО Ромашка", "Romashka OOO"),
        ("Юрий Хрущёв", "Iurii Khrushchev"),
        ("Юрий Хрущёв", "Yuriy Khrushchev"),
        ("Παπαδόπουλος Γεώργιος Α.Ε.", "PAPADOPOULOS GEORGIOS AE"),
        ("삼성전자 주식회사", "SamSeong JeonJa"),
        ("(주)삼성전자", "삼성전자㈜"),
        ("株式会社ヤマト", "Yamato K.K."),
        ("ヤマト㈱", "ﾔﾏﾄ株式会社"),
        ("Հայաստան Տուր", "Hayastan Tur"),
        ("Yıldız Işık Tekstil", "YILDIZ ISIK TEKSTIL"),
        ("Müller Söhne Handel", "MUELLER SOEHNE HANDEL"),
        ("Müller Söhne Handel", "MULLER SOHNE HANDEL"),
        ("Łukasz Wójcik", "LUKASZ WOJCIK"),
        ("Søren Kjærgård", "SOEREN KJAERGAARD"),
        ("Þórður Guðmundsson", "THORDUR GUDMUNDSSON"),
        ('שמש בע"מ', "שמש"),
        ("李晓明", "Li Xiaoming"),
        ("Golden Lоtus Gаrments", "GOLDEN LOTUS GARMENTS"),
    ],
)
def test_one_name_in_two_writings_has_a_reading_in_common(one: str, other: str) -> None:
    sounds = {"".join(reading.split()) for name in (one, other) for reading in name_readings(name)}
    shared = set(name_readings(one)) & set(name_readings(other))
    assert shared or sound_of_name(one) == sound_of_name(other), sounds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.S. Patel", "Patel"),  # initials in front are no form
        ("A-B-C Company", "ABC Company"),
        ("Tran Ky", "Tran"),  # a given name that is written like a form
        ("Kim Se", "Kim"),
        ("Bauer Handel", "Baur Handel"),
        ("Xue Li", "Xu Li"),
        ("Samuel Otto", "Samul Otto"),
        ("Иванов Пётр", "Иванова Пётр"),
        ("Lumen Distribution", "Lumen Distributie"),
        ("Kwok Lee Trading Ltd", "Kwok Leung Trading Ltd"),
    ],
)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert not set(name_readings(one)) & set(name_readings(other))


@pytest.mark.parametrize("name", ["Trading Company Ltd", "Ltd", "Sa Ve", "S.A.R.L.", "有限公司", "", "***", "&"])
def test_a_form_alone_is_nobodys_name(name: str) -> None:
    assert words_of_name(name) is None
    assert sound_of_name(name) is None


@pytest.mark.parametrize(
    ("name", "rare"),
    [
        ("Ningbo Hengdayongsheng", True),
        ("Wang Wei", False),
        ("محمد عبد الرحمن الحسيني", False),
        ("משה כהן ובניו לשיווק", False),
        ("สมชาย ใจดีมากมาย", False),
        ("Мосторгсервис Комплект", True),
    ],
)
def test_a_name_whose_letters_leave_its_sound_open_is_not_rare(name: str, rare: bool) -> None:
    assert is_rare(name) == rare


def test_a_slip_is_near() -> None:
    assert set(near_names("garment hengdayongsheng")) & set(near_names("garment hengdayongshegn"))
    assert near_names("li wei") == ()


@pytest.mark.parametrize("unit", ["s.a.", "S/A ", "ооо ", "a b c ", "有限公司", "ü", "sp z o o ", ". ", "gmbh & co "])
def test_long_names_take_linear_time(unit: str) -> None:
    began = time.perf_counter()
    name_readings(unit * (100_000 // len(unit)))
    assert time.perf_counter() - began < 5.0
