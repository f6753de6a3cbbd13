"""The page of operators worth an audit after clearance, the audits opened from it, and the same as CSV."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from features.fault import Fault
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console.csv_answer import csv_answer
from service.console.phrases import fault_in
from service.console.rendering import form_of, language_of, now, page, text_of, to
from service.oversight.operator_audits import audits_by_operator, open_audit
from service.oversight.operators_report import COLUMNS, latest

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
FIRST = 15  # of each kind that are shown at once; the others are folded away


@router.get("/console/operators")
def operators_page(request: Request) -> Response:
    """The latest list that `tamis report --operators` has written, with the audits of each operator."""
    return _shown(request)


@router.post("/console/operators")
def open_operator_audit(request: Request, form: Form) -> Response:
    """Open an audit at an operator of the list; the page goes on to its investigation."""
    store, me = desk_of(request).journal.store, principal_of(request)
    operator = text_of(form, "kind"), text_of(form, "name")
    try:
        number = open_audit(store, request.app.state.settings.reports, operator, me.sender, me.name, now())
    except Fault as fault:
        return _shown(request, fault_in(str(fault), language_of(request)))
    return to(f"/console/investigations/{number}")


def _shown(request: Request, fault: str = "") -> Response:
    report = latest(request.app.state.settings.reports)
    audits = audits_by_operator(desk_of(request).journal.store, principal_of(request).sender)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    return page(request, "operators", status, report=report, audits=audits, fault=fault, FIRST=FIRST, broad=True)


@router.get("/console/operators.csv")
def operators_csv(request: Request) -> Response:
    """The same list, with the consignments behind each operator."""
    report = latest(request.app.state.settings.reports) or {"last": "none", "operators": {}}
    rows = [
        [*(one[name] for name in COLUMNS), " ".join(one["behind"])]
        for several in report["operators"].values()
        for one in several
    ]
    return csv_answer(f"operators-{report['last']}.csv", [*COLUMNS, "behind"], rows)
