"""Cases: what was detained, on which track, what was noted since, and what is due; the right holder's word is a result.

A case is the list of what was noted of it, and nothing is ever changed in that list. Each note is on the audit chain.
What the right holder says comes back as an inspection result, and so the next model learns from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.hs_codes import hs_plain_text
from features.moments import EPOCH, micros
from features.outcome import OUTCOME_COLUMNS
from service.journal import Journal
from service.officers.destruction import Bar, bar_to_destruction
from service.officers.statutory_clocks import Clock, clocks
from service.orientation.lanes import Track
from service.orientation.track_conditions import Suspicion, Tracks, eligibility
from service.record.lifting import lift
from service.record.numbers_meant import number_meant
from service.record.record_kind import sign
from service.record.record_kinds import CASE
from service.record.result_checks import EARLY, first_lodged
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import CASE_NOTES, DECISIONS, DECLARATIONS, OUTCOMES

STEPS = (
    *("detained", "declarant_notified", "declarant_agrees", "declarant_objects", "holder_notified"),
    *("holder_confirms", "holder_says_genuine", "extended", "proceedings", "no_reply", "destroyed", "released"),
)
CLOSING = ("destroyed", "released", "proceedings")
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

    def bar_to_destruction(self, day: date) -> Bar | None:
        """What stands against destroying the goods on a day; none where they may be."""
        perishable = self.answers.get("not-perishable") is False
        return bar_to_destruction(self.track, self.noted, self.country, day, perishable=perishable)

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


def detain(journal: Journal, detained: Detained, tracks: Tracks) -> Case:
    """Open a case: its track by what was found and what the law asks; raises Fault where there is one already."""
    detained = replace(detained, consignment_id=number_meant(journal.store, detained.consignment_id))
    declared = _declared(journal.store, detained.consignment_id)
    if micros(detained.at) < first_lodged(journal.store, [detained.consignment_id])[detained.consignment_id]:
        raise Fault(f"at: {EARLY}")
    if case_of(journal.store, detained.consignment_id) is not None:
        raise Fault("this consignment already has an open case; add a note to it")
    case = Suspicion(
        stream=declared.get("stream"),
        units=detained.units if detained.units is not None else _pieces(declared),
        gross_kg=detained.gross_kg if detained.gross_kg is not None else declared.get("gross_mass_kg"),
        codes=tuple(hs_plain_text(line["hs_code"]) for line in declared["goods"] if line.get("hs_code")),
        day=detained.at.date(),
        counterfeit="counterfeit" in detained.findings,
        right_holder=detained.right_holder or "",
    )
    answers = eligibility(tracks, case)
    grave = detained.criminal_link or "dangerous" in detained.findings
    track = Track.none
    if grave:
        track = Track.investigation
    elif all(answer is True for answer in answers.values()):
        track = Track.simplified_destruction
    content = {
        "country": detained.country, "track": track.name, "right_holder": detained.right_holder, "answers": answers,
        "findings": list(detained.findings), "criminal_link": detained.criminal_link,
    }  # fmt: skip
    record_step(journal.store, detained.consignment_id, "detained", detained.at, detained.officer, content)
    opened = case_of(journal.store, detained.consignment_id)
    if opened is None:
        raise Fault("the case was not recorded")
    return opened


def note(journal: Journal, consignment_id: str, step: str, at: datetime, officer: str) -> Case:
    """Note what happened in a case; a right holder's answer is recorded as an inspection result too."""
    consignment_id = number_meant(journal.store, consignment_id)
    case = case_of(journal.store, consignment_id)
    if case is None:
        raise Fault("this consignment has no open case; detain it first")
    if step not in STEPS[1:]:
        raise Fault(f"step: is none of {', '.join(STEPS[1:])}")
    if step in case.noted:
        raise Fault(f"{step}: was noted on {case.noted[step]} already")
    if not case.open:
        raise Fault("the case is closed")
    if at.date() < case.noted["detained"]:
        raise Fault("at: earlier than the detention")
    if step == "destroyed" and (bar := case.bar_to_destruction(at.date())) is not None:
        raise Fault(str(bar))
    record_step(journal.store, consignment_id, step, at, officer, {})
    if step in RESULTS:
        journal.learn(_result(case, step, at, officer, journal.store))
    after = case_of(journal.store, consignment_id)
    return case if after is None else after


def case_of(store: Store, consignment_id: str) -> Case | None:
    """The case of a consignment; none where nothing was detained."""
    consignment_id = number_meant(store, consignment_id)
    with store.reading() as connection:
        return next(iter(_cases(connection, CASE_NOTES.c.consignment_id == consignment_id)), None)


def cases_of(connection: sa.Connection, consignment_ids: Sequence[str]) -> list[Case]:
    """The cases of some consignments, those that were opened last first."""
    found = [
        case
        for batch in in_lists(consignment_ids)
        for case in _cases(connection, CASE_NOTES.c.consignment_id.in_(batch))
    ]
    return sorted(found, key=lambda case: case.noted["detained"], reverse=True)


def open_cases(store: Store) -> list[Case]:
    """All cases in which something is still to be done, the most urgent first."""
    with store.reading() as connection:
        return open_cases_in(connection)


def open_cases_in(connection: sa.Connection) -> list[Case]:
    """The same, by a connection that may do nothing but read."""
    still_open = [case for case in _cases(connection, sa.true()) if case.open]
    return sorted(still_open, key=lambda case: (case.due() is None, due.due if (due := case.due()) else date.max))


def _cases(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Case]:
    not_erased = sa.select(CASE_NOTES).where(which, CASE_NOTES.c.salt.is_not(None))
    rows = connection.execute(not_erased.order_by(CASE_NOTES.c.note_id)).mappings().all()
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


def record_step(store: Store, consignment_id: str, step: str, at: datetime, officer: str, body: dict[str, Any]) -> None:
    """Put a step of a case on record; whoever calls it has checked that it can be."""
    row = {"consignment_id": consignment_id, "step": step, "at": micros(at), "officer": officer, "body": body}

    def work(connection: sa.Connection) -> None:
        lift(connection, [consignment_id])
        sign(connection, CASE, row, micros(at))

    store.write(work)


def _declared(store: Store, consignment_id: str) -> dict[str, Any]:
    query = sa.select(DECLARATIONS.c.body).where(
        DECLARATIONS.c.consignment_id == consignment_id, DECLARATIONS.c.body.is_not(sa.null())
    )
    with store.reading() as connection:
        body = connection.execute(query.order_by(DECLARATIONS.c.version.desc()).limit(1)).scalar()
        settled = declared_of(connection, ["body"], [consignment_id]) if body is None else []
    body = settled[0]["body"] if settled else body
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
    columns: dict[str, Any] = {
        **{name: former[name] for name in ("items_found", "value_found", "currency") if name in former},
        "consignment_id": case.consignment_id, "known_at": at, "stage": "clearance", "result": result,
        "findings": finding, "criminal_link": "true" if case.track is Track.investigation else None,
        "right_holder": case.right_holder, "officer": officer,
        "selection": selection if selection != "none" else "unknown",
        "selection_probability": decision.get("selection_probability"),
    }  # fmt: skip
    schema = {column.name: column.dtype for column in OUTCOME_COLUMNS}
    return pl.DataFrame([{name: columns.get(name) for name in schema}], schema=schema)
