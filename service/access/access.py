"""Who is known here, people and machines, and the log of who read what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.access.kept import rows
from service.access.machines import Machines
from service.access.people import People
from service.access.principal import Principal
from service.access.tables import READS
from service.records import micros
from service.settings import Settings
from service.store import open_store


class Access(People, Machines):
    """Everybody who can come in, and what they read."""

    def note_read(self, principal: Principal, route: str, subject: str, now: datetime) -> None:
        """Log that personal data was read; without the log nothing is shown."""
        row = {"at": micros(now), "who": principal.name, "role": principal.role, "purpose": principal.purpose,
               "route": route, "subject": subject[:200]}  # fmt: skip
        self.store.write(lambda connection: connection.execute(sa.insert(READS).values(row)))

    def reads(self, at_most: int = 100) -> list[dict[str, Any]]:
        """The latest reads of personal data."""
        query = sa.select(READS).order_by(READS.c.read_id.desc()).limit(at_most)
        with self.store.reading() as connection:
            return rows(connection, query)


def open_access(settings: Settings) -> Access:
    """Access to an installation from a command."""
    return Access(open_store(settings))
