"""The routes: parse, call one function, answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from features.fault import Fault
from features.finding_kinds import Kinds
from features.messages import Message, Refused
from features.messages.offices import Offices
from features.moments import micros
from service.access.guard import principal_of
from service.access.principal import Principal
from service.access.redaction import shown_to
from service.api import answer_models as answers
from service.api import bodies as models
from service.api.bodies import Genuine, Judgement, Serial, Transferred
from service.api.body_faults import of_another_office, of_contents, of_message, of_rows, of_serials, without_extras
from service.api.body_parts import dumped
from service.api.body_reading import BoundedRoute, apart
from service.api.error_responses import Unprocessable, refused
from service.api.live_desk import DRY_HEADERS, DryRun, bundles_of, calls_of, desk_for_call, desk_of, kinds_of
from service.api.metrics import Metrics
from service.api.state_metrics import state_of
from service.audit.dossier import dossier
from service.calls.decision_changes import AT_MOST as CHANGES_AT_MOST
from service.calls.decision_changes import changes_since, place_at
from service.officers.offices import is_known_office, transfer, unseen
from service.officers.queue import AT_MOST, Stage, days_shown, queue
from service.officers.work_list import Asked, waiting_of_kind
from service.orientation import Decisions
from service.parties import stored_parties as parties
from service.parties.ftm_export import network_as_ftm
from service.parties.registered_serials import register, serials_of
from service.problems import catalogue, field_problem, problem
from service.record.numbers_meant import number_meant, numbers_meant
from service.record.result_checks import gate_results
from service.record.standing import with_standing
from service.record.transfers import Transfer
from service.runtime.installed_version import installed_version
from service.store.database import Store
from service.store.schema import SCHEMA
from service.targeting import Desk

router = APIRouter(route_class=BoundedRoute)
Code = Annotated[str, Path(pattern="^[NP]-[0-9A-F]{16}$")]
FTM = {"description": "one entity a line", "content": {"application/json+ftm": {"schema": {"type": "string"}}}}
EXPOSITION = {"description": "Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
SINCE = r"^[0-9TZ:.+-]+$"
SINCE_IN_WORDS = "the `next` of the last answer, or a moment in ISO 8601 with a zone; 0 for the beginning"
LAST_PLACE = 2**62 - 1
OF_A_KIND = r"^[a-z0-9_]*$"
PLAIN = r"^[^\x00-\x1f\x7f]+$"


def metrics_of(request: Request) -> Metrics:
    """The counters of this process."""
    metrics: Metrics = request.app.state.metrics
    return metrics


@router.post("/v1/consignments", response_model=None, responses={200: {"model": answers.Decisions}})
async def post_consignments(
    request: Request,
    body: models.Message,  # type: ignore[valid-type]
    dry_run: DryRun = False,
) -> Response:
    """Decisions on the consignments of a message, in the same order, recorded before they are answered."""
    started = time.perf_counter()
    desk, metrics, principal = desk_for_call(request, dry_run=dry_run), metrics_of(request), principal_of(request)
    message, places = await apart(
        request, _message_of, body, principal, request.state.extras, request.app.state.dialects.offices
    )
    try:
        decisions = await asyncio.wrap_future(calls_of(request).decide(message, desk, principal.sender))
    except Refused as refused:
        raise Unprocessable(of_rows(refused.faults, places)) from None
    headers = ({"Idempotent-Replay": "true"} if decisions.replayed else {}) | (DRY_HEADERS if dry_run else {})
    answer = await apart(request, _answer, principal, decisions, headers, {"dry_run": True} if dry_run else {})
    for row in [] if decisions.replayed or dry_run else decisions.rows:
        metrics.decisions.labels(row["clearance"], row["selection"], row["mode"]).inc()
    metrics.seconds.labels("/v1/consignments", "200").observe(time.perf_counter() - started)
    return answer


@router.post("/v1/outcomes", response_model=None, responses={200: {"model": answers.Received}})
def post_outcomes(
    request: Request,
    body: models.Outcomes,  # type: ignore[valid-type]
    desk: Desk = Depends(desk_of),  # noqa: B008
    metrics: Metrics = Depends(metrics_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, int]:
    """Record inspection results; the same result sent twice counts once."""
    rows, fields = models.outcome_rows(dumped(body))
    store, given = desk.journal.store, rows["consignment_id"].drop_nulls().unique().to_list()
    hidden = frozenset(unseen(store, principal, list(numbers_meant(store, given).values())))
    gated = gate_results(rows, store, hidden, request.app.state.dialects.kinds)
    if gated.refused.height or hidden:
        numbers = gated.accepted.select("line", "consignment_id").iter_rows()
        of_others = [of_another_office(f"/outcomes/{line}") for line, number in numbers if number in hidden]
        raise Unprocessable([*of_rows(gated.faults, fields), *of_others])
    received = desk.journal.sent_by(principal.sender).learn(gated.accepted)
    metrics.outcomes.inc(received.recorded)
    return {
        "recorded": received.recorded,
        "repeated": received.repeated,
        "superseding": received.superseding,
        "unknown_consignments": received.unknown,
    }


@router.get(
    "/v1/consignments/{consignment_id:path}/dossier", response_model=None, responses={200: {"model": answers.Dossier}}
)
def get_dossier(
    request: Request,
    consignment_id: str,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Everything that it takes to defend what was decided about a consignment."""
    consignment_id = number_meant(desk.journal.store, consignment_id)
    hidden = unseen(desk.journal.store, principal, [consignment_id])
    found = None if hidden else dossier(desk.journal.store, bundles_of(request), consignment_id, principal.offices)
    if found is None:
        raise HTTPException(404)
    return found


@router.get(
    "/v1/consignments/{consignment_id:path}", response_model=None, responses={200: {"model": answers.OfConsignment}}
)
def get_consignment(
    consignment_id: str,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """All decisions on a consignment, newest first; of each, the lane that stands after an officer's word."""
    consignment_id = number_meant(desk.journal.store, consignment_id)
    decisions = desk.journal.decisions_on(consignment_id)
    if not decisions or unseen(desk.journal.store, principal, [consignment_id]):
        raise HTTPException(404)
    stands = with_standing(desk.journal.store, decisions)
    return {"consignment_id": decisions[0]["consignment_id"], "decisions": shown_to(principal, stands)}


@router.get("/v1/decisions", response_model=None, responses={200: {"model": answers.Changes}})
def get_decisions(
    since: Annotated[str, Query(max_length=40, pattern=SINCE, description=SINCE_IN_WORDS)] = "0",
    at_most: Annotated[int, Query(ge=1, le=CHANGES_AT_MOST)] = 100,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Decisions in the order in which they came to count: given, given again, overridden, passed to another office.

    Ask with the `next` of the last answer, and nothing is missed or comes twice, whatever was recorded meanwhile.
    """
    store = desk.journal.store
    changes = changes_since(store, principal, _place(store, since), at_most)
    shown = shown_to(principal, changes.decisions)
    return {"decisions": shown, "next": str(changes.next), "more": changes.more}


@router.get("/v1/queue", response_model=None, responses={200: {"model": answers.Queue}})
def get_queue(
    office: Annotated[str, Query(min_length=1, max_length=100, pattern=PLAIN)],
    stage: Stage = "clearance",
    day: Annotated[date | None, Query(description="lodged on this day; with `since`, up to it")] = None,
    since: Annotated[date | None, Query(description="lodged from this day on")] = None,
    at_most: Annotated[int, Query(ge=1, le=AT_MOST)] = 100,
    beyond: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    kind: Annotated[str, Query(max_length=30, pattern=OF_A_KIND, description="whose likeliest finding is of it")] = "",
    desk: Desk = Depends(desk_of),  # noqa: B008
    kinds: Kinds = Depends(kinds_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any] | Response:
    """The ranked work list of an office at one stage: what waits there and has no result yet, the riskiest first.

    It says which days of lodging it shows: the latest two weeks that have work, unless `day` or `since` says others.
    """
    if not principal.sees(office):
        raise HTTPException(403)
    store = desk.journal.store
    if not is_known_office(store, office, {*desk.policy.capacity.offices, *principal.offices}):
        remedy = "an office that decisions are on record for, or that the policy names"
        return problem(catalogue.UNKNOWN_OFFICE, [field_problem("/office", "unknown office", remedy)])
    first, last = days_shown(store, office, stage, datetime.now(UTC).date(), day=day, since=since)
    if kind:
        waits = waiting_of_kind(store, Asked(office, stage, first, last, kind=kind), at_most, beyond, kinds)
    else:
        waits = queue(store, office, stage, first, until=last, at_most=at_most, beyond=beyond)
    return {
        "office": office,
        "stage": stage,
        "since": first.isoformat(),
        "until": last.isoformat(),
        "waiting": shown_to(principal, waits),
    }


@router.get("/v1/networks/{code}", response_model=None, responses={200: {"model": answers.Network}})
def get_network(
    code: Code,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """The network that a party (`P-…`) or a network (`N-…`) belongs to: its parties, and why they are linked.

    It shows the parties that have sent to the caller's offices, and those of watch lists that these are linked to;
    `hidden` says how many others there are.
    """
    found = parties.network(desk.journal.store, code, principal.offices)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/v1/networks/{code}/ftm", response_class=Response, responses={200: FTM})
def get_network_ftm(
    code: Code,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> Response:
    """What the parties of a network declared, as FollowTheMoney entities, one JSON object a line."""
    lines = network_as_ftm(desk.journal.store, code, principal.offices)
    if lines is None:
        raise HTTPException(404)
    return Response("".join(f"{line}\n" for line in lines), media_type="application/json+ftm")


@router.post("/v1/judgements", status_code=201, response_model=None, responses={201: {"model": answers.Recorded}})
def post_judgement(
    body: Judgement,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, str]:
    """An officer's word that two parties are the same or not the same, or that the former word is taken back.

    It stands on record in the name of the caller, whatever `by` says.
    """
    same = {"same": True, "not_same": False, "unsure": None}[body.verdict]
    at, store = int(time.time() * 1_000_000), desk.journal.store
    try:
        parties.judge(store, body.one, body.other, same, principal.name, body.reason, at, principal.offices)
    except Fault as fault:
        raise Unprocessable([field_problem("/one", "no such pair", str(fault))]) from None
    return {"status": "recorded", "by": principal.name}


@router.post("/v1/transfers", status_code=201, response_model=None, responses={201: {"model": answers.Recorded}})
def post_transfer(
    body: Transferred,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, str]:
    """Pass a consignment on to another office, with all its parts; the audit log keeps who did it and why."""
    number = number_meant(desk.journal.store, body.consignment_id)
    given = Transfer(number, body.office.strip(), body.sender, principal.name, body.reason)
    try:
        transfer(desk.journal.store, given, principal.sender, desk.policy.capacity.offices, datetime.now(UTC))
    except Fault as fault:
        raise refused(fault, "cannot be passed on") from None
    return {"status": "recorded", "by": principal.name}


@router.post("/v1/genuine", status_code=201, response_model=None, responses={201: {"model": answers.Registered}})
def post_genuine(
    body: Genuine,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, int]:
    """Register serial numbers of genuine goods, all of them or none; the key names their right holder."""
    rows = [serial.model_dump() for serial in body.serials]
    serials = serials_of(pl.DataFrame(rows, schema=dict.fromkeys(Serial.model_fields, pl.String)))
    if faults := of_serials(rows):
        raise Unprocessable(faults)
    at = int(time.time() * 1_000_000)
    try:
        done = register(desk.journal.store, serials, holder=principal.name, by=principal.name, at=at)
    except Fault as fault:
        raise Unprocessable([field_problem("/serials", "not yours", str(fault))]) from None
    return {"registered": done.new, "known": done.known}


@router.get("/healthz", response_model=None, responses={200: {"model": answers.Alive}})
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz", response_model=None, responses={200: {"model": answers.Ready}})
def readyz(request: Request, desk: Desk = Depends(desk_of)) -> dict[str, Any]:  # noqa: B008
    """The desk can decide: in which mode and why, by which model and policy, how far history and watch lists reach."""
    lost = desk.lost(datetime.now(UTC))
    return {
        "status": "ready",
        "version": installed_version(),
        "schema": SCHEMA,
        "mode": desk.mode(lost),
        "degraded_reasons": list(lost),
        "model_id": desk.model.model_id,
        "policy_id": desk.policy.policy_id,
        "bundle": request.app.state.swapper.serving.name,
        "bundles_refused": dict(request.app.state.swapper.serving.refused),
        "history_as_of": desk.history.as_of(),
        "lists_as_of": desk.parties.lists_as_of(),
        "lists_checked": desk.parties.lists_checked(),
    }


@router.get("/metrics", response_class=Response, responses={200: EXPOSITION})
def metrics(request: Request, metrics: Metrics = Depends(metrics_of)) -> Response:  # noqa: B008
    """Counters of all workers for Prometheus, and how the service stands at the moment."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    state = [] if desk is None else state_of(desk)
    return Response(metrics.text(state), media_type="text/plain; version=0.0.4")


def _place(store: Store, since: str) -> int:
    """Return the place on the audit log that a `next` or a moment names; raises Unprocessable."""
    if since.isdecimal():
        return min(int(since), LAST_PLACE)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unprocessable([field_problem("/since", "neither a place nor a moment", SINCE_IN_WORDS)])
    return place_at(store, micros(moment))


def refuse_offices_of_others(principal: Principal, offices: list[str | None]) -> None:
    """Raise Unprocessable, naming the places, where consignments are of offices that the caller is not for."""
    if beyond := principal.beyond(offices):
        raise Unprocessable([of_another_office(f"/consignments/{place}") for place in beyond])


def _message_of(
    body: BaseModel, principal: Principal, offered: frozenset[str], offices: Offices
) -> tuple[Message, list[str]]:
    """Make the message of a body, and say where each of its rows stands there; raises Unprocessable."""
    content = dumped(body)
    faults = of_contents(content, principal, offered, offices)
    rows, places = models.rows_of(without_extras(content) if faults else content)
    message = Message(rows, name=content["message_id"], received_at=datetime.now(UTC), offices=offices)
    if faults:
        raise Unprocessable([*faults, *of_message(message, places)])
    return message, places


def _answer(principal: Principal, decisions: Decisions, headers: dict[str, str], more: dict[str, Any]) -> Response:
    return JSONResponse({**more, "decisions": shown_to(principal, decisions.as_json())}, headers=headers)
