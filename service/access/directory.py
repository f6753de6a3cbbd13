"""The directory of people and machines, and what is on record of their reads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.access.accounts import People
from service.access.api_keys import Machines
from service.access.credentials import rows
from service.settings import Settings
from service.store.access_tables import READS
from service.store.database import open_store


class Access(People, Machines):
    """All users and machines with access, and what is on record of their reads."""

    def reads(self, at_most: int = 100) -> list[dict[str, Any]]:
        """Return the latest reads of personal data."""
        query = sa.select(READS).order_by(READS.c.read_id.desc()).limit(at_most)
        with self.store.reading() as connection:
            return rows(connection, query)


def open_access(settings: Settings) -> Access:
    """Open the directory of an installation for a command."""
    return Access(open_store(settings))
