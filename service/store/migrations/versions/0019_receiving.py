"""Keep how much comes to homes and telephones of addressees: two more facts, and history named anew from the archive.

The upgrade itself makes history, judgements, cards and links anew, after its last step.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.migrations.first_tables import FIRST
from service.store.migrations.keyed_tables import table_of

revision = "0019"
down_revision = "0018"
ADDED = ("new_sender", "new_name")
RENAMING = "renaming"  # as in service/audit/renaming.py


def upgrade() -> None:
    """Add the facts, of which nothing is known yet, and note that history is to be made anew."""
    former = FIRST.tables["running"]
    with op.batch_alter_table("running", copy_from=former) as running:
        for fact in ADDED:
            running.add_column(sa.Column(fact, sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("running", copy_from=_with_defaults(former)) as running:
        for fact in ADDED:
            running.alter_column(fact, existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
    state, digests = (table_of(op.get_bind(), name) for name in ("state", "digests"))
    op.get_bind().execute(sa.delete(state).where(state.c.name == RENAMING))
    op.get_bind().execute(sa.insert(state).values(name=RENAMING, value=1))
    op.get_bind().execute(sa.delete(digests).where(digests.c.name == state.name))  # the upgrade makes it of these rows


def _with_defaults(former: sa.Table) -> sa.Table:
    wider = former.to_metadata(sa.MetaData())
    for fact in ADDED:
        wider.append_column(sa.Column(fact, sa.BigInteger(), nullable=False, server_default="0"))
    return wider
