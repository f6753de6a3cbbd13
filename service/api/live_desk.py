"""The desk that serves now, and the queue of its calls, as routes and pages reach them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.audit.replay import Bundles
from service.calls.call_queue import CallQueue
from service.desk import Desk


def desk_of(request: Request) -> Desk:
    """The live desk; 503 while there is none."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    if desk is None:
        raise HTTPException(503)
    return desk


def bundles_of(request: Request) -> Bundles:
    """Return the bundles that are kept, to explain what each of them decided; the one that serves is loaded already."""
    state, desk = request.app.state, desk_of(request)
    if not hasattr(state, "bundles"):
        state.bundles = Bundles(state.settings.bundles, state.settings.keys)
    bundles: Bundles = state.bundles
    return Bundles(bundles.folder, bundles.keys, bundles.loaded, desk.model)


def calls_of(request: Request) -> CallQueue:
    """Where calls are decided, one after the other."""
    calls: CallQueue = request.app.state.calls
    return calls
