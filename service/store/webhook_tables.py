"""Tables of webhooks: where changes are sent, how far each has come, and what a receiver would not take."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.tables import TABLES
from service.store.vouching import GROWS

WEBHOOKS = sa.Table(
    "webhooks",
    TABLES,
    sa.Column("webhook_id", sa.String, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("key_name", sa.String, nullable=False),  # of the machine whose view it has
    sa.Column("every", sa.Boolean, nullable=False),  # first decisions too, which a call has answered with already
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),  # on the audit log: all before it was taken, or is undelivered
    sa.Column("tried_to", sa.BigInteger),  # where the message that failed last ends: it is tried again as it was
    sa.Column("generation", sa.Integer, nullable=False),  # of its secret
    sa.Column("former_until", sa.BigInteger),  # the secret before it signs too until then
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("failing_since", sa.BigInteger),
    sa.Column("fault", sa.String, nullable=False),  # of the last try; empty where there was none
    sa.Column("next_at", sa.BigInteger, nullable=False),  # no try before
    sa.Column("claimed_until", sa.BigInteger, nullable=False),  # by the process that sends
    sa.Column("ended", sa.Boolean, nullable=False),
    info=GROWS,
)
UNDELIVERED = sa.Table(  # parts of the audit log that a receiver would not take, whatever often it was tried
    "undelivered",
    TABLES,
    sa.Column("undelivered_id", sa.Integer, primary_key=True),
    sa.Column("webhook_id", sa.String, nullable=False, index=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("fault", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("delivered", sa.Boolean, nullable=False),  # it was sent again, and taken
    info=GROWS,
)
