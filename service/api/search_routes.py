"""Search over the API: parse, call one function, answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from features.fault import Fault
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api.error_responses import refused
from service.api.live_desk import desk_of
from service.api.search_answers import SearchAnswer
from service.desk import Desk
from service.officers.search import A_PAGE, COUNTED, LARGEST_PAGE, Asked, search

router = APIRouter()


@router.get("/v1/search", response_model=None, responses={200: {"model": SearchAnswer}})
def get_search(
    key: Annotated[str, Query(description="what to search for; with a star at its end, what begins so")] = "",
    kind: Annotated[list[str] | None, Query(description="of which kinds it may be; whatever it looks like")] = None,
    beyond: Annotated[int, Query(ge=0, le=COUNTED - 1, description="consignments of earlier pages")] = 0,
    at_most: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="consignments of a page")] = A_PAGE,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """The consignments, parties, networks, shops, lists and cases of a key, as far as the caller sees them.

    A key is compared as linking and screening compare it. The log of reads holds a trace of it, not the key.
    """
    try:
        return asdict(search(desk.journal.store, Asked(key, tuple(kind or ()), beyond, at_most), principal.sender))
    except Fault as fault:
        raise refused(fault, "cannot be searched for") from None
