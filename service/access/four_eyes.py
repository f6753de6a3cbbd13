"""Two accounts are two pairs of eyes only where no administrator could be both.

Whoever invites somebody holds the link first and can use it himself, for a new account or for a new password. So an
administrator stands behind everybody whom he invited, and behind all whom they invited. Who came in by the machine
(`tamis invite`), by the set-up link or by the identity provider has nobody behind.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from service.access.credentials import Denied, note
from service.store.access_tables import ACCOUNTS
from service.store.database import Store
from service.store.tables import PROPOSALS

REFUSED = (
    "four-eyes rule: an administrator invited both accounts, or one the other, and could be both; ask somebody whom "
    "another administrator, the identity provider or `tamis invite` let in"
)


def require_two_people(store: Store, number: int, by: str, now: datetime) -> None:
    """Refuse an approval where one person could be behind both accounts, and put that on the audit log.

    number: of the proposal; of one that is not on record nothing is said here. Raises Denied.
    """
    with store.reading() as connection:
        query = sa.select(PROPOSALS.c.proposed_by).where(PROPOSALS.c.proposal_id == number)
        proposed_by = connection.execute(query).scalar()
        if proposed_by is None or proposed_by == by:  # the proposal itself refuses its own author
            return
        shared = _behind(connection, proposed_by) & _behind(connection, by)
    if shared:
        entry = {"what": "four eyes refused", "proposal": number, "proposed_by": proposed_by, "by": by,
                 "behind both": sorted(shared)}  # fmt: skip
        store.write(lambda connection: note(connection, entry, now))
        raise Denied(REFUSED)


def _behind(connection: sa.Connection, name: str) -> set[str]:
    """Return the accounts that could be this one: itself, who invited it, and so on."""
    found: set[str] = set()
    following: str | None = name
    while following is not None and following not in found:
        row = connection.execute(sa.select(ACCOUNTS.c.made_by).where(ACCOUNTS.c.name == following)).first()
        if row is None:
            break
        found.add(following)
        following = row.made_by
    return found
