"""Habits of senders by country: learned from distinct names and addresses alone, silent where there is no habit."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Text
from features.assemble import assemble
from features.catalogue import INPUTS
from features.columns import habitual
from features.habits import ALL_OF_THEM, FEWEST_ADDRESSES, FORM, NUMBER, Habits, fit_habits, no_habits
from features.plausibility.addresses import numbers_in
from features.plausibility.firms import bears_a_form, words_of_trade
from tests.features.conftest import consignments_of, nothing_fitted, row

START = datetime(2026, 1, 1, tzinfo=UTC)
CUT = START + timedelta(days=30)
BEFORE, AFTER = int(START.timestamp() * 1e6), int((CUT + timedelta(days=1)).timestamp() * 1e6)
Sender = tuple[str, str, str]  # name, street, country


def flow(senders: list[Sender], times: int = 1) -> pl.DataFrame:
    """Senders as declared within the thirty days before CUT, each so many times."""
    rows = [(*sender, START + timedelta(minutes=n % 40_000)) for n, sender in enumerate(senders * times)]
    names = ["consignor_name", "consignor_address", "consignor_country"]
    schema = {**dict.fromkeys(names, pl.String()), "lodged_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def firms(count: int, form: str = "Co., Ltd", country: str = "CN") -> list[Sender]:
    """So many firms of one kind of trade, each at a house below 150."""
    draw = np.random.default_rng(count)
    return [
        (f"Firm{n:04d} Trading {form}".strip(), f"No.{draw.integers(1, 150)} Renmin Road {n % 97}a", country)
        for n in range(count)
    ]


def asked(habits: Habits, name: str, address: str, country: str, at: int = AFTER) -> tuple[float, float]:
    one = [Text.of([value]) for value in (name, address, country)]
    answered = habits.attach(one[0], one[1], one[2], np.array([at]))
    return float(answered[FORM][0]), float(answered[NUMBER][0])


def test_a_firm_without_the_form_that_all_have_and_a_house_beyond_all_others_are_seen() -> None:
    habits = fit_habits(flow(firms(400)), [CUT])
    assert asked(habits, "Hongda Trading Co., Ltd", "No.120 Renmin Road", "CN") == (0.0, 0.0)
    assert asked(habits, "Hongda Trading", "No.74450 Renmin Road", "cn") == (1.0, 1.0)
    assert math.isnan(asked(habits, "Li Lei", "No.12 Renmin Road", "CN")[0])  # a person needs no form


def test_nothing_is_said_before_a_date_elsewhere_or_without_a_habit() -> None:
    habits = fit_habits(flow(firms(400)), [CUT])
    for country, at in (("VN", AFTER), ("", AFTER), ("CN", BEFORE)):
        assert all(map(math.isnan, asked(habits, "Hongda Trading", "No.74450 Renmin Road", country, at)))
    mixed = [*firms(200), *firms(199, form="")]  # half of them trade under a name alone
    assert math.isnan(asked(fit_habits(flow(mixed), [CUT]), "Hongda Trading", "No.1", "CN")[0])
    far = [(name, f"{10 ** (n % 5)} Main Street {n}b", "US") for n, (name, _, _) in enumerate(firms(400))]
    assert asked(fit_habits(flow(far), [CUT]), "x", "74450 Main Street", "US")[1] == 0.0  # there houses are so numbered
    assert all(map(math.isnan, asked(no_habits(), "Hongda Trading", "No.74450", "CN")))


def test_no_sender_makes_a_habit_by_the_number_of_its_parcels() -> None:
    few = firms(60)
    habits = fit_habits(flow(few, times=100), [CUT])
    assert habits.table.is_empty()  # sixty names and addresses are too few, however often they are stated
    loud = [*firms(400), *[("Hongda Trading", "No.74450 Renmin Road", "CN")] * 4_000]
    assert asked(fit_habits(flow(loud), [CUT]), "Hongda Trading", "No.74450 Renmin Road", "CN") == (1.0, 1.0)


def test_what_a_tenth_of_them_state_does_not_become_usual() -> None:
    odd = [(f"Odd{n} Person", f"No.{5_000 + n} Renmin Road", "CN") for n in range(35)]
    assert asked(fit_habits(flow([*firms(365), *odd]), [CUT]), "x", "No.7445 Renmin Road", "CN")[1] == 1.0


def test_rooms_are_compared_with_rooms_and_chinese_is_read_as_well() -> None:
    rooms = [(f"深圳市{chr(0x4E00 + n)}达贸易有限公司", f"深圳市学院路55号{100 + n % 700}室", "CN") for n in range(400)]
    habits = fit_habits(flow(rooms), [CUT])
    assert asked(habits, "上海华达贸易公司", "上海市学院路3号99999室", "CN") == (1.0, 1.0)
    assert asked(habits, "上海华达贸易有限公司", "上海市学院路3号702室", "CN") == (0.0, 0.0)
    assert numbers_in("Flat 12, 3/F, No. 88 Nathan Road (4711) #99") == (("flat", 12.0), ("house", 88.0))


def test_it_is_a_habit_from_so_many_on() -> None:
    least = next(count for count in range(10, 200) if not fit_habits(flow(firms(count)), [CUT]).table.is_empty())
    assert 70 <= least <= 76  # of 73 that all bear one, 95 % do so with 95 % confidence
    few, enough = (
        fit_habits(flow(firms(count)), [CUT]).table for count in (FEWEST_ADDRESSES - 1, FEWEST_ADDRESSES + 9)
    )
    assert (set(few["kind"]), set(enough["kind"])) == ({FORM}, {FORM, NUMBER})
    assert min(enough.filter(kind=FORM)["limit"].to_list()) >= ALL_OF_THEM


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Ningbo Senhe Trading Co., Ltd", True), ("Ningbo Senhe Trading", False), ("Firma Sp. z o.o.", True),
        ("ООО Ромашка", True), ("Bauer AG", True), ("Ag Bauer", False), ("郑州市安瑞国际贸易有限公司", True),
        ("王伟", False), ("Tianyi E-Commerce Co., Ltd Wenzhou", True), ("", False),
    ],
)  # fmt: skip
def test_a_form_is_seen_wherever_it_stands(name: str, form: bool) -> None:
    assert bears_a_form(name) is form
    assert "ltd" not in words_of_trade(name)


def test_one_row_and_many_say_the_same_and_a_model_reads_both() -> None:
    fits = replace(nothing_fitted(), habits=fit_habits(flow(firms(400)), [CUT]))
    inputs = [item for item in INPUTS if hasattr(habitual, item.name)]
    stated = [("Hongda Trading", "No.74450 Renmin Road"), ("Hongda Trading Co., Ltd", "No.5"), ("Li Lei", None)]
    rows = [
        row(consignment_id=f"C{n}", consignor_name=name, consignor_address=address, consignor_country="CN")
        for n, (name, address) in enumerate(stated)
    ]
    together = assemble(consignments_of(*rows), None, fits, inputs).frame.drop("row")
    alone = [assemble(consignments_of(one), None, fits, inputs).frame.drop("row") for one in rows]
    assert together.equals(pl.concat(alone))
    assert together["sender_form_missing"].fill_nan(None).to_list() == [1.0, 0.0, None]
    assert together["sender_number_beyond"].fill_nan(None).to_list() == [1.0, 0.0, None]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["CN", "FR", "", "zz"]))
def test_any_text_is_answered(name: str, address: str, country: str) -> None:
    answers = asked(fit_habits(flow([*firms(80), (name, address, country)]), [CUT]), name, address, country)
    assert all(math.isnan(answer) or answer in (0.0, 1.0) for answer in answers)
