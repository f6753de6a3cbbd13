"""What the API answers, as models: they describe answers, and do not make them.

Answers are written straight from the record, byte for byte as they were given before; a test holds that every field
of every answer is one of these, and of its kind.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, Field, create_model

from features.consignment import TIME
from features.outcome import SELECTIONS
from service.officers.queue import SHOWN
from service.orientation.decision_fields import AS_READ, LADDERS, MEANINGS
from service.orientation.decisions import SCHEMA, SINCE
from service.problems.catalogue import KINDS

LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
ABSENT = ("risk", "risk_low", "risk_high", "rank", "of", "office", "selection_probability", "party_id", "network_id",
          "lists_as_of", "history_as_of", "model_id", "model_sha256", "feature_fingerprint")  # fmt: skip
MODES = ("full", "degraded", "rules_only")
DRY = "true where nothing was recorded; absent otherwise"


class Answer(BaseModel):
    """What an operation answers, or a part of it; a field with a default may be absent."""


class Reason(Answer):
    """Why a consignment is asked for, or what speaks for it."""

    code: str = Field(description="the input of the model, the rule or the list")
    text: str = Field(description="in the words of the installation's language")
    contribution: float | None = Field(default=None, description="log-odds; absent for clearance systems")
    evidence: Any = Field(default=None, description="the value that it rests on; absent for clearance systems")


class DataProblem(Answer):
    """What is odd about a field as it was declared."""

    field: str
    problem: str


class Override(Answer):
    """The word of an officer that is in force."""

    clearance: Literal["green", "blue", "yellow", "red"]
    by: str | None = Field(default=None, description="absent for clearance systems")
    reason: str | None = Field(default=None, description="absent for clearance systems")
    at: datetime
    new_information: bool = Field(description="whether a later assessment asks for a stricter lane")


def _meaning(name: str) -> str:
    return LINK.sub(r"\1", {**MEANINGS, **AS_READ}[name])


def _kind(name: str) -> Any:
    """Return the type of a field of a decision in JSON."""
    if name in LADDERS:
        return Literal[tuple(word.name for word in LADDERS[name])]
    named = {"selection": Literal[("none", *SELECTIONS)], "mode": Literal[MODES], "degraded_reasons": list[str],
             "reasons": list[Reason], "data_problems": list[DataProblem],
             "risk_by_kind": dict[str, float] | None}  # fmt: skip
    if name in named:
        return named[name]
    kind = SCHEMA[name]
    of_kind: Any = {TIME: datetime, pl.Int64(): int, pl.Float64(): float}.get(kind, str)
    return of_kind | None if name in ABSENT else of_kind


def _field(name: str) -> Any:
    """Describe a field of a decision; one that decisions of earlier versions lack may be absent."""
    return Field(default=None if name in SINCE else ..., description=_meaning(name))


def _model(name: str, fields: Any, doc: str, base: type[Answer] = Answer, **more: Any) -> type[Answer]:
    described: Any = {field: (_kind(field), _field(field)) for field in fields}
    return create_model(name, __base__=base, __doc__=doc, **described, **more)


Decision = _model("Decision", SCHEMA.names(), "What is recommended for one version of a consignment, and why.")
StandingDecision = create_model(
    "StandingDecision",
    __base__=Decision,
    __doc__="A decision with the lane that counts now.",
    standing_clearance=(_kind("clearance"), Field(description=_meaning("standing_clearance"))),
    override=(Override | None, Field(description=_meaning("override"))),
)
Waiting = _model(
    "Waiting",
    SHOWN,
    "What waits for an officer, the lane as it stands.",
    overridden=(bool, Field(default=False, description="whether the lane is an officer's")),
    new_information=(bool, Field(default=False, description="whether a later assessment asks for a stricter lane")),
    reasons=(list[Reason], Field(description="the weightiest ones")),
)


class Decisions(Answer):
    """Decisions on the consignments of a message, in its order."""

    dry_run: bool = Field(default=False, description=DRY)
    decisions: list[Decision]  # type: ignore[valid-type]


class RefusedLine(Answer):
    """A line of a message that could not be read."""

    line: int = Field(description="its number in the message, from 1; 0 for the message itself")
    field: str
    reason: str
    remedy: str


class MessageAnswer(Answer):
    """Decisions on a carrier's message, and the lines that were refused."""

    dry_run: bool = Field(default=False, description=DRY)
    format: str = Field(description="the format that it was recognised as")
    decisions: list[Decision]  # type: ignore[valid-type]
    problems: list[RefusedLine]
    items_assigned: int = Field(default=0, description="items of receptacles that were assigned; absent where none")


class LaneOfAnother(Answer):
    """A decision in the words of another system."""

    consignment_id: str
    version: int
    edifact_7365: str | None = Field(default=None, description="with `answer=edifact`")
    asycuda: str | None = Field(default=None, description="with `answer=asycuda`")


class LanesOfAnother(Answer):
    """Decisions in the words of another system."""

    consignments: list[LaneOfAnother]


class Received(Answer):
    """Numbers of control results."""

    recorded: int
    repeated: int = Field(description="known already")
    superseding: int = Field(description="further results of one consignment and stage, of which the last counts")
    unknown_consignments: int = Field(description="they count once their consignment is lodged")


class OfConsignment(Answer):
    """All decisions on a consignment, newest first."""

    consignment_id: str
    decisions: list[StandingDecision]  # type: ignore[valid-type]


class ChangedDecision(StandingDecision):  # type: ignore[valid-type,misc]
    """A decision as it stands, and why it is listed."""

    change: Literal["decided", "overridden", "transferred"] = Field(
        description="`decided` for the first time, again or on an amendment; an officer's lane; another office"
    )
    at_entry: int = Field(description="place on the audit log")


class Changes(Answer):
    """Decisions in the order in which they came to count."""

    decisions: list[ChangedDecision]
    next: str = Field(description="send it as `since` to go on from here")
    more: bool = Field(description="whether there is more already")


class Declared(Answer):
    """One version of a declaration."""

    message_id: str
    version: int
    content_sha256: str
    declared: dict[str, Any] | None = Field(description="as it was lodged; null once it is erased")


class Entry(Answer):
    """An entry of the audit log."""

    number: int
    kind: str
    subject: str
    content: str = Field(description="hash of what it stands for")
    at: int = Field(description="microseconds since 1970")
    hash: str = Field(description="of this entry and all before it")


class DecisionInDossier(Answer):
    """A decision with all that it rests on."""

    decision: dict[str, Any] = Field(description="as it was given; its number alone, and `erased`, once it is erased")
    circumstances: dict[str, Any]
    row_as_scored: dict[str, Any] | None
    standing_clearance: str
    override: Override | None
    explanation: dict[str, Any] = Field(description="exact contributions of all inputs, or why they cannot be given")
    policy: str | None = Field(description="the text of the policy that decided")
    proof: list[Entry]


class OutcomeInDossier(Answer):
    """A control result with its proof."""

    outcome: dict[str, Any] | None
    proof: list[Entry]


class RecordInDossier(Answer):
    """A further record about a consignment with its proof."""

    record: dict[str, Any]
    proof: list[Entry]


class Event(Answer):
    """What happened to a consignment."""

    number: int = Field(description="place on the audit log")
    at: datetime
    kind: str
    subject: str
    title: str
    details: dict[str, Any]
    erased: bool
    entries: int


class Dossier(Answer):
    """Everything that it takes to defend what was decided about a consignment."""

    consignment_id: str
    declarations: list[Declared]
    decisions: list[DecisionInDossier]
    outcomes: list[OutcomeInDossier]
    records: dict[str, list[RecordInDossier]]
    timeline: list[Event]


class Queue(Answer):
    """What waits at an office for one stage, the riskiest first."""

    office: str
    stage: str
    since: str = Field(description="first day of lodging that is shown")
    until: str = Field(description="last day of lodging that is shown")
    waiting: list[Waiting]  # type: ignore[valid-type]


class Party(Answer):
    """A sender as declared, or a subject of a watch list."""

    party_id: str
    first_at: int = Field(description="microseconds since 1970")
    told_by: dict[str, str] | None = Field(default=None, description="the watch list that names it")


class Link(Answer):
    """Two parties that the evidence says are one."""

    one: str
    other: str
    bits: float = Field(description="weight of the evidence, in bits")
    known_at: int = Field(description="microseconds since 1970")
    expires_at: int = Field(description="microseconds since 1970")
    evidence: str


class JudgementInNetwork(Answer):
    """An analyst's word on two parties."""

    one: str
    other: str
    same: bool | None
    by: str
    reason: str
    at: int = Field(description="microseconds since 1970")
    counts: bool = Field(description="whether it is in force")


class Network(Answer):
    """The network of a party, as far as the caller's offices see it."""

    network_id: str
    side: Literal["consignor", "consignee"] = Field(description="whether its parties send or receive")
    also: list[str] = Field(description="parties of the other side that share a key of their own with these")
    size: int
    hidden: int = Field(description="parties of other offices alone")
    parties: list[Party]
    links: list[Link]
    judgements: list[JudgementInNetwork]


class Recorded(Answer):
    """What was said is on record."""

    status: Literal["recorded"]
    by: str = Field(description="the account or key in whose name it stands")


class Registered(Answer):
    """Numbers of serial numbers."""

    registered: int
    known: int


class Alive(Answer):
    """The process is alive."""

    status: Literal["alive"]


class Ready(Answer):
    """How the service decides at the moment."""

    status: Literal["ready"]
    version: str = Field(description="of Tamis, as installed")
    schema_number: int = Field(alias="schema", description="of the store")
    mode: Literal[MODES]  # type: ignore[valid-type]
    degraded_reasons: list[str]
    model_id: str | None
    policy_id: str | None
    bundle: str | None
    bundles_refused: dict[str, str]
    history_as_of: int | None = Field(description="microseconds since 1970")
    lists_as_of: int | None = Field(description="microseconds since 1970")
    lists_checked: int | None = Field(description="microseconds since 1970")


class FieldProblem(Answer):
    """What is wrong with one field, and what to do."""

    pointer: str = Field(description="JSON pointer to the field")
    reason: str
    remedy: str


class ProblemDocument(Answer):
    """How every error is answered (RFC 9457)."""

    type: Literal[tuple(kind.type for kind in KINDS)] = Field(  # type: ignore[valid-type]
        description="where the service that answered describes the kind of problem"
    )
    code: Literal[tuple(kind.code for kind in KINDS)] = Field(  # type: ignore[valid-type]
        description="the kind of problem; programs tell problems by it"
    )
    title: str = Field(description="the kind of problem in words")
    status: int
    detail: str = Field(description="what is the matter with this call; its words may change")
    errors: list[FieldProblem] | None = Field(default=None, description="of a body: every field that was refused")
    more_errors: int | None = Field(default=None, description="further ones that are not listed")
    request_id: str | None = Field(default=None, description="by which the service's log has this call: `X-Request-Id`")
