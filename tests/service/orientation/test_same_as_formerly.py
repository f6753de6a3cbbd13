"""The policy over columns says what the one over frames said, in every column and every decision, bit for bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.assemble import Rows
from features.messages import Message, read
from features.messages.read_message import Competing
from features.moments import micros
from pipelines.training.standard_policy import standard_policy
from service.orientation import DecisionContext, decision_assembly, load_policy
from service.orientation.columns import Known
from service.orientation.decisions import texts_of
from service.orientation.pacing import BANDS
from service.orientation.periods import CHECKS, Spent, Usual
from service.scoring import Model, Scores
from tests.service.building import NOON
from tests.service.orientation.cases import DAY, QUICK, Case, policy_text, presented, rule_text
from tests.service.orientation.formerly import Given, assert_same
from tests.service.orientation.lane_frames import frame_of_lanes
from tests.service.orientation.pacing_world import NO_PROBLEMS
from tests.worlds import SmallWorld

COMPETING: tuple[Competing, ...] = ("message", "day")
SHIFTS = "[shifts]\nearly = 5\nlate = 13\nnight = 21\n[capacity.B]\naudit = 5\n[capacity.B.night]\nphysical = 4\n"
LESS = "[exploration]\nshare = 0.9\nfrom = 2026-01-10\nhalf_life_days = 16\nleast = 0.1\nmean_weight = 0.3"
RULES = (
    rule_text("postal", '{ stream = "postal" }', "red", 'office = "unknown"')
    + rule_text(
        "heavy", "{ gross_mass_kg = { above = 2 }, pieces = { missing = true } }", "yellow", 'track = "investigation"'
    )
    + rule_text("words", '{ consignment_id = { matches = "[13579]$" }, version = { in = [1, 3] } }', "blue")
    + rule_text("dated", "{ gross_mass_kg = { below = 1.5 } }", "yellow", "from = 2026-03-02\nuntil = 2026-03-02")
    + rule_text("right", "{ sender_authorised = { is = 0 } }", "red")
)
APPLICATIONS = """
[[applications]]
right_holder = "Sole"
words = ["Soleil", "soleil rouge"]
hs = ["6404", "42"]
senders = ["Sole Brands Ltd", "acc-1"]
[[applications]]
right_holder = "Lune"
words = ["Lune d'été"]
small_consignments = true
"""
POLICIES: Mapping[str, str] = {
    "plain": policy_text(),
    "chance": policy_text(2, 1, 1, rate=0.3),
    "rules": policy_text(3, 2, 2, rate=0.1, more=RULES),
    "shifts": policy_text(1, 2, 1, rate=0.1, more=SHIFTS + RULES),
    "Paris": 'time_zone = "Europe/Paris"\n' + policy_text(1, 2, 1, more=SHIFTS),
    "scans": policy_text(1, 1, 1, rate=0.05, more=RULES).replace("documents = 1", "documents = 1\nscan = 2"),
    "explored": policy_text(3, 1, 1, rate=0.1, more="[exploration]\nshare = 0.9\n" + RULES),
    "explored less": policy_text(3, 1, 1, more=LESS),
    "campaigns": policy_text(4, 2, 2, rate=0.1, more="[campaigns]\nchecks = 1\nworth = 0.3\n" + RULES),
    "worthless": policy_text(4, 2, 2, more='[campaigns]\nchecks = 2\nworth = 0\ncarried = "yellow"'),
    "applications": policy_text(4, 2, 2, rate=0.2, more=APPLICATIONS + RULES),
    "least": policy_text(9, 9, 9, least=0.4, more='[degraded]\nunknown_past = "blue"\n[track]\ninvestigation = 0.2'),
}  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """What a message is decided in."""

    cases: Sequence[Case]
    competing: Competing = "message"
    minutes: int = 720
    spent: Sequence[Spent] = ()
    opened: Mapping[str, int] | None = None
    found: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    anew: bool = False
    settled: tuple[int, ...] = ()
    problems: Sequence[tuple[int, str, str]] = ()
    grave: float = np.nan
    unscored: frozenset[int] = frozenset()
    weighed: Mapping[str, Sequence[float | None]] | None = None


def without_scores(scores: Scores, rows: frozenset[int]) -> Scores:
    scored = [pl.when(pl.col("row").is_in(sorted(rows))).then(None).otherwise(pl.col(name)).alias(name)
              for name in ("margin", "risk", "share_below")]  # fmt: skip
    return replace(scores, table=scores.table.with_columns(*scored)) if rows else scores


def given_in(model: Model, now: Situation) -> tuple[Given, DecisionContext]:
    """Return a situation as a policy is given it."""
    at = NOON.replace(hour=0) + timedelta(minutes=now.minutes)
    consignments, scores, problems = presented(model, now.cases, problems=now.problems, grave=now.grave, at=at)
    scores = without_scores(scores, now.unscored)
    if now.weighed:
        known = scores.rows.frame.with_columns(pl.Series(k, v, pl.Float64) for k, v in now.weighed.items())
        scores = replace(scores, rows=Rows.of_frame(known))
    return (consignments, scores, problems), DecisionContext(
        at + timedelta(minutes=3), now.competing, now.spent, None, "fr", None, now.lost, now.opened or {}, now.found,
        now.anew, now.settled, AS_THEN,
    )  # fmt: skip


AS_THEN = 2  # the edition of judging that the former code knows
risks = st.integers(1, 30).map(lambda n: n / 31)  # few, so that there are ties
maybe = st.sampled_from([None, 0.0, 1.0, 3.0, 40.0]) | st.floats(0, 400)
WEIGHED = ("consignor_days_since_first", "consignor_consignments_7d", "identifiers_age", "identifiers_consignments_7d",
           "identifiers_shared")  # fmt: skip
WORDINGS = (None, "", "Soleil rouge, dress", "SOLEIL trainers", "dress Lune d'Eté", "tea", "soleilhat")


@st.composite
def cases(draw: st.DrawFn, most: int = 12) -> list[Case]:
    return [
        Case(
            f"C{nth}", draw(risks), draw(st.sampled_from(["A", "B", None])), DAY,
            draw(st.sampled_from(["postal", "express"])), draw(st.sampled_from([None, 0.5, 5.0])),
            draw(st.sampled_from([None, 0.0, 1.0])), draw(st.integers(1, 3)),
            draw(st.sampled_from([None, "N1", "N2"])), draw(st.sampled_from([None, 1.0, 9.0])),
            draw(st.sampled_from([None, "", "640411", "0207", "42"])), draw(st.sampled_from(WORDINGS)),
            draw(st.sampled_from(["original", "cancellation", "amendment", None])),
        )
        for nth in range(draw(st.integers(1, most)))
    ]  # fmt: skip


def counts(most: int, size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, most), min_size=size, max_size=size)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    declared = draw(cases())
    size = len(declared)
    rows = st.integers(0, size - 1)
    usual = Usual(
        draw(st.none() | st.lists(counts(200, 24), min_size=1, max_size=4)),
        draw(st.sampled_from([None, [1 / BANDS] * BANDS])),
    )
    checks = {kind: draw(st.integers(0, 2)) for kind in CHECKS}
    midnight = micros(NOON.replace(hour=0))
    counted = Spent("A", midnight, checks, draw(st.none() | counts(40, BANDS)), draw(st.none() | counts(90, 24)), usual)
    return Situation(
        declared,
        draw(st.sampled_from(COMPETING)),
        draw(st.integers(0, 1439)),
        draw(st.sampled_from([(), (counted,)])),
        draw(st.sampled_from([None, {"N1": 2}])),
        draw(st.sampled_from([(), ("N2",)])),
        draw(st.sampled_from([(), ("history",), ("lists",)])),
        draw(st.booleans()),
        tuple(draw(st.sets(rows, max_size=2))),
        [(draw(rows), "hs_code", "missing"), (draw(rows), "gross_mass_kg", "odd")] if draw(st.booleans()) else [],
        draw(st.sampled_from([np.nan, 0.1, 0.7])),
        frozenset(draw(st.sampled_from([set(), set(range(size)), draw(st.sets(rows))]))),
        {name: draw(st.lists(maybe, min_size=size, max_size=size)) for name in WEIGHED}
        if draw(st.booleans())
        else None,
    )


@pytest.mark.parametrize("name", POLICIES)
@QUICK
@given(situations())
def test_every_column_and_decision_is_the_same(model: Model, name: str, now: Situation) -> None:
    assert_same(POLICIES[name], *given_in(model, now))


@pytest.mark.parametrize("name", POLICIES)
@QUICK
@given(situations())
def test_what_decisions_state_is_the_same_in_columns(model: Model, name: str, now: Situation) -> None:
    given, context = given_in(model, now)
    policy = load_policy(POLICIES[name])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(decision_assembly, "DECISIONS_PER_PART", 0)  # so that none is made before it is asked for
        made = policy.orient(*given, context).rows
    assert isinstance(made, decision_assembly.Assembled)
    assert made.texts(0, len(made)).equals(texts_of(list(made)))
    assert made.texts(1, len(made)).equals(texts_of(made[1:]))


@pytest.mark.parametrize("name", POLICIES)
@QUICK
@given(situations())
def test_the_order_of_a_message_changes_nothing(model: Model, name: str, now: Situation) -> None:
    """Weights are added in their order, so that shares of exploration may differ in their last digits."""
    text, backwards = POLICIES[name], replace(now, cases=now.cases[::-1])
    plain = replace(now, problems=(), settled=(), unscored=frozenset(), weighed=None)
    lanes = [
        frame_of_lanes(load_policy(text).lanes(*given, context))
        for given, context in (given_in(model, plain), given_in(model, replace(backwards, **{
            field: getattr(plain, field) for field in ("problems", "settled", "unscored", "weighed")
        })))
    ]  # fmt: skip
    assert lanes[0]["check"].to_list() == lanes[1]["check"].to_list()[::-1]


EVERYTHING = """[exploration]
share = 0.4
[campaigns]
checks = 1
worth = 0.1
"""


@pytest.mark.parametrize("at_once", [1, 40, 600])
@pytest.mark.parametrize("competing", COMPETING)
def test_a_day_of_a_world_is_decided_the_same(
    small_world: SmallWorld, tmp_path: Path, competing: Competing, at_once: int
) -> None:
    """The last day in calls, in groups and as one batch, by the standard policy with all that it can do."""
    desk = small_world.desk(tmp_path / "home")
    rules = (rule for rule in standard_policy().split("[[rules]]") if "consignee_list_matches" not in rule)
    text = "[[rules]]".join(rules) + EVERYTHING  # the former policy knew of no addressee on a list
    sent = Message(pl.read_parquet(small_world.last_day), name="M", received_at=small_world.end)
    consignments, _ = read(sent)
    consignments = desk.parties.link(consignments)
    rows, _ = desk.rows(consignments)
    selections: Counter[str] = Counter()
    for start in range(0, min(len(consignments), 60 * at_once), at_once):
        part = consignments.between(start, start + at_once)
        of_part = Rows.of_frame(rows.frame.slice(start, at_once).with_columns(row=part.frame["row"]))
        spent = desk.journal.spent(load_policy(text).capacity.periods(Known(part.declared)))
        context = DecisionContext(small_world.end, competing, spent, edition=AS_THEN)
        decided = assert_same(text, (part, desk.model.score(of_part), NO_PROBLEMS), context)
        selections.update(row["selection"] for row in decided.rows)
    assert len(selections) > 1 or at_once == 1, "of sixty alone, all may be left or drawn"
