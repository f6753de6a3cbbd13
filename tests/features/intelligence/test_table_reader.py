"""Lists as tables: several values in a cell, columns as people name them, and lines about those who are no suspects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intelligence.cells import values_of
from features.intelligence.statements import PROPERTIES
from features.intelligence.table_reader import column_meaning
from tests.features.intelligence.lists import read, stated, texts


@pytest.mark.parametrize(
    ("prop", "cell", "values"),
    [
        ("email", "a@x.example; b@x.example", ["a@x.example", "b@x.example"]),
        ("email", "a@x.example,b@x.example", ["a@x.example", "b@x.example"]),
        ("email", "a@x.example / b@x.example", ["a@x.example", "b@x.example"]),
        ("email", "a@x.example\nb@x.example", ["a@x.example", "b@x.example"]),
        ("email", "Ann <a@x.example>, Bo (b@x.example)", ["a@x.example", "b@x.example"]),
        ("email", "a@x.example or b@x.example", ["a@x.example", "b@x.example"]),
        ("email", "mailto:a@x.example", ["a@x.example"]),
        ("email", "a@x.example|b@x.example", ["a@x.example", "b@x.example"]),
        ("phone", "+8613800138000 / +8613900139000", ["+8613800138000", "+8613900139000"]),
        ("phone", "+8613800138000;+8613900139000", ["+8613800138000", "+8613900139000"]),
        ("phone", "+8613800138000, +8613900139000", ["+8613800138000", "+8613900139000"]),
        ("phone", "+8613800138000\n+8613900139000", ["+8613800138000", "+8613900139000"]),
        ("phone", "13800138000 or 13900139000", ["13800138000", "13900139000"]),
        ("phone", "13800138000、13900139000", ["13800138000", "13900139000"]),
        ("phone", "+49 89/123456", ["+49 89/123456"]), ("phone", "089/1234567", ["089/1234567"]),
        ("phone", "+8613800138000, ext. 12", ["+8613800138000, ext. 12"]),
        ("url", "https://a.example/x,y https://b.example", ["https://a.example/x,y", "https://b.example"]),
        ("url", "a.example; b.example", ["a.example", "b.example"]),
        ("url", "https://a.example/p;v=1", ["https://a.example/p;v=1"]),
        ("country", "China; Viet Nam", ["China", "Viet Nam"]), ("country", "China/Vietnam", ["China", "Vietnam"]),
        ("country", "CN, VN", ["CN", " VN".strip()]),
        ("country", "Korea, Republic of", ["Korea, Republic of"]),
        ("country", "Korea, Republic of; China", ["Korea, Republic of", "China"]),
        ("name", "Golden Lotus; 金莲", ["Golden Lotus", "金莲"]), ("name", "Li, Wei", ["Li, Wei"]),
        ("name", "A/S Nordic", ["A/S Nordic"]),
        ("address", "1 High Street, Leeds", ["1 High Street, Leeds"]),
        ("address", "1 High Street\nLeeds", ["1 High Street\nLeeds"]),
        ("address", "1 High Street; 2 Low Road", ["1 High Street", "2 Low Road"]),
        ("account", "kicks88, kicks99", ["kicks88", "kicks99"]),
        ("id", "91330782MA28\n123/45", ["91330782MA28", "123/45"]),
        ("iban", "DE89370400440532013000;FR7630006000011234567890189",
         ["DE89370400440532013000", "FR7630006000011234567890189"]), ("email", "", []), ("phone", " ; / ", []),
    ],
)  # fmt: skip
def test_values_of_a_cell_are_told_apart_and_what_is_one_stays_one(prop: str, cell: str, values: list[str]) -> None:
    assert [value for value in values_of(prop, cell) if any(map(str.isalnum, value))] == values


@pytest.mark.parametrize(
    ("prop", "names"),
    [
        ("email", "e-mail|E-Mail Address|email 2|EMAIL_1|Courriel|correo electrónico|E-Mail-Adresse|邮箱|e-mail adress"
                  "|seller_email|emial|Mail (private)"),
        ("phone", "Phone|telephone|Tel.|Phone number|N° de téléphone|Telefonnummer|teléfono|电话|telehpone|mobile"
                  "|consignor phone|WhatsApp"),
        ("name", "Name|alias|Company|company name|Nom|raison sociale|姓名|公司名称|full_name|shipper name"),
        ("country", "Country|pays|Land|País|国家|contry|Country code"),
        ("url", "URL|website|shop url|domain|网址|web site|seller_url|Link"),
        ("address", "Address|adress|Adresse|Anschrift|dirección|地址|Adresse postale"),
        ("account", "account|seller|username|pseudo account|Compte|账号"),
        ("id", "VAT number|eori|SIRET|tax_id|registration number|税号"), ("iban", "IBAN|bank account"),
    ],
)  # fmt: skip
def test_columns_are_known_as_people_name_them(prop: str, names: str) -> None:
    known = {name: column_meaning(name) for name in names.split("|")}
    assert known == dict.fromkeys(known, prop) | ({"pseudo account": None} if "pseudo account" in known else {})


@pytest.mark.parametrize(
    "name",
    ["victim_email", "reporter e-mail", "complainant phone", "right holder name", "buyer_email", "victim",
     "email of the victim", "officer mail",
     "date", "note", "email status", "phone verified", "", "x" * 200, "état", "remarks", "author", "customer name"],
)  # fmt: skip
def test_a_column_of_anybody_else_is_not_read(name: str) -> None:
    assert column_meaning(name) is None


@pytest.mark.parametrize(
    "role",
    [
        "victim",
        "Victime",
        "Opfer",
        "受害者",
        "complainant",
        "Witness",
        "right holder",
        "titulaire de droits",
        "buyer",
        "Author",
    ],
)
def test_a_line_about_no_suspect_is_left_out(role: str) -> None:
    content = f"name,role,email\nRing,suspect,a@x.example\nSole,{role},ipr@sole.example\nOther,,b@x.example\n".encode()
    assert texts(content, "email") == {"a@x.example", "b@x.example"}
    assert read(content).left_out["line", "its role is not that of a suspect"] == 1


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_whatever_parts_its_columns(separator: str, first: str, encoding: str) -> None:
    rows = (("Name", "Courriel"), ("Müller", "a@x.example"))
    content = first.format(separator) + "\r\n".join(separator.join(row) for row in rows)
    assert list(stated(content.encode(encoding)).values()) == [{("name", "Müller"), ("email", "a@x.example")}]


@pytest.mark.parametrize("country", ["China", "中国", "CHN", "Chine", "P.R. China", "cn"])
def test_a_country_in_words_is_its_code(country: str) -> None:
    assert texts(f"name;country\nGolden Lotus;{country}\n".encode(), "country") == {"CN"}


@pytest.mark.parametrize(
    ("column", "cell"), [("country", "Chnia"), ("country", "unknown"), ("email", "n/a"), ("email", "see file"),
     ("phone", "none"), ("phone", "12")]
)  # fmt: skip
def test_a_value_that_cannot_be_what_its_column_says_is_told(column: str, cell: str) -> None:
    listed = read(f"name;{column}\nGolden Lotus;{cell}\n".encode())
    assert {kind for kind, _ in listed.left_out} == {column}
    assert cell not in str(listed.left_out)
    assert listed.statements["property"].to_list() == ["name"]


def test_columns_that_are_not_read_are_counted() -> None:
    listed = read(b"name,date,remark\nA,2026-01-01,x\n")
    assert [number for (kind, _), number in listed.left_out.items() if kind == "column"] == [2]
    assert listed.account()["read"] == {"subject": 1, "name": 1}


@given(st.sampled_from([*PROPERTIES]), st.text(max_size=100))
def test_any_cell_is_parted(prop: str, cell: str) -> None:
    assert all(value == value.strip() and value for value in values_of(prop, cell))


@given(st.text(max_size=120))
def test_any_name_is_a_column_or_none(name: str) -> None:
    assert column_meaning(name) in {None, "key", "role", *PROPERTIES}


def test_a_table_with_a_comma_in_an_address_is_a_table() -> None:
    table = b'name,address,country\nJean Timbre,"7 rue Cr\xc3\xa9billon, 44000 Nantes",FR\n'
    listed = read(table)
    assert listed.format == "csv"
    assert ("address", "7 rue Crébillon, 44000 Nantes") in listed.statements.select("property", "text").rows()
