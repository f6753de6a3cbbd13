"""Results under a value that unlike senders share: unread while one of them was found, read once two were."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl

from features.algebra.tables import Table
from features.consignment import Consignments, fold
from features.contract import gate_manifest
from features.history.facts import facts_of, facts_of_outcomes
from features.history.shared_values import FEW_SHARERS, OF_SEVERAL, SHARED_KEYS, SHARERS, without_strangers_results
from features.history.totals import FactTable
from features.history.windows import read_windows, reading_of
from features.parties import link_with
from features.parties.graph import Graph
from pipelines.training.training_frame import with_entities_of
from tests.features.conftest import LODGED_AT, frame_of, row

READINGS = [
    reading
    for name in ("address_hits_ever", "address_inspected_90d", "address_consignments_90d")
    if (reading := reading_of(name)) is not None
]
HOUSE = {"consignor_city": "Leeds", "consignor_country": "GB", "consignor_phone": "", "consignor_email": ""}


def sent(number: int, day: int, name: str, **stated: object) -> dict[str, object]:
    keys = {"message_id": f"M{number}", "consignment_id": f"C{number}"}
    at = (LODGED_AT + timedelta(days=day)).isoformat()
    place = {"consignor_address": f"Unit {number}, 17 Harbour Road", "consignor_name": name, **HOUSE}
    return row(lodged_at=at, seller_account="", seller_url="", description="goods", **{**keys, **place, **stated})


def consignments(*rows: dict[str, object]) -> Consignments:
    gated = gate_manifest(frame_of(*rows), "M1")
    assert not gated.refused.height
    return fold(gated.accepted)


def read_by_the_last(sent_by: Consignments, *found: str) -> dict[str, float]:
    """What the last consignment reads of its address, when controls found these consignments on the tenth day."""
    linked, _ = link_with(sent_by, Graph())
    known_at = pl.Series([LODGED_AT + timedelta(days=10)] * len(found), dtype=pl.Datetime("us", "UTC"))
    nothing = pl.Series([None] * len(found), dtype=pl.String)
    outcomes = pl.DataFrame(
        {"consignment_id": pl.Series(found, dtype=pl.String), "known_at": known_at, "findings": nothing,
         "result": pl.Series(["non_compliant"] * len(found), dtype=pl.String), "criminal_link": nothing}
    )  # fmt: skip
    facts = pl.concat([facts_of(linked), facts_of_outcomes(with_entities_of(outcomes, linked))])
    history = FactTable(facts, holds_all=True)
    frame = linked.frame.tail(1)
    columns = {name: of.to_numpy() for name, of in read_windows(READINGS, frame, history).to_dict().items()}
    moment = frame["lodged_at"].dt.epoch("us").to_numpy()
    read = without_strangers_results(READINGS, columns, Table.of_frame(frame), moment, history)
    return {name: float(of[0]) for name, of in read.items()}


STRANGERS = ("Olivia Marsh Ceramics", "Gustav Petersen Tools", "Beatriz Navarro Lamps", "Quentin Dubois Optics")


def of_strangers() -> Consignments:
    early = [sent(number, number // 4, STRANGERS[number % 4]) for number in range(8)]
    return consignments(*early, sent(9, 20, "Yolanda Quist Textiles"))


def test_of_one_stranger_found_four_times_nothing_is_read() -> None:
    read = read_by_the_last(of_strangers(), "C0", "C4")
    assert math.isnan(read["address_hits_ever"])
    assert math.isnan(read["address_inspected_90d"])
    assert read["address_consignments_90d"] == 8.0


def test_of_two_strangers_found_their_house_has_a_record() -> None:
    read = read_by_the_last(of_strangers(), "C0", "C1")
    assert (read["address_hits_ever"], read["address_inspected_90d"]) == (2.0, 2.0)


def test_what_was_found_of_the_sender_itself_is_no_second_finding() -> None:
    early = [sent(number, number // 4, STRANGERS[number % 4]) for number in range(8)]
    read = read_by_the_last(consignments(*early, sent(9, 20, STRANGERS[1])), "C0", "C1")
    assert math.isnan(read["address_hits_ever"])


def test_what_becomes_known_later_is_not_known() -> None:
    early = [sent(number, number // 4, STRANGERS[number % 4]) for number in range(8)]
    read = read_by_the_last(consignments(*early, sent(9, 9, "Yolanda Quist Textiles")), "C0", "C1")
    assert math.isnan(read["address_hits_ever"])


def test_a_crowd_is_not_asked() -> None:
    names = [f"{first}{second}ovic Trade" for first in "BCDFGHJKL" for second in "aeiouybd"]
    assert len(set(names)) > FEW_SHARERS
    crowd = [sent(number, 1, name) for number, name in enumerate(names)]
    linked, _ = link_with(consignments(*crowd, sent(900, 20, "Yolanda Quist Textiles")), Graph())
    last = linked.frame.tail(1)
    assert "address" in last[SHARED_KEYS][0]
    assert last[SHARERS][0].to_list() == []


def test_sharers_are_others_that_state_it() -> None:
    linked, _ = link_with(of_strangers(), Graph())
    stated = np.array(linked.frame[SHARERS][-1].to_list()).reshape(-1, 3)
    cards = linked.frame["card_entity"].to_list()
    assert set(stated[:, 0]) == {OF_SEVERAL.index("address")}
    assert sorted(stated[:, 1]) == sorted(set(cards[:-1]))
