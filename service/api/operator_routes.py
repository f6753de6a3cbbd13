"""Operators worth an audit after clearance, over the API: parse, call one function, answer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from features.fault import Fault
from features.moments import EPOCH, iso
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api.answer_models import Answer
from service.api.bodies import STRICT
from service.api.body_reading import BoundedRoute
from service.api.error_responses import refused
from service.api.live_desk import desk_of
from service.desk import Desk
from service.oversight.operator_audits import OperatorAudit, audits_by_operator, open_audit
from service.oversight.operators import KINDS
from service.oversight.operators_report import PERSONS, latest

router = APIRouter(route_class=BoundedRoute)
LISTED = tuple(kind for kind in KINDS if kind != PERSONS)  # a list of persons is no report that stays
Kind = Literal[LISTED]  # type: ignore[valid-type]
AT_MOST = 500


class AuditOrdered(BaseModel):
    """The operator to audit, as the latest list names it."""

    model_config = STRICT
    kind: Kind
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AuditHeld(Answer):
    """An audit at an operator, and what came of it: control results after clearance since it was opened."""

    number: str = Field(description="of its investigation, where notes, tasks and documents of it are")
    opened_at: datetime
    opened_by: str
    open: bool
    consignments: int = Field(description="that it looks into")
    examined: int = Field(description="of these, with a result after clearance since it was opened")
    found: int = Field(description="of these, with a finding")
    value_found: float = Field(description="euro")


class OperatorListed(Answer):
    """An operator of the list, what is at stake there, and the audits that were opened from it."""

    kind: Kind
    name: str
    consignments: int
    lines: int
    declared: float = Field(description="value of its goods, euro")
    below: float = Field(description="by how much it declares less than others for such goods, as a share")
    at_stake: float = Field(description="duty and VAT on what is missing, euro: an expectation, no assessment")
    controlled: int
    audited: int
    found: int
    behind: list[str] = Field(description="the consignments with most at stake")
    audits: list[AuditHeld]


class OperatorsListed(Answer):
    """The latest list of operators worth an audit; without days where none was written yet."""

    first: date | None
    last: date | None
    consignments: int
    neutral: bool = Field(description="whether amounts follow neutral rates, nobody's tariff")
    operators: list[OperatorListed]


@router.get("/v1/operators", response_model=None, responses={200: {"model": OperatorsListed}})
def get_operators(
    request: Request,
    kind: Annotated[Kind | None, Query(description="one kind alone")] = None,
    at_most: Annotated[int, Query(ge=1, le=AT_MOST, description="operators of each kind")] = AT_MOST,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """The latest list that `tamis report --operators` has written, most at stake first, with the audits of each."""
    report = latest(request.app.state.settings.reports)
    if report is None:
        return {"first": None, "last": None, "consignments": 0, "neutral": True, "operators": []}
    audits = audits_by_operator(desk.journal.store, principal.sender)
    chosen = [
        {**one, "audits": [_shown(audit) for audit in audits.get((each, one["name"]), ())]}
        for each in LISTED if kind in (None, each) for one in report["operators"].get(each, [])[:at_most]
    ]  # fmt: skip
    return {**{name: report[name] for name in ("first", "last", "consignments", "neutral")}, "operators": chosen}


@router.post("/v1/operators/audits", status_code=201, response_model=None, responses={201: {"model": AuditHeld}})
def post_operator_audit(
    body: AuditOrdered,
    request: Request,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Open an audit at an operator of the latest list, with the consignments behind it that the caller sees.

    It is an investigation: note in it what is done and close it there. Send its results as control results with the
    stage `post_clearance`; they come back beside the operator.
    """
    store, reports, operator = desk.journal.store, request.app.state.settings.reports, (body.kind, body.name)
    try:
        number = open_audit(store, reports, operator, principal.sender, principal.name, datetime.now(UTC))
    except Fault as fault:
        raise refused(fault, "no audit can be opened") from None
    (opened,) = [one for one in audits_by_operator(store, principal.sender)[operator] if one.number == number]
    return _shown(opened)


def _shown(audit: OperatorAudit) -> dict[str, Any]:
    return {**asdict(audit), "opened_at": iso(EPOCH + timedelta(microseconds=audit.opened_at))}
