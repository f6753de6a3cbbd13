"""The route that takes a carrier's message as it is: any format, one body, decisions and problems back."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

from features.algebra.tables import Table
from features.choices import (
    FORMATS_IN_WORDS,
    FORMATS_WITH_ALIASES,
    MEDIA_TYPES,
    AnswerKind,
    FormatName,
    format_called,
)
from features.contract import FAULT_COLUMNS
from features.finding_kinds import Kinds, load_kinds
from features.messages.bounds import OF_A_CALL
from features.messages.formats import read_content
from features.messages.mapping import UNMAPPED, Mapping, MappingFault
from features.messages.mapping_file import load_mapping
from features.messages.offices import Offices, load_offices
from features.messages.raw import Raw, UnreadableFile
from features.messages.read_message import gate_message
from service.access.guard import principal_of
from service.access.principal import Principal
from service.access.redaction import shown_to
from service.answers import AnswerCodes, NoSuchAnswer, answer, load_codes, refuse_unfit
from service.api.answer_models import LanesOfAnother, MessageAnswer
from service.api.bodies import LONGEST_MESSAGE
from service.api.body_reading import BoundedRoute
from service.api.error_responses import Unprocessable
from service.api.live_desk import DRY_HEADERS, DryRun, desk_for_call
from service.api.metrics import Metrics
from service.api.routes import metrics_of, refuse_offices_of_others
from service.calls.versioning import message_of, receptacle_assignments
from service.desk import desk_for
from service.orientation import Decisions
from service.problems import field_problem
from service.settings import Settings
from service.targeting import target

router = APIRouter(route_class=BoundedRoute)
BODY = {
    "required": True,
    "description": f"the message as it is, packed with gzip or zstd or not: {FORMATS_IN_WORDS}; its format is "
    f"recognised from its content, whatever media type is stated, such as {', '.join(MEDIA_TYPES)}",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": MessageAnswer | LanesOfAnother,
        "content": {kind: {"schema": {"type": "string"}} for kind in ("application/xml", "text/csv")},
    },
    204: {"description": "read; its format has no answer that says so"},
}
MessageFormat = Annotated[
    FormatName | None,
    BeforeValidator(format_called),
    Query(description=f"the format, where it is not to be recognised from the content: {FORMATS_WITH_ALIASES}"),
]


class Dialects:
    """How messages are read and answered here: mapping, offices, kinds of finding, code values of the installation."""

    def __init__(self, settings: Settings) -> None:
        """Raises MappingFault, OfficesFault, KindsFault and AnswerCodesFault for files that cannot be used."""
        self.mapping: Mapping = load_mapping(settings.mapping) if settings.mapping else UNMAPPED
        self.offices: Offices = load_offices(settings.offices)
        self.kinds: Kinds = load_kinds(settings.kinds)
        self.codes: AnswerCodes = load_codes(settings.answers, self.kinds)

    def in_contract(self, raw: Raw) -> Raw:
        """The rows with the contract's names for columns and offices: what callers may see is judged by these."""
        rows = self.mapping.to_manifest(raw.rows) if raw.format == "flat" else raw.rows
        return replace(raw, rows=self.offices.in_rows(Table.of_frame(rows)).frame)


async def content_of(request: Request) -> bytes:
    """The body, whatever it is."""
    return await request.body()


@router.post("/v1/messages", openapi_extra={"requestBody": BODY}, responses=ANSWERS)
def post_message(
    request: Request,
    content: Annotated[bytes, Depends(content_of)],
    format: MessageFormat = None,
    answer_as: Annotated[AnswerKind, Query(alias="answer", description="in whose words to answer")] = "json",
    dry_run: DryRun = False,
    metrics: Metrics = Depends(metrics_of),  # noqa: B008
) -> Response:
    """Decisions on all consignments of a message, recorded before they are answered; what cannot be read is told."""
    started, now, desk = time.perf_counter(), datetime.now(UTC), desk_for_call(request, dry_run=dry_run)
    dialects: Dialects = request.app.state.dialects
    name = f"message-{hashlib.sha256(content).hexdigest()[:24]}"
    try:
        raw = dialects.in_contract(read_content(content, "message", dialects.mapping, format, OF_A_CALL))
    except (UnreadableFile, MappingFault) as fault:
        raise Unprocessable([field_problem("/", "unreadable", str(fault))]) from None
    _fit(raw, answer_as)
    sender = principal_of(request).sender
    if "office" in raw.rows.columns:
        refuse_offices_of_others(principal_of(request), raw.rows["office"].unique().to_list())
    decisions, faults = Decisions([], raw.broken), raw.broken.select(FAULT_COLUMNS)
    if raw.rows.height:
        store, offices = desk.journal.store, dialects.offices
        sent = message_of(raw, store, name, now, sender=sender, complete=False, offices=offices)
        decisions = target(sent, desk_for(desk, sender))
        if decisions.refused.height:  # of each line its first fault alone
            faults = pl.concat([gate_message(sent)[0].faults, faults])
    stowed = receptacle_assignments(raw, desk.journal.store, now, sender, dry_run=dry_run)
    for row in [] if decisions.replayed or dry_run else decisions.rows:
        metrics.decisions.labels(row["clearance"], row["selection"], row["mode"]).inc()
    metrics.seconds.labels("/v1/messages", "200").observe(time.perf_counter() - started)
    given = _answer(answer_as, decisions, raw, faults, stowed, dialects.codes, principal_of(request), dry_run=dry_run)
    given.headers.update(DRY_HEADERS if dry_run else {})
    return given


def _fit(raw: Raw, kind: AnswerKind) -> None:
    """Refuse, before anything is decided, too many consignments at once and an answer that cannot be given."""
    consignments = raw.rows["consignment_id"].n_unique() if "consignment_id" in raw.rows.columns else 0
    faults = []
    if consignments > LONGEST_MESSAGE:
        remedy = f"at most {LONGEST_MESSAGE:,} consignments a call; send a day's manifest with `tamis score`"
        faults.append(field_problem("/", "too many consignments", remedy))
    try:
        refuse_unfit(kind, raw.format, consignments)
    except NoSuchAnswer as fault:
        faults.append(field_problem("/answer", "no such answer", str(fault)))
    if faults:
        raise Unprocessable(faults)


def _answer(
    kind: AnswerKind,
    decisions: Decisions,
    raw: Raw,
    faults: pl.DataFrame,
    stowed: int,
    codes: AnswerCodes,
    principal: Principal,
    *,
    dry_run: bool,
) -> Response:
    headers = {"Idempotent-Replay": "true"} if decisions.replayed else {}
    refused, shown = faults.sort("line", maintain_order=True), shown_to(principal, decisions.as_json())
    if kind == "json":
        shown_as: dict[str, Any] = {"format": raw.format, "decisions": shown, "problems": refused.to_dicts()}
        shown_as |= ({"items_assigned": stowed} if stowed else {}) | ({"dry_run": True} if dry_run else {})
        return JSONResponse(shown_as, headers=headers)
    given = answer(kind, shown, raw.header, raw.format, codes)
    headers |= {"Tamis-Lines-Refused": str(refused["line"].n_unique())} if refused.height else {}
    if given.content is None:
        return Response(status_code=204, headers=headers)
    return Response(given.content, media_type=given.media_type, headers=headers)
