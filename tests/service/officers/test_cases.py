"""Cases: what was detained goes its track, clocks count working days, the right holder's word becomes a label."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from features.fault import Fault
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers.cases import Case, Detained, case_of, detain, note, open_cases
from service.officers.destruction import bar_to_destruction
from service.officers.statutory_clocks import clocks
from service.officers.working_days import NoSuchCountry, after_working_days, is_working_day, working_days_between
from service.orientation.applications import Application
from service.orientation.lanes import Track
from service.orientation.track_conditions import Tracks
from service.store.tables import CASE_NOTES
from service.targeting import target
from tests.service.building import NOON, declared, message
from tests.service.orientation.cases import QUICK

TRACKS = Tracks(applications=(Application("Sole Brands", small_consignments=True),))
THEN = datetime(2026, 4, 30, 10, tzinfo=UTC)  # a Thursday; Friday is Labour Day in France
ID = "HAWB000000001"


def detained(desk: Desk, **changes: Any) -> Case:
    target(message(declared(1), declared(2)), desk)
    told = {"consignment_id": ID, "at": THEN, "officer": "o-7", "country": "FR", "right_holder": "Sole Brands"}
    return detain(desk.journal, Detained(**{**told, **changes}), TRACKS)


@pytest.mark.parametrize(
    ("day", "country", "works"),
    [
        (date(2026, 5, 1), "FR", False),
        (date(2026, 5, 1), "NL", True),
        (date(2026, 5, 2), "FR", False),
        (date(2026, 7, 14), "FR", False),
        (date(2026, 7, 14), "DE", True),
        (date(2026, 4, 6), "FR", False),  # Easter Monday
        (date(2026, 4, 7), "FR", True),
    ],
)
def test_working_days_are_those_of_the_member_state(day: date, country: str, works: bool) -> None:
    assert is_working_day(day, country) is works


def test_a_country_that_nobody_knows_is_named() -> None:
    with pytest.raises(NoSuchCountry, match="XX"):
        is_working_day(date(2026, 5, 1), "XX")


@QUICK
@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 30), st.sampled_from(["FR", "DE", "PL"]))
def test_a_period_ends_on_a_working_day_and_holds_as_many_as_it_says(start: date, count: int, country: str) -> None:
    end = after_working_days(start, count, country)
    assert is_working_day(end, country)
    assert working_days_between(start, end, country) == count
    assert after_working_days(start, count + 1, country) > end


def test_article_26_the_simplified_procedure_has_its_clocks() -> None:
    noted = {"detained": date(2026, 4, 30)}
    (notice,) = clocks(Track.simplified_destruction, noted, "FR")
    assert (notice.due, notice.source[-5:], notice.done) == (date(2026, 5, 4), "26(3)", None)  # 1 May is none
    noted["declarant_notified"] = date(2026, 5, 4)
    _, answer = clocks(Track.simplified_destruction, noted, "FR")
    assert answer.due == date(2026, 5, 20)  # ten working days after it; 8 May and Ascension Day are none
    assert "26(4)" in answer.source
    noted |= {"declarant_objects": date(2026, 5, 11), "holder_notified": date(2026, 5, 11)}
    *_, proceedings = clocks(Track.simplified_destruction, noted, "FR")
    assert (proceedings.step, proceedings.due) == ("proceedings", date(2026, 5, 27))  # Whit Monday is none
    assert "26(8)" in proceedings.source


@pytest.mark.parametrize(
    ("perishable", "extended", "due"),
    [(False, False, date(2026, 5, 20)), (True, False, date(2026, 5, 7)), (False, True, date(2026, 6, 4)),
     (True, True, date(2026, 5, 7))],
)  # fmt: skip
def test_article_23_the_right_holder_has_ten_days_three_for_perishable_goods_and_ten_more_on_request(
    perishable: bool, extended: bool, due: date
) -> None:
    noted = {"detained": date(2026, 4, 30), "holder_notified": date(2026, 5, 4)}
    noted |= {"extended": date(2026, 5, 6)} if extended else {}
    told = {clock.step: clock for clock in clocks(Track.none, noted, "FR", perishable=perishable)}
    assert told["holder_answers"].due == due
    assert "23(1)(a)" in told["holder_answers"].source


def test_a_clock_that_was_met_late_says_so() -> None:
    noted = {"detained": date(2026, 4, 30), "declarant_notified": date(2026, 5, 5)}
    notice, _ = clocks(Track.simplified_destruction, noted, "FR")
    assert (notice.kept, notice.done) == (False, date(2026, 5, 5))


@pytest.mark.parametrize(
    ("told", "track"),
    [
        ({}, Track.simplified_destruction),
        ({"units": 40, "gross_kg": 9.0}, Track.none),
        ({"right_holder": "Nobody"}, Track.none),
        ({"right_holder": None}, Track.none),
        ({"findings": ("undervalued",)}, Track.none),
        ({"findings": ("counterfeit", "dangerous")}, Track.investigation),
        ({"criminal_link": True}, Track.investigation),
    ],
)
def test_what_was_found_chooses_the_track(desk: Desk, told: dict[str, Any], track: Track) -> None:
    assert detained(desk, **told).track is track


def test_a_case_is_noted_step_by_step_and_kept(desk: Desk, tmp_path: Path) -> None:
    detained(desk)
    note(desk.journal, ID, "declarant_notified", THEN + timedelta(days=4), "o-8")
    case = case_of(desk.journal.store, ID)
    assert case is not None
    due = case.due()
    assert due is not None
    assert due.step == "declarant_answers"
    assert [one.consignment_id for one in open_cases(desk.journal.store)] == [ID]
    note(desk.journal, ID, "declarant_agrees", THEN + timedelta(days=6), "o-8")
    closed = note(desk.journal, ID, "destroyed", THEN + timedelta(days=6), "o-8")
    assert (closed.open, closed.due(), open_cases(desk.journal.store)) == (False, None, [])
    assert verify_record(desk.journal.store, tmp_path / "checkpoints", tmp_path / "keys").faults == []


@pytest.mark.parametrize(
    ("answer", "result", "findings"),
    [("holder_confirms", "non_compliant", "counterfeit"), ("holder_says_genuine", "compliant", None),
     ("no_reply", "inconclusive", None)],
)  # fmt: skip
def test_the_right_holders_word_is_a_result_that_the_next_model_learns_from(
    desk: Desk, tmp_path: Path, answer: str, result: str, findings: str | None
) -> None:
    decided = target(message(declared(1)), desk).rows[0]
    detained(desk)
    note(desk.journal, ID, answer, THEN + timedelta(days=9), "o-8")
    archive = Archive(tmp_path / "archive")
    sweep(desk.journal, archive)
    (row,) = archive.outcomes().to_dicts()
    assert (row["result"], row["findings"], row["right_holder"]) == (result, findings, "Sole Brands")
    assert row["known_at"] == THEN + timedelta(days=9)
    assert row["selection"] == (decided["selection"] if decided["selection"] != "none" else "unknown")


DETAINED, NOTIFIED = {"detained": date(2026, 4, 30)}, {"declarant_notified": date(2026, 5, 4)}
TOLD = DETAINED | NOTIFIED
CONFIRMED = {"holder_confirms": date(2026, 5, 6)}
SMALL, STANDARD = Track.simplified_destruction, Track.none


@pytest.mark.parametrize(
    ("track", "noted", "day", "perishable", "why", "first"),
    [
        (SMALL, DETAINED, date(2026, 4, 30), False, "declarant_notified", date(2026, 5, 20)),
        (SMALL, TOLD, date(2026, 5, 4), False, "may still answer", date(2026, 5, 21)),
        (SMALL, TOLD, date(2026, 5, 20), False, "may still answer", date(2026, 5, 21)),  # the term's last day
        (SMALL, TOLD, date(2026, 5, 21), False, None, None),  # silence is consent
        (SMALL, TOLD | {"declarant_agrees": date(2026, 5, 6)}, date(2026, 5, 6), False, None, None),
        (SMALL, TOLD | {"declarant_objects": date(2026, 5, 6)}, date(2026, 6, 30), False, "objects", None),
        (SMALL, TOLD | {"holder_says_genuine": date(2026, 5, 6)}, date(2026, 6, 30), False, "genuine", None),
        (STANDARD, TOLD, date(2026, 6, 30), False, "holder_confirms", None),
        (STANDARD, TOLD | CONFIRMED, date(2026, 5, 7), False, "may still answer", date(2026, 5, 21)),
        (STANDARD, TOLD | CONFIRMED, date(2026, 5, 7), True, "may still answer", date(2026, 5, 8)),
        (STANDARD, TOLD | CONFIRMED, date(2026, 5, 8), True, None, None),  # three working days
        (STANDARD, TOLD | CONFIRMED | {"declarant_agrees": date(2026, 5, 6)}, date(2026, 5, 6), False, None, None),
        (Track.investigation, TOLD | CONFIRMED, date(2026, 5, 21), False, None, None),
        (Track.investigation, TOLD, date(2026, 5, 21), False, "holder_confirms", None),
    ],
)
def test_goods_are_destroyed_with_consent_or_after_the_statutory_term(
    track: Track, noted: dict[str, date], day: date, perishable: bool, why: str | None, first: date | None
) -> None:
    bar = bar_to_destruction(track, noted, "FR", day, perishable=perishable)
    assert (bar is None) == (why is None)
    if bar is not None and why is not None:
        assert why in str(bar)
        assert bar.first == first
        assert first is None or first.isoformat() in str(bar)


def test_destruction_before_the_term_is_refused_with_its_first_day_and_noted_from_then_on(desk: Desk) -> None:
    assert detained(desk).track is Track.simplified_destruction
    note(desk.journal, ID, "declarant_notified", THEN + timedelta(days=4), "o-8")
    with pytest.raises(Fault, match=r"not before 2026-05-21 \(Regulation \(EU\) No 608/2013, Article 26"):
        note(desk.journal, ID, "destroyed", THEN + timedelta(days=5), "o-8")
    assert not note(desk.journal, ID, "destroyed", THEN + timedelta(days=21), "o-8").open


def test_what_was_not_lodged_yet_is_not_detained(desk: Desk) -> None:
    with pytest.raises(Fault, match="at: earlier than its consignment was lodged"):
        detained(desk, at=NOON - timedelta(days=30))


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        (["shredded"], "step: is none of"),
        (["detained"], "step: is none of"),
        (["extended", "extended"], "was noted on"),
        (["released", "extended"], "closed"),
    ],
)
def test_a_step_that_cannot_be_is_refused(desk: Desk, steps: list[str], fault: str) -> None:
    detained(desk)
    for step in steps[:-1]:
        note(desk.journal, ID, step, THEN + timedelta(days=1), "o-8")
    with pytest.raises(Fault, match=fault):
        note(desk.journal, ID, steps[-1], THEN + timedelta(days=1), "o-8")


def test_a_case_needs_a_declaration_and_is_opened_once(desk: Desk) -> None:
    with pytest.raises(Fault, match="no declaration"):
        detain(desk.journal, Detained(ID, THEN, "o-7", "FR", None), TRACKS)
    with pytest.raises(Fault, match="no open case"):
        note(desk.journal, ID, "extended", THEN, "o-7")
    detained(desk)
    with pytest.raises(Fault, match="already has an open case"):
        detained(desk)


def test_a_note_that_was_changed_is_found_and_an_erased_one_is_not_a_fault(desk: Desk, tmp_path: Path) -> None:
    detained(desk)
    store = desk.journal.store
    store.write(lambda connection: connection.execute(sa.update(CASE_NOTES).values(officer="another")))
    faults = verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").faults
    assert any("note of a case" in fault for fault in faults)
    store.write(lambda connection: connection.execute(sa.update(CASE_NOTES).values(officer="o-7")))
    erase(store, [ID], "me", "a request", NOON)
    assert verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").faults == []
    assert case_of(store, ID) is None
