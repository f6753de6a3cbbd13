"""The page of operators worth an audit after clearance, and the same as CSV."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.console.csv_answer import csv_answer
from service.console.rendering import page
from service.oversight.operators_report import COLUMNS, latest

router = APIRouter(include_in_schema=False)


@router.get("/console/operators")
def operators_page(request: Request) -> Response:
    """The latest list that `tamis report --operators` has written."""
    return page(request, "operators", report=latest(request.app.state.settings.reports), broad=True)


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
