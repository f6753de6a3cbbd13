"""What the pages count: hit rates and calibration from the record, rules by what came of them, the last monitoring."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.contract import gate_outcomes
from features.moments import micros
from service.api.bodies import outcome_rows
from service.console import page_queries as reading
from service.console.translations import LANGUAGES, language_among, words
from service.journal import Journal
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message, outcome

LATER = micros(NOON + timedelta(days=3))


def learned(desk: Desk, *rows: dict[str, Any]) -> None:
    gated = gate_outcomes(outcome_rows({"outcomes": list(rows)})[0])
    assert gated.refused.is_empty()
    desk.journal.learn(gated.accepted)


def test_hit_rates_are_counted_by_week_and_by_what_chose(desk: Desk, store: Store) -> None:
    learned(
        desk, outcome(1, selection="risk"), outcome(2, selection="risk", result="compliant", findings=None),
        outcome(3, selection="random", result="compliant", findings=None), outcome(4, result="inconclusive"),
        outcome(5, selection="risk", known_at=NOON - timedelta(weeks=reading.WEEKS + 1)),
    )  # fmt: skip
    told = {(row["week"], row["selection"]): row for row in reading.hit_rates(store, LATER)}
    assert set(told) == {("2026-W06", "risk"), ("2026-W06", "random")}
    assert (told["2026-W06", "risk"]["inspected"], told["2026-W06", "risk"]["rate"]) == (2, 0.5)


def test_a_week_begins_on_monday_in_either_database(either_store: Store) -> None:
    monday = datetime(2026, 2, 2, tzinfo=UTC)
    last, first = monday - timedelta(seconds=1), monday
    rows = [outcome(1, known_at=last, selection="random"), outcome(2, known_at=first), outcome(3, known_at=first)]
    Journal(either_store).learn(gate_outcomes(outcome_rows({"outcomes": rows})[0]).accepted)
    rates = reading.hit_rates(either_store, micros(monday + timedelta(days=1)))
    assert [(row["week"], row["inspected"], row["found"]) for row in rates] == [
        ("2026-W06", 2, 2),
        ("2026-W05", 1, 1),
    ]
    assert reading.calibration(either_store, micros(monday + timedelta(days=1))) == []
    assert reading.rule_hits(either_store, micros(monday + timedelta(days=1))) == {}


def test_calibration_sets_what_was_found_beside_what_was_foretold(desk: Desk, store: Store) -> None:
    decided = target(message(*(declared(n) for n in range(1, 9))), desk).rows
    learned(desk, *(outcome(n, result="non_compliant" if n < 5 else "compliant") for n in range(1, 9)))
    bands = reading.calibration(store, LATER)
    assert sum(band["inspected"] for band in bands) == 8
    assert sum(band["found"] * band["inspected"] for band in bands) == 4
    foretold = sum(band["foretold"] * band["inspected"] for band in bands)
    assert abs(foretold - sum(row["risk"] for row in decided)) < 1e-9
    assert all(band["low"] <= band["foretold"] <= band["high"] for band in bands)


def test_a_rule_is_told_by_what_came_of_what_it_asked_for(desk_with: Any, store: Store) -> None:
    from pipelines.training.standard_policy import standard_policy
    from tests.service.building import RULE

    desk = desk_with(standard_policy() + RULE)
    target(message(*(declared(n) for n in range(1, 5))), desk)
    learned(
        desk, *(outcome(n, selection="rule", result="non_compliant" if n == 1 else "compliant") for n in range(1, 5))
    )
    assert reading.rule_hits(store, LATER) == {"perfume-by-post": (4, 1)}


def test_similar_are_goods_in_like_words_or_of_one_kind_from_one_country(desk: Desk, store: Store) -> None:
    other = [{"line_no": 1, "description": "tea", "hs_code": "090210", "value": 3.0, "currency": "EUR"}]
    words = [{"line_no": 1, "description": "Shoes, RUNNING", "hs_code": "950300", "value": 3.0, "currency": "EUR"}]
    kind = [{**declared()["goods"][0], "description": "sandals for beaches"}]
    sent = [declared(1), declared(2, goods=kind), declared(3, dispatch_country="TR", goods=words)]
    target(message(*sent, declared(4, goods=other), declared(5)), desk)
    learned(desk, *(outcome(n) for n in (1, 2, 3, 4)))
    body = reading.declared(store, ["HAWB000000005"])["HAWB000000005"]
    alike = reading.similar(store, body, "HAWB000000005")
    likeness = {one["consignment_id"]: one["likeness"] >= reading.ALIKE for one in alike}
    assert likeness == {"HAWB000000001": True, "HAWB000000003": True, "HAWB000000002": False}
    assert alike[-1]["consignment_id"] == "HAWB000000002"
    assert all(one["result"] == "non_compliant" for one in alike)
    assert reading.similar(store, {"goods": []}, "x") == []


def test_the_last_monitoring_is_told(tmp_path: Path) -> None:
    assert reading.alarms(tmp_path) is None
    for day, ringing in (("2026-01-01", True), ("2026-01-02", False)):
        folder = tmp_path / "monitor" / day
        folder.mkdir(parents=True)
        calm = {"kind": "volume", "what": "consignments a day", "ringing": ringing}
        rings = {"kind": "inputs", "what": "gross mass", "ringing": True}
        told = {"last": day, "alarms": [calm, rings], "latest": [{"series": "gross_mass_kg", "meaning": "gross mass"}]}
        (folder / "monitor.json").write_text(json.dumps(told))
    assert reading.alarms(tmp_path) == {
        "last": "2026-01-02",
        "ringing": [rings | {"series": "gross_mass_kg"}],
        "readings": [{"series": "gross_mass_kg", "meaning": "gross mass"}],
    }


def test_the_latest_trainings_are_laid_out(tmp_path: Path) -> None:
    told = {"facts": {}, "figures": {"Tamis": {"hit rate": 0.1, "auc": 0.9}, "chance": {"hit rate": 0.02}}}
    contest = {"champion": "tamis-v1", "contest": {"tamis-v1": {"auc": 0.8}}}
    (tmp_path / "tamis-training.json").write_text(json.dumps(told | contest))
    assert reading.trainings(tmp_path) == [
        ("tamis", ([("Tamis", [0.1, 0.9]), ("chance", [0.02, None])], ["hit rate", "auc"])),
        ("tamis – tamis-v1", ([("tamis-v1", [0.8])], ["auc"])),
    ]


def test_what_is_due_of_a_detained_consignment_is_told(desk: Desk, store: Store) -> None:
    from service.officers.cases import Detained, detain

    target(message(declared(1), declared(2)), desk)
    told = Detained("HAWB000000001", NOON, "o-17", "FR", "Sole Brands", units=2)
    case = detain(desk.journal, told, desk.policy.tracks)
    assert reading.due(store, ["HAWB000000001", "HAWB000000002"]) == {"HAWB000000001": case.due()}


def test_every_word_is_told_in_every_language() -> None:
    assert all(set(text) == set(LANGUAGES) for texts in words().values() for text in texts.values())


def test_a_browser_is_answered_in_the_first_language_that_the_console_speaks() -> None:
    assert language_among("de-DE,de;q=0.9,fr-FR;q=0.8,en;q=0.7") == "fr"
    assert language_among("zh-CN") == "zh"
    assert language_among("") == language_among("de") == "en"
