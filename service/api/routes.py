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

from features.contract import gate_outcomes
from features.fault import Fault
from features.messages import Message, Refused
from service import parties
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api import models
from service.api.faults import Unprocessable, refused_fields
from service.api.live import desk_of, gathering_of
from service.api.metrics import Metrics
from service.api.models import Genuine, Judgement, Serial
from service.dossier import dossier
from service.exchange import network_as_ftm
from service.genuine import problems_of, register, serials_of
from service.offices import offices_of
from service.queue import AT_MOST, Stage, queue, since_of
from service.redaction import shown_to
from service.targeting import Desk

router = APIRouter()
Code = Annotated[str, Path(pattern="^[NP]-[0-9A-F]{16}$")]
PLAIN = r"^[^\x00-\x1f\x7f]+$"
TWICE = {
    "reason": "the same consignment and version twice in one message",
    "remedy": "send it once, with all of its goods; an amendment carries the next version",
}


def metrics_of(request: Request) -> Metrics:
    """The counters of this process."""
    metrics: Metrics = request.app.state.metrics
    return metrics


@router.post("/v1/consignments")
async def post_consignments(request: Request, body: models.Message) -> Response:  # type: ignore[valid-type]
    """Decisions on the consignments of a message, in the same order, recorded before they are answered."""
    started = time.perf_counter()  # one thread decides for all calls: a thread for each call would only wait for it
    desk, metrics, principal = desk_of(request), metrics_of(request), principal_of(request)
    content = _dump(body)
    if repeated := models.twice(content):
        raise Unprocessable([{"pointer": f"/consignments/{place}/consignment_id", **TWICE} for place in repeated])
    refuse_offices_of_others(principal, [one.get("office") for one in content["consignments"]])
    rows, places = models.rows_of(content)
    message = Message(rows, name=rows["message_id"][0], received_at=datetime.now(UTC))
    try:
        decisions = await asyncio.wrap_future(gathering_of(request).decide(message, desk))
    except Refused as refused:
        raise Unprocessable(refused_fields(refused, places)) from None
    headers = {"Idempotent-Replay": "true"} if decisions.replayed else {}
    answer = JSONResponse({"decisions": shown_to(principal, decisions.as_json())}, headers=headers)
    for row in [] if decisions.replayed else decisions.rows:
        metrics.decisions.labels(row["clearance"], row["selection"], row["mode"]).inc()
    metrics.seconds.labels("/v1/consignments", "200").observe(time.perf_counter() - started)
    return answer


@router.post("/v1/outcomes")
def post_outcomes(
    body: models.Outcomes,  # type: ignore[valid-type]
    desk: Desk = Depends(desk_of),  # noqa: B008
    metrics: Metrics = Depends(metrics_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, int]:
    """Record inspection results; the same result sent twice counts once."""
    rows, places = models.outcome_rows(_dump(body))
    gated = gate_outcomes(rows)
    if gated.refused.height:
        raise Unprocessable(refused_fields(Refused(gated.refused), places))
    if not principal.sees_all:
        numbers = gated.accepted["consignment_id"].to_list()
        offices = offices_of(desk.journal.store, numbers)
        refuse_offices_of_others(principal, [offices.get(number) for number in numbers], "outcomes")
    received = desk.journal.learn(gated.accepted)
    metrics.outcomes.inc(received.recorded)
    return {"recorded": received.recorded, "repeated": received.repeated, "unknown_consignments": received.unknown}


@router.get("/v1/consignments/{consignment_id:path}/dossier")
def get_dossier(
    consignment_id: str,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Everything that it takes to defend what was decided about a consignment."""
    found = dossier(desk.journal.store, desk.model, consignment_id)
    if found is None or not _his(principal, desk, consignment_id):
        raise HTTPException(404)
    return found


@router.get("/v1/consignments/{consignment_id:path}")
def get_consignment(
    consignment_id: str,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """All decisions on a consignment, newest first."""
    decisions = desk.journal.decisions_on(consignment_id)
    if not decisions or not _his(principal, desk, consignment_id):
        raise HTTPException(404)
    return {"consignment_id": decisions[0]["consignment_id"], "decisions": shown_to(principal, decisions)}


@router.get("/v1/queue")
def get_queue(
    office: Annotated[str, Query(min_length=1, max_length=100, pattern=PLAIN)],
    stage: Stage = "clearance",
    since: date | None = None,
    at_most: Annotated[int, Query(ge=1, le=AT_MOST)] = 100,
    beyond: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """The ranked work list of an office at one stage: what waits there and has no result yet, the riskiest first."""
    if not principal.sees(office):
        raise HTTPException(403)
    first = since or since_of(datetime.now(UTC).date())
    waits = queue(desk.journal.store, office, stage, first, at_most=at_most, beyond=beyond)
    return {"office": office, "stage": stage, "since": first.isoformat(), "waiting": shown_to(principal, waits)}


@router.get("/v1/networks/{code}")
def get_network(code: Code, desk: Desk = Depends(desk_of)) -> dict[str, Any]:  # noqa: B008
    """The network that a party (`P-…`) or a network (`N-…`) belongs to: its parties, and why they are linked."""
    found = parties.network(desk.journal.store, code)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/v1/networks/{code}/ftm", response_class=Response)
def get_network_ftm(
    code: Code,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> Response:
    """What the parties of a network declared, as FollowTheMoney entities, one JSON object a line."""
    lines = network_as_ftm(desk.journal.store, code, principal.sees)
    if lines is None:
        raise HTTPException(404)
    return Response("".join(f"{line}\n" for line in lines), media_type="application/json+ftm")


@router.post("/v1/judgements", status_code=201)
def post_judgement(body: Judgement, desk: Desk = Depends(desk_of)) -> dict[str, str]:  # noqa: B008
    """An officer's word that two parties are the same or not the same, or that the former word is taken back."""
    same = {"same": True, "not_same": False, "unsure": None}[body.verdict]
    at = int(time.time() * 1_000_000)
    try:
        parties.judge(desk.journal.store, body.one, body.other, same, body.by, body.reason, at)
    except Fault as fault:
        raise Unprocessable([{"pointer": "/one", "reason": "no such pair", "remedy": str(fault)}]) from None
    return {"status": "recorded"}


@router.post("/v1/genuine", status_code=201)
def post_genuine(
    body: Genuine,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, int]:
    """Register serial numbers of genuine goods, all of them or none; the key names their right holder."""
    rows = [serial.model_dump() for serial in body.serials]
    serials = serials_of(pl.DataFrame(rows, schema=dict.fromkeys(Serial.model_fields, pl.String)))
    if problems := problems_of(serials):
        raise Unprocessable([{"pointer": f"/serials/{problem.pop('line')}", **problem} for problem in problems])
    at = int(time.time() * 1_000_000)
    try:
        done = register(desk.journal.store, serials, holder=principal.name, by=principal.name, at=at)
    except Fault as fault:
        raise Unprocessable([{"pointer": "/serials", "reason": "not yours", "remedy": str(fault)}]) from None
    return {"registered": done.new, "known": done.known}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request, desk: Desk = Depends(desk_of), metrics: Metrics = Depends(metrics_of)) -> dict[str, Any]:  # noqa: B008
    """The desk can decide: in which mode and why, by which model and policy, how far history and watch lists reach."""
    lost = desk.lost(datetime.now(UTC))
    metrics.lack(lost)
    return {
        "status": "ready",
        "mode": desk.mode(lost),
        "degraded_reasons": list(lost),
        "model_id": desk.model.model_id,
        "policy_id": desk.policy.policy_id,
        "bundle": request.app.state.swapper.serving.name,
        "bundles_refused": dict(request.app.state.swapper.serving.refused),
        "history_as_of": desk.history.as_of(),
        "lists_as_of": desk.parties.lists_as_of(),
    }


@router.get("/metrics")
def metrics(request: Request, metrics: Metrics = Depends(metrics_of)) -> Response:  # noqa: B008
    """Counters for Prometheus, and what decisions lack at the moment."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    if desk is not None:
        metrics.lack(desk.lost(datetime.now(UTC)))
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def refuse_offices_of_others(principal: Principal, offices: list[str | None], of: str = "consignments") -> None:
    """Raise Unprocessable, naming the places, where consignments are of offices that the caller is not for."""
    if beyond := principal.beyond(offices):
        remedy = "send it with the key of that office"
        raise Unprocessable(
            [{"pointer": f"/{of}/{place}", "reason": "not an office of this key", "remedy": remedy} for place in beyond]
        )


def _his(principal: Principal, desk: Desk, consignment_id: str) -> bool:
    """Whether a consignment is of an office that the caller is for."""
    return principal.sees_all or principal.sees(offices_of(desk.journal.store, [consignment_id]).get(consignment_id))


def _dump(body: BaseModel) -> dict[str, Any]:
    return body.model_dump()
