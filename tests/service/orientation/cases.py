"""Consignments as a policy sees them, texts of policies, and what a policy decides on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from features.algebra.tables import Table
from features.assemble import Rows
from features.catalogue import INPUTS
from features.consignment import CONSIGNMENT_COLUMNS, Consignments
from features.contract import no_quarantine
from features.messages import Problems
from features.messages.read_message import Competing
from features.moments import micros
from pipelines.backtest.days import midnight
from service.orientation import DecisionContext, Policy
from service.orientation.context import EDITION
from service.orientation.periods import CHECKS, Spent
from service.scoring import Model, Scores
from tests.service.building import NOON
from tests.service.orientation.lane_frames import frame_of_lanes

QUICK = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
DAY = NOON.date()
GOODS = {"row": pl.UInt32, "hs_code": pl.String, "description": pl.String}


def policy_text(
    physical: int = 2, documents: int = 2, audit: int = 2, expected: int = 100, rate: float = 0.0,
    least: float = 0.0, seed: int = 7, more: str = "",
) -> str:  # fmt: skip
    return (
        f'id = "test"\n[capacity.default]\nphysical = {physical}\ndocuments = {documents}\naudit = {audit}\n'
        f"expected = {expected}\n[random]\nrate = {rate}\nseed = {seed}\n[risk]\nleast = {least}\n{more}\n"
    )


def rule_text(code: str, when: str, lane: str, more: str = "") -> str:
    return f'[[rules]]\ncode = "{code}"\nwhen = {when}\nlane = "{lane}"\nauthor = "me"\nreason = "{code}"\n{more}\n'


@dataclass
class Case:
    """One consignment as the policy sees it."""

    name: str
    risk: float = 0.5
    office: str | None = "A"
    day: date = DAY
    stream: str = "express"
    gross_mass_kg: float | None = 1.0
    vague: float | None = 0.0
    version: int = 1
    network: str | None = None
    pieces: float | None = 1.0
    hs_code: str | None = None
    description: str | None = None
    purpose: str | None = None
    narcotics: float = 0.0  # the chance of them, where the model tells kinds apart


def goods_of(cases: Sequence[Case]) -> pl.DataFrame:
    """A goods line of each case."""
    lines = [(row, case.hs_code, case.description) for row, case in enumerate(cases)]
    return pl.DataFrame(lines, schema=GOODS, orient="row")


@dataclass(frozen=True, slots=True)
class Graded(Scores):
    """Scores whose findings have one severity, the test's own; NaN where no model tells."""

    grave: float = np.nan

    def severity(self, chosen: Any) -> Any:
        """The same of all."""
        return np.full(len(chosen), self.grave)


def judged(
    policy: Policy,
    model: Model,
    cases: Sequence[Case],
    *,
    competing: Competing = "message",
    spent: Sequence[tuple[str, date, int, int, int]] = (),
    problems: Sequence[tuple[int, str, str]] = (),
    opened: Mapping[str, int] | None = None,
    found: tuple[str, ...] = (),
    grave: float = np.nan,
    at: datetime | None = None,
    today: Spent | None = None,
    edition: int = EDITION,
) -> pl.DataFrame:
    """What the policy says of the cases, one row each in their order, with their names.

    at: when all of them are lodged, in place of noon of their days. today: what is counted, in place of `spent`.
    """
    left = [today] if today else [spent_on(*counts) for counts in spent]
    context = DecisionContext(NOON, competing, left, opened=opened or {}, found=found, edition=edition)
    given_lanes = policy.lanes(*presented(model, cases, problems=problems, grave=grave, at=at), context)
    frame = frame_of_lanes(given_lanes)
    return frame.with_columns(pl.Series("name", [case.name for case in cases]))


def spent_on(office: str, day: date, physical: int, documents: int, audit: int) -> Spent:
    """What was given out at an office on a day, with no past to pace by."""
    checks = dict(zip(CHECKS, (audit, documents, 0, physical), strict=True))
    return Spent(office, micros(midnight(day)), checks)


def presented(
    model: Model,
    cases: Sequence[Case],
    *,
    problems: Sequence[tuple[int, str, str]] = (),
    grave: float = np.nan,
    at: datetime | None = None,
) -> tuple[Consignments, Scores, Problems]:
    """The cases as a policy is given them."""
    risk = np.array([case.risk for case in cases])
    declared: dict[str, Any] = {
        "message_id": ["M"] * len(cases),
        "consignment_id": [case.name for case in cases],
        "version": [case.version for case in cases],
        "stream": [case.stream for case in cases],
        "purpose": [case.purpose for case in cases],
        "lodged_at": [at or datetime(c.day.year, c.day.month, c.day.day, 12, tzinfo=UTC) for c in cases],
        "office": [case.office for case in cases],
        "gross_mass_kg": [case.gross_mass_kg for case in cases],
    }
    frame = pl.DataFrame(
        {c.name: declared.get(c.name, [None] * len(cases)) for c in CONSIGNMENT_COLUMNS},
        schema={c.name: c.dtype for c in CONSIGNMENT_COLUMNS},
    ).with_row_index("row")
    frame = frame.with_columns(
        pl.Series("network_id", [case.network for case in cases], pl.String),
        pl.Series("pieces", [case.pieces for case in cases], pl.Float64),
        party_id=pl.lit(None, pl.String),
    )
    kinds = {item.name: pl.Float64 if item.kind == "number" else pl.String for item in INPUTS}
    known = {"wording_vague_share": [case.vague for case in cases]}
    rows = pl.DataFrame({name: known.get(name, [None] * len(cases)) for name in kinds}, schema=kinds)
    rows = rows.insert_column(0, frame["row"])
    scored = pl.DataFrame({"row": frame["row"], "margin": np.log(risk / (1 - risk)), "risk": risk, "share_below": risk})
    scored = scored.with_columns(pl.Series(f"risk_{k.code}", [case.narcotics for case in cases]) for k in model.kinds)
    oddities = pl.DataFrame(problems, schema={"row": pl.UInt32, "field": pl.String, "problem": pl.String}, orient="row")
    graded = Graded(Table.of_frame(scored), np.zeros((len(cases), len(INPUTS))), Rows.of_frame(rows), model, grave)
    return Consignments(frame, goods_of(cases)), graded, Problems(no_quarantine(), oddities)


risks = st.integers(1, 999).map(lambda n: n / 1000)


@st.composite
def many_cases(draw: st.DrawFn, offices: Sequence[str | None] = ("A", "B", None)) -> list[Case]:
    size = draw(st.integers(1, 25))
    return [
        Case(
            f"C{i}",
            draw(risks),
            draw(st.sampled_from(list(offices))),
            DAY + timedelta(days=draw(st.integers(0, 1))),
            draw(st.sampled_from(["postal", "express"])),
            draw(st.sampled_from([None, 0.5, 5.0])),
        )
        for i in range(size)
    ]


hands = st.integers(0, 3)
