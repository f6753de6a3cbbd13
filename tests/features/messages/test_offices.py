"""The offices that there are: aliases become codes, what is none of them is asked about, and the file is checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from features.messages import Message, read
from features.messages.offices import ANY_OFFICE, NOT_LISTED, Offices, OfficesFault, load_offices
from features.messages.read_message import LONG_AGO
from tests.features.conftest import LODGED_AT, frame_of, row

FILE = '[offices]\nFRCDG1 = ["CDG", "FRCDGA", "Roissy"]\nFRORY1 = []\n'


@pytest.fixture
def offices(tmp_path: Path) -> Offices:
    (tmp_path / "offices.toml").write_text(FILE)
    return load_offices(tmp_path / "offices.toml")


def read_with(offices: Offices, written: str | None, received_at: datetime = LODGED_AT) -> tuple[str | None, list[str]]:
    """The office of a consignment and the problems of it, as read."""
    consignments, problems = read(Message(frame_of(row(office=written)), "m", received_at, offices=offices))
    told = problems.found.filter(problems.found["field"].is_in(["office", "lodged_at"]))["problem"].to_list()
    return consignments.frame["office"][0], told


@pytest.mark.parametrize("written", ["FRCDG1", "CDG", "FRCDGA", "roissy", " ROISSY ", "frcdg1", "cdg"])
def test_an_office_is_called_by_its_code(offices: Offices, written: str) -> None:
    assert read_with(offices, written) == ("FRCDG1", [])


@pytest.mark.parametrize("written", ["FRLYS1", "Orly", "CDG1", "FRCDG"])
def test_an_office_that_there_is_not_keeps_its_name_and_is_asked_about(offices: Offices, written: str) -> None:
    office, problems = read_with(offices, written)
    assert office == written
    assert NOT_LISTED in problems


def test_no_office_is_none_that_there_is_not(offices: Offices) -> None:
    assert read_with(offices, None) == (None, [])


def test_where_nobody_says_which_offices_there_are_none_is_unknown() -> None:
    assert read_with(ANY_OFFICE, "CDG") == ("CDG", [])
    assert load_offices(None) is ANY_OFFICE


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", r"needs one table, \[offices\]"),
        ("[offices]\n", r"needs one table, \[offices\]"),
        ("[offices]\nA = 1\n", r"offices\.A: needs a list of its other names"),
        ('[offices]\nA = [""]\n', r"offices\.A: needs a list of its other names"),
        ('[offices]\nA = ["X"]\nB = ["x"]\n', r"offices\.B: has a name that another office has too"),
        ('[offices]\nA = ["B"]\nB = []\n', r"offices\.B: has a name"),
        ("offices = [", "not valid TOML"),
        (f"[offices]\n{'A' * 41} = []\n", "at most 40 characters"),
        ("[offices]\nA = []\n[other]\n", r"needs one table, \[offices\]"),
    ],
)
def test_a_file_that_cannot_be_used_names_its_entry(text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "offices.toml").write_text(text)
    with pytest.raises(OfficesFault, match=fault):
        load_offices(tmp_path / "offices.toml")


@pytest.mark.parametrize(("days", "asked"), [(0, False), (366, False), (367, True), (3_650, True)])
def test_a_lodging_more_than_a_year_before_its_arrival_is_asked_about(days: int, asked: bool) -> None:
    _, problems = read_with(ANY_OFFICE, None, LODGED_AT + timedelta(days=days))
    assert (LONG_AGO in problems) == asked
