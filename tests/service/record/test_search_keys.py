"""What a consignment is found by, and what a typed key may mean: in the forms that linking and screening compare."""

from __future__ import annotations

from typing import Any

import pytest

from features.identifiers.mailboxes import mailboxes
from features.identifiers.telephones import telephones
from service.record.search_keys import BY_NAME, EVERYTHING, KEY_KINDS, key_of, meanings, searched_fields, stated_keys

BODY: dict[str, Any] = {
    "consignor_name": "张伟明", "consignor_address": "12 Second Road", "consignor_city": "Yiwu",
    "consignor_country": "CN", "consignor_phone": "135 1234 0987", "consignor_email": "Jian.Zhu+x@gmail.com",
    "consignor_id": "FR 552 100 554", "consignee_name": "LEMAIRE, Kévin", "consignee_address": "181 rue du Port",
    "consignee_city": "Roubaix", "consignee_postcode": "59100", "consignee_country": "FR",
    "consignee_phone": "06 39 98 12 34", "consignee_email": "kevin.lemaire@inbox.example",
    "seller_account": "Timbres_Pas-Chers 75", "seller_url": "https://www.solekicks.co.uk/x",
    "goods": [
        {"description": "手机壳 KX-7781 for iPhone", "product_code": "https://id.gs1.org/01/09506000134352/21/83911-A"},
        {"description": "手机壳 KX-7781 for iPhone", "product_code": None},
    ],
}  # fmt: skip
FOUND = [  # typed, and the kind that finds it
    ("+86 135-1234-0987", "telephone"), ("13512340987", "telephone"), ("0639981234", "telephone"),
    ("+33639981234", "telephone"), ("0033 6 39 98 12 34", "telephone"), ("wa.me/33639981234", "telephone"),
    ("jianzhu@googlemail.com", "mailbox"), ("KEVIN.LEMAIRE@inbox.example", "mailbox"),
    ("Kevin Lemaire", "name"), ("lemaire", "name"), ("Кevin Lеmaire", "name"), ("Zhang Weiming", "name"),
    ("zhang wei ming", "name"), ("181 rue du Port", "address"), ("181, Rue du Port, Roubaix", "address"),
    ("181 rue du port 59100 Roubaix", "address"), ("552100554", "number"), ("FR 552100554", "number"),
    ("timbres pas chers 75", "account"), ("TIMBRES_PAS_CHERS_75", "account"), ("solekicks.com", "shop"),
    ("http://solekicks.de/checkout", "shop"), ("83911a", "serial"), ("S/N 83911-A", "serial"),
    ("9506000134352", "article"),
    ("kx7781", "product"), ("KX 7781", "product"), ("iphone 手机", "product"), ("壳", "name"),
]  # fmt: skip


def finds(typed: str, kind: str, body: dict[str, Any] = BODY) -> bool:
    stated = set(stated_keys(body))
    return any(
        all(any(key_of(of, form) in stated for form in forms) for forms in meaning)
        for of, meaning in meanings(typed, [kind])
    )


@pytest.mark.parametrize(("typed", "kind"), FOUND[:-1])
def test_a_key_finds_what_states_it_however_it_is_written(typed: str, kind: str) -> None:
    assert finds(typed, kind)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("+33639981235", "telephone"), ("kevin.lemaire2@inbox.example", "mailbox"), ("Kevin Lemoine", "name"),
     ("Lemair", "name"), ("183 rue du Port, Roubaix", "address"), ("181 rue du Port, Lille", "address"),
     ("552100555", "number"), ("timbres", "account"), ("solekicks.shop", "shop"), ("83911-B", "serial"),
     ("kx7782", "product"), ("壳手", "product"), ("iphone leather", "product")],
)  # fmt: skip
def test_another_key_does_not(typed: str, kind: str) -> None:
    assert not finds(typed, kind)


@pytest.mark.parametrize(("typed", "kind"), [one for one in FOUND if one[1] not in ("number",)][:-1])
def test_a_key_is_found_without_its_kind(typed: str, kind: str) -> None:
    """Digits alone may be a registered number of any country, and so may many other things."""
    assert kind in {of for of, _ in meanings(typed)}


def test_every_form_is_that_of_linking() -> None:
    stated = set(stated_keys(BODY))
    for form in telephones(BODY["consignor_phone"], "CN"):
        assert key_of("telephone", form) in stated
    for form in mailboxes(BODY["consignor_email"]):
        assert key_of("mailbox", form) in stated


def test_what_a_declaration_states_is_stated_once_and_nothing_of_placeholders() -> None:
    keys = stated_keys(BODY)
    assert len(keys) == len(set(keys))
    assert {key.partition("\x1f")[0] for key in keys} == {kind.name for kind in KEY_KINDS}
    assert stated_keys({"consignor_phone": "0000000000", "consignor_email": "n/a", "seller_account": "none"}) == []
    assert stated_keys({"goods": [{"description": None}, {}]}) == []


def test_the_fields_of_a_declaration_can_be_searched_for() -> None:
    fields = searched_fields(BODY)
    assert fields["consignee_address"] == ("181 rue du Port, Roubaix", ["address"])
    for name, (typed, (kind,)) in fields.items():
        assert finds(typed, kind) or name == "consignor_phone", name  # of which the country is not typed
        assert kind in BY_NAME
    assert {"consignee_phone", "consignor_email", "consignee_name", "seller_account", "seller_url"} <= set(fields)
    assert "consignor_city" not in fields


def test_what_is_read_before_the_first_call_states_a_key_of_each_kind() -> None:
    assert [kind.name for kind in KEY_KINDS if not list(kind.stated(EVERYTHING))] == []
