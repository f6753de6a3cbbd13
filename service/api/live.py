"""The desk that serves now, and where its calls are gathered, as routes and pages reach them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.api.faults import RETRY_SECONDS
from service.desk import Desk
from service.gathering import Gathering


def desk_of(request: Request) -> Desk:
    """The live desk; 503 while there is none."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    if desk is None:
        raise HTTPException(503, headers={"Retry-After": RETRY_SECONDS})
    return desk


def gathering_of(request: Request) -> Gathering:
    """Where calls are decided together."""
    gathering: Gathering = request.app.state.gathering
    return gathering
