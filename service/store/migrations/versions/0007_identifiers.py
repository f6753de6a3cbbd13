"""Name senders, contacts and addresses anew, as this version reads what was stated: placeholders name nobody any more.

The upgrade itself makes history, judgements, cards and links anew from the archive, after its last step.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.migrations.keyed_tables import table_of

revision = "0007"
down_revision = "0006"
RENAMING = "renaming"  # as in service/audit/renaming.py


def upgrade() -> None:
    """Note that it is to be done: no table changes."""
    state = table_of(op.get_bind(), "state")
    op.get_bind().execute(sa.insert(state).values(name=RENAMING, value=1))
