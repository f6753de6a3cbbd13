"""The desk that serves now, and the queue of its calls, as routes and pages reach them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.requests import Request

from features.finding_kinds import Kinds
from service.audit.replay import Bundles
from service.calls.call_queue import CallQueue
from service.desk import Desk, rehearsing

DryRun = Annotated[
    bool,
    Query(
        description="decide and answer, and leave nothing on record: no declaration, no decision, no capacity used; "
        "the log of reads notes that it was asked"
    ),
]


def desk_of(request: Request) -> Desk:
    """The live desk; 503 while there is none."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    if desk is None:
        raise HTTPException(503)
    return desk


DRY_HEADERS = {"Tamis-Dry-Run": "true"}  # also of answers in the words of another system, which have no room to say so


def desk_for_call(request: Request, *, dry_run: bool) -> Desk:
    """The live desk; for a dry run one that records nothing."""
    desk = desk_of(request)
    return rehearsing(desk) if dry_run else desk


def bundles_of(request: Request) -> Bundles:
    """Return the bundles that are kept, to explain what each of them decided; the one that serves is loaded already."""
    state, desk = request.app.state, desk_of(request)
    if not hasattr(state, "bundles"):
        state.bundles = Bundles(state.settings.bundles, state.settings.keys)
    bundles: Bundles = state.bundles
    return Bundles(bundles.folder, bundles.keys, bundles.loaded, desk.model)


def kinds_of(request: Request) -> Kinds:
    """Return the kinds of finding of this installation."""
    kinds: Kinds = request.app.state.dialects.kinds
    return kinds


def calls_of(request: Request) -> CallQueue:
    """Where calls are decided, one after the other."""
    calls: CallQueue = request.app.state.calls
    return calls
