"""Live pacing: what is left of a day's checks reaches to its end, is used up, never exceeded, and well spent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from features.moments import micros
from service.orientation import load_policy
from service.orientation.columns import UNKNOWN
from service.orientation.pacing import BANDS, EDGES, Course, bands_of
from service.orientation.periods import CHECKS as KINDS
from service.orientation.periods import Period, Spent, Usual
from service.scoring import Model
from service.store.database import Store
from tests.service.orientation.cases import QUICK, Case, judged, policy_text
from tests.service.orientation.pacing_world import Floats, Office, a_day, best_of, first_come, greedy

DAYS = int(os.environ.get("TAMIS_PACED_DAYS", "6"))
CHECKS, EXPECTED, LEAST, AT_ONCE = 60, 2_000, 0.01, 16


def test_a_day_that_nobody_could_foresee_is_paced(model: Model, tmp_path: Path) -> None:
    """Volume off by up to one half, waves an hour off, mix drifting; the peers see the same days."""
    office = Office(
        load_policy(policy_text(CHECKS, 0, 0, EXPECTED, least=LEAST)), model, Store(f"sqlite:///{tmp_path / 's.db'}")
    )
    rng, best, able = np.random.default_rng(11), 0.0, 0
    found: dict[str, list[Floats]] = {"paced": [], "greedy threshold": [], "first come": []}
    for nth in range(DAYS):
        day = a_day(nth, EXPECTED, rng)
        best, able = best + best_of(day, CHECKS), able + min(CHECKS, len(day.margin))
        found["paced"].append(office.live(day, AT_ONCE, f"{nth}"))
        found["greedy threshold"].append(greedy(day, CHECKS, EXPECTED))
        found["first come"].append(first_come(day, CHECKS, LEAST))
    told = {how: (sum(map(len, each)) / able, sum(e.sum() for e in each) / best) for how, each in found.items()}
    _tell(told)
    assert all(len(each) <= CHECKS for each in found["paced"]), "more than there was"
    used, caught = told["paced"]
    assert used >= (0.97 if DAYS >= 100 else 0.95)
    assert caught >= (0.95 if DAYS >= 100 else 0.92), "a few days say less"
    assert caught > max(told["greedy threshold"][1], told["first come"][1])


def _tell(told: dict[str, tuple[float, float]]) -> None:
    table = Table("how", "checks used", "of the best in hindsight", title=f"{DAYS} days", box=None)
    for how, (used, caught) in told.items():
        table.add_row(how, f"{used:.3f}", f"{caught:.3f}")
    Console().print(table)


MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
counts = st.lists(st.integers(0, 40), min_size=BANDS, max_size=BANDS)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    lasts = draw(st.sampled_from([8, 24]))
    day = st.lists(st.integers(0, 500), min_size=24, max_size=24)
    begins = MIDNIGHT + timedelta(hours=draw(st.sampled_from([0, 6, 22])))
    bands = draw(st.one_of(st.none(), counts))
    hours = draw(st.one_of(st.none(), st.lists(st.integers(0, 300), min_size=lasts, max_size=lasts)))
    shares = draw(st.sampled_from([None, [1 / BANDS] * BANDS, [1.0, *[0.0] * (BANDS - 1)]]))
    days = draw(st.one_of(st.none(), st.lists(day, min_size=1, max_size=6)))
    return course_of(draw(st.integers(0, 5000)), bands, hours, Usual(days, shares), begins=begins, lasts=lasts)


def course_of(
    expected: int, bands: Sequence[int] | None, hours: Sequence[int] | None, usual: Usual, *,
    begins: datetime = MIDNIGHT, lasts: int = 24,
) -> Course:  # fmt: skip
    """What a period of an office becomes when so much of it is counted."""
    period = Period("A", micros(begins), lasts, "day")
    return Course.of(period, expected, Spent("A", period.begins, {}, bands, hours, usual))


@QUICK
@given(courses(), st.lists(st.floats(0, 30), min_size=2, max_size=6))
def test_as_a_day_goes_on_ever_more_of_it_is_gone_and_at_its_end_nothing_is_to_come(
    course: Course, hours: list[float]
) -> None:
    moments = [course.begins + int(hour * 3.6e9) for hour in sorted(hours)]
    gone = np.array([course.gone(moment) for moment in moments])
    assert (np.diff(gone, axis=0) >= -1e-9).all()
    assert (gone >= 0).all()
    assert (gone <= course.expected + 1e-6).all()
    assert course.to_come(course.begins + course.lasts * 3_600_000_000) == pytest.approx(0.0, abs=1e-6)
    assert all(course.to_come(moment) >= 0.0 for moment in moments)


def test_a_morning_that_went_like_another_one_foretells_the_same_afternoon() -> None:
    """Two kinds of days: early ones, over by noon, and late ones; by ten o'clock it shows which one this is."""
    early, late = np.zeros((2, 24), int)
    early[6:12], late[9:20] = 200, 110
    ten, noon = MIDNIGHT + timedelta(hours=10), MIDNIGHT + timedelta(hours=12)
    usual = Usual([early.tolist(), late.tolist()] * 5)

    def to_come(today: list[int], at: datetime) -> float:
        return course_of(1200, None, [*today, *[0] * (24 - len(today))], usual).to_come(micros(at))

    assert to_come(early[:12].tolist(), noon) < 100
    assert to_come(late[:12].tolist(), noon) > 600
    assert to_come(late[:10].tolist(), ten) > 2 * to_come(early[:10].tolist(), ten)


def test_a_day_of_higher_scores_shows_in_its_ordinary_ones() -> None:
    """No arrival has reached the highest bands yet, but all of them lie somewhat higher than usual."""
    usual = np.diff(EDGES)
    ordinary = np.rint(usual * 600)
    ordinary[-8:] = 0
    worse = ordinary * np.linspace(0.6, 1.6, BANDS)
    shares = Usual(shares=usual.tolist())
    share = [float(course_of(2000, b.tolist(), None, shares).as_high(np.array([0.99]))[0]) for b in (ordinary, worse)]
    assert share[1] > 1.3 * share[0]


@QUICK
@given(courses(), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_higher_a_score_the_fewer_are_ahead_of_it(course: Course, below: list[float]) -> None:
    as_high = course.as_high(np.array(sorted(below)))
    assert (np.diff(as_high) <= 1e-12).all()
    assert ((as_high >= -1e-12) & (as_high <= 1 + 1e-12)).all()


@QUICK
@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_every_score_has_a_band_and_a_higher_one_never_a_lower_band(below: list[float]) -> None:
    bands = bands_of(np.array(sorted(below)))
    assert ((bands >= 0) & (bands < BANDS)).all()
    assert (np.diff(bands) >= 0).all()
    assert bands_of(np.array([np.nan])).tolist() == [UNKNOWN]


def test_a_busier_day_raises_the_threshold_and_what_is_left_at_its_end_lowers_it(model: Model) -> None:
    policy = load_policy(policy_text(5, 0, 0, 100))
    noon, late = MIDNIGHT + timedelta(hours=12), MIDNIGHT + timedelta(hours=23, minutes=59)

    def lane(at: datetime, seen: int, gone: int) -> str:
        bands = np.rint(np.diff(EDGES) * seen).astype(int).tolist()
        hours = [seen // (at.hour or 1)] * at.hour + [0] * (24 - at.hour)
        checks = {**dict.fromkeys(KINDS, 0), "physical": gone}
        spent = Spent("A", micros(MIDNIGHT), checks, bands, hours)
        told = judged(policy, model, [Case("a", 0.94)], competing="day", at=at, today=spent)
        return str(told["clearance"][0])

    assert lane(noon, 48, 0) == "red"
    assert lane(noon, 2400, 0) == "green", "so many come today that those still to come are likely to be riskier"
    assert lane(late, 2400, 0) == "red", "nobody is left to keep it for"
    assert lane(late, 2400, 5) == "green", "nothing is left"


def test_what_physical_checks_cannot_take_is_scanned(model: Model) -> None:
    policy = load_policy(policy_text(1, 1, 1).replace("documents = 1", "documents = 1\nscan = 2"))
    told = judged(policy, model, [Case(f"c{i}", 0.9 - i / 10) for i in range(6)])
    assert told["check"].to_list() == ["physical", "scan", "scan", "documents", "audit", "none"]
    assert told["clearance"].to_list() == ["red"] * 3 + ["yellow", "blue", "green"]


def test_checks_are_kept_for_the_chance_that_is_still_to_draw(model: Model) -> None:
    """One in five is drawn blindly, and half of a hundred are still to come: seven of eight checks are chance's."""
    for rate, lane in ((0.0, "red"), (0.2, "green")):
        policy = load_policy(policy_text(8, 0, 0, 100, rate=rate, seed=3))
        told = judged(policy, model, [Case("kept", 0.94)], competing="day", at=MIDNIGHT + timedelta(hours=12))
        assert told["random"].to_list() == [False]
        assert told["clearance"].to_list() == [lane]
        assert told["kept"].to_list() == [lane == "green"]
