"""Key every hash that identifies persons or goods with the secret of the installation; forget those of erased content.

History, its settled files, the graph of senders, watch lists, judgements and registered serials hold keyed hashes from
then on. What decisions and the audit log say stays byte for byte.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.migrations.keyed_tables import (
    HASHES,
    change_rows,
    key_rows,
    key_segments,
    keyed_statement,
    keyed_subjects,
    table_of,
)
from service.store.store_key import KEY_CHECK, pseudonyms_in, segments_in

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change rows; of the columns only that a declaration may state nothing, once it was erased."""
    connection = op.get_bind()
    pseudonyms, segments = pseudonyms_in(connection), segments_in(connection)
    declared = table_of(connection, "declarations")
    with op.batch_alter_table("declarations", copy_from=declared) as batch:
        batch.alter_column("stated", existing_type=sa.JSON(), nullable=True)
    declared, decided, lists = (table_of(connection, name) for name in ("declarations", "decisions", "lists"))
    for name in HASHES:
        key_rows(connection, name, pseudonyms)
    if segments.usable:
        key_segments(connection, segments, pseudonyms)
    _forget_erased(connection, declared, decided)
    change_rows(connection, declared, lambda row: {"stated": keyed_statement(row["stated"], pseudonyms)},
                declared.c.content_sha256 != "")  # fmt: skip
    change_rows(connection, lists, lambda row: {"subjects": keyed_subjects(row["subjects"], pseudonyms)})
    change_rows(connection, decided, lambda row: {"network": pseudonyms.recoded([row["network"]])[0]},
                decided.c.network.is_not(None))  # fmt: skip
    state = table_of(connection, "state")
    connection.execute(sa.insert(state).values(name=KEY_CHECK, value=pseudonyms.check))


def _forget_erased(connection: sa.Connection, declared: sa.Table, decided: sa.Table) -> None:
    """Take from what was erased before now what still told of it."""
    key = [declared.c[name] == decided.c[name] for name in ("message_id", "consignment_id", "version")]
    gone = sa.exists().where(*key, decided.c.salt.is_(None))
    erased = sa.update(declared).where(gone, declared.c.posted, declared.c.body.is_(sa.null()))
    connection.execute(erased.values(stated=sa.null(), content_sha256=""))
    connection.execute(sa.update(decided).where(decided.c.salt.is_(None)).values(network=None))
