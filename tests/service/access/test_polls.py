"""A page that asks again by itself keeps no session alive and fills no log; its header opens nothing unseen."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.access.accounts import IDLE, SEEN_EVERY
from service.access.guard import COOKIE
from service.app import create
from service.settings import Settings
from service.store.access_tables import SESSIONS
from tests.service.access.closed import PASSWORD, accept, access, now

POLL = {"HX-Request": "true", "Tamis-Poll": "1"}


def test_polls_are_no_use_of_a_session_and_no_read_of_a_list_that_was_opened(home: Settings) -> None:
    with TestClient(create(home), follow_redirects=False) as client:
        known, log = access(client), client.app.state.read_log  # type: ignore[attr-defined]
        accept(known, "ana")
        client.cookies.set(COOKIE, known.log_in("ana", PASSWORD, "targeting", now()))

        def reads() -> int:
            assert log.move()
            return len(known.reads())

        def seen_at() -> int:
            assert log.move()
            with known.store.reading() as connection:
                return int(connection.execute(sa.select(SESSIONS.c.seen_at)).scalar_one())

        def unused_for(time: timedelta) -> None:
            before = int((now() - time).timestamp() * 1e6)
            known.store.write(lambda connection: connection.execute(sa.update(SESSIONS).values(seen_at=before)))

        assert client.get("/console/queue", headers=POLL).status_code == 200
        assert reads() == 1, "a poll of a list that was never opened shows it, and is noted"
        assert client.get("/console/queue").status_code == 200
        for _ in range(3):
            assert client.get("/console/queue", headers=POLL).status_code == 200
        assert reads() == 2
        unused_for(IDLE - SEEN_EVERY)
        before = seen_at()
        assert client.get("/console/queue", headers=POLL).status_code == 200
        assert seen_at() == before
        assert client.get("/console/consignments/none", headers=POLL).status_code == 404
        assert reads() == 3, "elsewhere the header says nothing"
        assert seen_at() > before
        unused_for(IDLE + SEEN_EVERY)
        over = client.get("/console/queue", headers=POLL)
        assert (over.status_code, over.headers["hx-redirect"]) == (204, "/console/log-in")
