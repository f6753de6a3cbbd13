"""Pages that ask again by themselves: such a poll is no use of a session and, of a list that was opened, no read."""

from __future__ import annotations

import time

from starlette.requests import Request

from service.access.accounts import IDLE
from service.access.principal import Principal

HEADER = "tamis-poll"
POLLED = ("queue_page", "audit_page")  # the routes whose pages ask again; elsewhere the header says nothing
REMEMBERED_LISTS = 10_000


class Polls:
    """Which lists were opened, and so noted as read, by which session; of one process."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], float] = {}

    def repeats(self, principal: Principal, request: Request, *, poll: bool) -> bool:
        """Return true for a poll of a list whose opening is noted: a poll of any other is noted like its opening."""
        now, opened = time.monotonic(), (principal.session, request.url.path)
        if poll and now - self._opened.get(opened, float("-inf")) < IDLE.total_seconds():
            return True
        self._opened.pop(opened, None)
        self._opened[opened] = now
        if len(self._opened) > REMEMBERED_LISTS:
            self._opened.pop(next(iter(self._opened)))
        return False


def is_poll(request: Request, route: str) -> bool:
    """Return true where a page asks again by itself, and nobody touched it."""
    return route in POLLED and request.method == "GET" and HEADER in request.headers
