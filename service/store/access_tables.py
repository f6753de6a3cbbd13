"""Tables of people, machines and their reads of personal data; secrets only as hashes."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.tables import TABLES
from service.store.vouching import GROWS

ACCOUNTS = sa.Table(
    "accounts",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("password", sa.String, nullable=False),  # argon2id
    sa.Column("failures", sa.Integer, nullable=False),  # of stores before schema 4; counted in log_ins_failed since
    sa.Column("waits_until", sa.BigInteger, nullable=False),  # the same
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("made_by", sa.String),  # who invited last; null for whom the identity provider lets in
    info=GROWS,
)
LOG_INS_FAILED = sa.Table(  # who must wait before another try
    "log_ins_failed",
    TABLES,
    sa.Column("caller", sa.String, primary_key=True),  # SHA-256 of address and name
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("waits_until", sa.BigInteger, nullable=False),  # no log-in before
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)
INVITATIONS = sa.Table(  # one-time links: an account is created by its owner
    "invitations",
    TABLES,
    sa.Column("token", sa.String, primary_key=True),  # SHA-256
    sa.Column("name", sa.String, nullable=False),  # empty: chosen on acceptance
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False),
    info=GROWS,
)
SESSIONS = sa.Table(
    "sessions",
    TABLES,
    sa.Column("session", sa.String, primary_key=True),  # SHA-256
    sa.Column("name", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("csrf", sa.String, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)
KEYS = sa.Table(
    "keys",
    TABLES,
    sa.Column("key_id", sa.String, primary_key=True),
    sa.Column("secret", sa.String, nullable=False),  # argon2id
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    info=GROWS,
)
LIST_VIEWS = sa.Table(  # how each person has arranged a list: columns, order, filters
    "list_views",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("list", sa.String, primary_key=True),
    sa.Column("view", sa.JSON, nullable=False),
)
READS = sa.Table(  # who read personal data, of what and why
    "reads",
    TABLES,
    sa.Column("read_id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    info=GROWS,
)
