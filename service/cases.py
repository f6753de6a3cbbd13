"""Cases: what was detained, on which track, what was noted since, and what is due; the right holder's word is a result.

A case is the list of what was noted of it, and nothing is ever changed in that list. Each note is on the audit chain.
What the right holder says comes back as an inspection result, and so the next model learns from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.outcome import OUTCOME_COLUMNS
from service.chain import Entry, append, new_salt, salted
from service.clocks import Clock, clocks
from service.journal import Journal
from service.orientation.lanes import Track
from service.orientation.track import Suspicion, Tracks, eligibility
from service.records import EPOCH, micros
from service.store import Store
from service.tables import CASE_NOTES, DECISIONS, DECLARATIONS, OUTCOMES

STEPS = (
    *("detained", "declarant_notified", "declarant_agrees", "declarant_objects", "holder_notified"),
    *("holder_confirms", "holder_says_genuine", "extended", "proceedings", "no_reply", "destroyed", "released"),
)
CLOSING = ("destroyed", "released", "proceedings")
SUBJECT = "case-"  # and the number of a note: its name on the chain
RESULTS = {  # what a right holder's answer says of the goods: the label that the next model learns from
    "holder_confirms": ("non_compliant", "counterfeit"),
    "holder_says_genuine": ("compliant", None),
    "no_reply": ("inconclusive", None),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One detained consignment.

    answers: the conditions of the simplified procedure, as they were answered when it was detained.
    noted: steps and the days on which they were done.
    """

    consignment_id: str
    country: str
    track: Track
    right_holder: str | None
    answers: Mapping[str, bool | None]
    noted: Mapping[str, date]
    officer: str

    @property
    def open(self) -> bool:
        """Whether anything is still to be done."""
        return not any(step in self.noted for step in CLOSING)

    def clocks(self) -> list[Clock]:
        """What is due, and what was."""
        perishable = self.answers.get("not-perishable") is False
        return clocks(self.track, self.noted, self.country, perishable=perishable)

    def due(self) -> Clock | None:
        """What is due next; none where nothing is."""
        waiting = [clock for clock in self.clocks() if clock.done is None] if self.open else []
        return min(waiting, key=lambda clock: clock.due, default=None)


@dataclass(frozen=True, slots=True)
class Detained:
    """What an officer says when goods are detained.

    findings: as in an inspection result. units: found. country: of the member state whose working days count.
    """

    consignment_id: str
    at: datetime
    officer: str
    country: str
    right_holder: str | None
    findings: tuple[str, ...] = ("counterfeit",)
    criminal_link: bool = False
    units: float | None = None
    gross_kg: float | None = None


def detain(journal: Journal, told: Detained, tracks: Tracks) -> Case:
    """Open a case: its track by what was found and what the law asks; raises Fault where there is one already."""
    declared = _declared(journal.store, told.consignment_id)
    if case_of(journal.store, told.consignment_id) is not None:
        raise Fault("a case of this consignment is open already; note what happened in it")
    case = Suspicion(
        stream=declared.get("stream"),
        units=told.units if told.units is not None else _pieces(declared),
        gross_kg=told.gross_kg if told.gross_kg is not None else declared.get("gross_mass_kg"),
        codes=tuple(line["hs_code"] for line in declared["goods"] if line.get("hs_code")),
        day=told.at.date(),
        counterfeit="counterfeit" in told.findings,
        right_holder=told.right_holder or "",
    )
    answers = eligibility(tracks, case)
    grave = told.criminal_link or "dangerous" in told.findings
    track = Track.none
    if grave:
        track = Track.investigation
    elif all(answer is True for answer in answers.values()):
        track = Track.simplified_destruction
    content = {
        "country": told.country, "track": track.name, "right_holder": told.right_holder, "answers": answers,
        "findings": list(told.findings), "criminal_link": told.criminal_link,
    }  # fmt: skip
    _note(journal.store, told.consignment_id, "detained", told.at, told.officer, content)
    opened = case_of(journal.store, told.consignment_id)
    if opened is None:
        raise Fault("the case was not recorded")
    return opened


def note(journal: Journal, consignment_id: str, step: str, at: datetime, officer: str) -> Case:
    """Note what happened in a case; a right holder's answer is recorded as an inspection result too."""
    case = case_of(journal.store, consignment_id)
    if case is None:
        raise Fault("no case of this consignment is open; detain it first")
    if step not in STEPS[1:]:
        raise Fault(f"step: is none of {', '.join(STEPS[1:])}")
    if step in case.noted:
        raise Fault(f"{step}: was noted on {case.noted[step]} already")
    if not case.open:
        raise Fault("the case is closed")
    if at.date() < case.noted["detained"]:
        raise Fault("at: lies before the detention")
    _note(journal.store, consignment_id, step, at, officer, {})
    if step in RESULTS:
        journal.learn(_result(case, step, at, officer, journal.store))
    after = case_of(journal.store, consignment_id)
    return case if after is None else after


def case_of(store: Store, consignment_id: str) -> Case | None:
    """The case of a consignment; none where nothing was detained."""
    return next(iter(_cases(store, CASE_NOTES.c.consignment_id == consignment_id)), None)


def open_cases(store: Store) -> list[Case]:
    """All cases in which something is still to be done, the most urgent first."""
    told = [case for case in _cases(store, sa.true()) if case.open]
    return sorted(told, key=lambda case: (case.due() is None, due.due if (due := case.due()) else date.max))


def note_content(row: Mapping[str, Any]) -> str:
    """What the chain holds of a note: a salted hash."""
    told = {name: row[name] for name in ("consignment_id", "step", "at", "officer", "body")}
    return salted(row["salt"], told)


def _cases(store: Store, which: sa.ColumnElement[bool]) -> list[Case]:
    with store.reading() as connection:
        there = sa.select(CASE_NOTES).where(which, CASE_NOTES.c.salt.is_not(None))  # or it was erased
        rows = connection.execute(there.order_by(CASE_NOTES.c.note_id)).mappings().all()
    noted: dict[str, list[Any]] = {}
    for row in rows:
        noted.setdefault(row["consignment_id"], []).append(row)
    return [_folded(consignment_id, notes) for consignment_id, notes in noted.items()]


def _folded(consignment_id: str, notes: Sequence[Any]) -> Case:
    first = notes[0]["body"]
    days = {row["step"]: (EPOCH + timedelta(microseconds=row["at"])).date() for row in notes}
    return Case(
        consignment_id, first["country"], Track[first["track"]], first["right_holder"], first["answers"], days,
        notes[0]["officer"],
    )  # fmt: skip


def _note(store: Store, consignment_id: str, step: str, at: datetime, officer: str, body: dict[str, Any]) -> None:
    row = {"consignment_id": consignment_id, "step": step, "at": micros(at), "officer": officer, "body": body}
    row |= {"salt": new_salt()}

    def write(connection: sa.Connection) -> None:
        made = connection.execute(sa.insert(CASE_NOTES).values(row).returning(CASE_NOTES.c.note_id)).scalar_one()
        append(connection, [Entry("case", f"{SUBJECT}{made}", note_content(row))], micros(at))

    store.write(write)


def _declared(store: Store, consignment_id: str) -> dict[str, Any]:
    query = sa.select(DECLARATIONS.c.body).where(
        DECLARATIONS.c.consignment_id == consignment_id, DECLARATIONS.c.body.is_not(sa.null())
    )
    with store.reading() as connection:
        body = connection.execute(query.order_by(DECLARATIONS.c.version.desc()).limit(1)).scalar()
    if body is None:
        raise Fault("no declaration of this consignment is on record")
    return dict(body)


def _pieces(declared: Mapping[str, Any]) -> float | None:
    stated = [line["quantity"] for line in declared["goods"] if line.get("quantity") is not None]
    return float(sum(stated)) if stated else None


def _result(case: Case, step: str, at: datetime, officer: str, store: Store) -> pl.DataFrame:
    """The right holder's answer as an inspection result, with how the consignment had been chosen."""
    result, finding = RESULTS[step]
    chosen = sa.select(DECISIONS.c.body).where(DECISIONS.c.consignment_id == case.consignment_id, DECISIONS.c.stands)
    before = sa.select(OUTCOMES.c.body).where(OUTCOMES.c.consignment_id == case.consignment_id)
    with store.reading() as connection:
        decision = connection.execute(chosen.order_by(DECISIONS.c.version.desc()).limit(1)).scalar() or {}
        former = connection.execute(before.order_by(OUTCOMES.c.known_at.desc()).limit(1)).scalar() or {}
    selection = decision.get("selection") or "unknown"
    told: dict[str, Any] = {
        **{name: former[name] for name in ("items_found", "value_found", "currency") if name in former},
        "consignment_id": case.consignment_id, "known_at": at, "stage": "clearance", "result": result,
        "findings": finding, "criminal_link": "true" if case.track is Track.investigation else None,
        "right_holder": case.right_holder, "officer": officer,
        "selection": selection if selection != "none" else "unknown",
        "selection_probability": decision.get("selection_probability"),
    }  # fmt: skip
    schema = {column.name: column.dtype for column in OUTCOME_COLUMNS}
    return pl.DataFrame([{name: told.get(name) for name in schema}], schema=schema)
