"""The same serial number in two consignments: from history alone, and no consignment is a copy of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pipelines.learn import standard_policy
from service.orientation import load_policy
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

GTIN, RULE = "09506000134352", "rule.serial-number-declared-before"


def with_serial(number: int, serial: str, **more: object) -> dict[str, object]:
    goods = [{"description": "sports shoes", "product_code": f"(01){GTIN}(21){serial}", "value": 40, "currency": "EUR"}]
    lodged_at = NOON + timedelta(minutes=number)
    return declared(number, goods=goods, lodged_at=lodged_at, **more)


def test_the_same_serial_number_in_a_second_consignment_asks_for_a_check(desk: Desk) -> None:
    desk = replace(desk, policy=load_policy(standard_policy()))
    first = target(message(with_serial(1, "A1"), message_id="M1"), desk).rows[0]
    other = target(message(with_serial(2, "B2"), message_id="M2"), desk).rows[0]
    copy = target(message(with_serial(3, "a-1"), message_id="M3"), desk).rows[0]
    codes = [[reason["code"] for reason in row["reasons"]] for row in (first, other, copy)]
    assert [RULE in own for own in codes] == [False, False, True]
    assert copy["clearance"] == "red"
    again = with_serial(2, "B2") | {"version": 2, "lodged_at": (NOON + timedelta(hours=1)).isoformat()}
    amended = target(message(again, message_id="M4"), desk).rows[0]
    assert RULE not in [reason["code"] for reason in amended["reasons"]], "its own earlier version"
