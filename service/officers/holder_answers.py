"""A right holder's answer by a one-time link: asked of an open case, answered once, and recorded as his word.

Whoever holds the link sees the goods and nothing of the persons. The store keeps a hash of it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.journal import Journal
from service.officers.cases import RESULTS, Case, case_of, note, record_step
from service.record.numbers_meant import number_meant
from service.store.database import Store
from service.store.tables import CASE_NOTES

ASKED = "holder_asked"
VALID = timedelta(days=10)
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What a link asks about, and until when."""

    case: Case
    until: int


def ask_holder(store: Store, consignment_id: str, by: str, at: datetime) -> str:
    """Make a link for the right holder of a case; one made before is no longer valid. Raises Fault."""
    consignment_id = number_meant(store, consignment_id)
    case = case_of(store, consignment_id)
    if case is None or not case.open:
        raise Fault("this consignment has no open case; detain it first")
    if case.right_holder is None:
        raise Fault("right_holder: none is stated in this case, so that nobody can be asked")
    if answer := next((step for step in RESULTS if step in case.noted), None):
        raise Fault(f"{answer}: was noted on {case.noted[answer]} already")
    token = secrets.token_urlsafe(32)
    body = {"link": _hashed(token), "until": micros(at + VALID)}
    record_step(store, consignment_id, ASKED, at, by, body)
    return token


def question_of(store: Store, token: str, at: datetime) -> Question | None:
    """What a link asks; None for one that was used, replaced, or has expired."""
    asked = sa.select(CASE_NOTES).where(CASE_NOTES.c.step == ASKED, CASE_NOTES.c.salt.is_not(None))
    with store.reading() as connection:
        named = asked.where(CASE_NOTES.c.body["link"].as_string() == _hashed(token))
        row = connection.execute(named).mappings().first()
        if row is None:
            return None
        of_case = asked.where(CASE_NOTES.c.consignment_id == row["consignment_id"])
        last = connection.execute(of_case.order_by(CASE_NOTES.c.note_id.desc()).limit(1)).mappings().one()
    case = case_of(store, row["consignment_id"])
    answered = case is None or not case.open or any(step in case.noted for step in RESULTS)
    if answered or last["note_id"] != row["note_id"] or row["body"]["until"] < micros(at) or case is None:
        return None
    return Question(case, row["body"]["until"])


def answer_question(journal: Journal, token: str, answer: str, name: str, at: datetime) -> Case:
    """Record what a right holder says of the goods, in his name; raises Fault, and then the link stays valid."""
    question = question_of(journal.store, token, at)
    if question is None:
        raise Fault("the link has been used or replaced, or has expired; ask for another")
    if answer not in RESULTS:
        raise Fault(f"answer: one of {', '.join(RESULTS)}")
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise Fault(f"name: from 1 to {LONGEST_NAME} characters")
    officer = f"{question.case.right_holder}: {name.strip()}"
    return note(journal, question.case.consignment_id, answer, at, officer)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
