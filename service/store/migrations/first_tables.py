"""The tables of schema 1, as the last version without schema numbers made them: never changed, only migrated from."""

from __future__ import annotations

import sqlalchemy as sa

FIRST = sa.MetaData()
FACTS = (
    *("lodged", "consignments", "lines", "value", "mass", "pieces", "new_consignee", "new_wording", "new_route"),
    *("inspected", "hits", "hits_counterfeit", "hits_undervalued", "hits_misdeclared", "hits_prohibited"),
    *("hits_dangerous", "hits_grave", "not_presented", "registered"),
)
sa.Table(
    "running",
    FIRST,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("known_at", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(fact, sa.BigInteger, nullable=False) for fact in FACTS),
    sqlite_with_rowid=False,
)
sa.Table(
    "segments",
    FIRST,
    sa.Column("segment_id", sa.String, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),
)
sa.Table("state", FIRST, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.BigInteger))
sa.Table(
    "declarations",
    FIRST,
    sa.Column("message_id", sa.String, primary_key=True),
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lodged_at", sa.BigInteger, nullable=False),
    sa.Column("content_sha256", sa.String, nullable=False),
    sa.Column("stated", sa.JSON, nullable=False),
    sa.Column("body", sa.JSON),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Index("declarations_by_consignment", "consignment_id"),
    sa.Index(
        "declarations_unposted",
        "consignment_id",
        sqlite_where=sa.text("posted = 0"),
        postgresql_where=sa.text("NOT posted"),
    ),
)
sa.Table(
    "calls",
    FIRST,
    sa.Column("call_id", sa.String, primary_key=True),
    sa.Column("basis", sa.JSON, nullable=False),
)
sa.Table(
    "policies",
    FIRST,
    sa.Column("sha256", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
sa.Table(
    "chain",
    FIRST,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("content", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
sa.Table(
    "decisions",
    FIRST,
    sa.Column("decision_id", sa.String, primary_key=True),
    sa.Column("call_id", sa.String, nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("salt", sa.String),
    sa.Column("message_id", sa.String, nullable=False),
    sa.Column("consignment_id", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("office", sa.String, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("pre_arrival", "clearance", "post_clearance")),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("band", sa.Integer, nullable=False),
    sa.Column("checked", sa.String, nullable=False),
    sa.Column("network", sa.String),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("risk", sa.Float),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("row_as_scored", sa.JSON),
    sa.Column("assessment", sa.Integer, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),
    sa.Column("waits", sa.Boolean, nullable=False),
    sa.UniqueConstraint("message_id", "consignment_id", "version", "assessment"),
    sa.Index("decisions_given_again", "call_id", sqlite_where=sa.text("waits = 1"), postgresql_where=sa.text("waits")),
    sa.Index("decisions_by_consignment", "consignment_id", "version", "stands"),
    sa.Index(
        "decisions_by_network",
        "network",
        sqlite_where=sa.text("network IS NOT NULL"),
        postgresql_where=sa.text("network IS NOT NULL"),
    ),
    sa.Index(
        "decisions_in_queues",
        *("office", "day", "stands", "pre_arrival", "clearance", "post_clearance", "risk"),
        *("decision_id", "consignment_id", "version"),
    ),
    sa.Index("decisions_by_day", "day", "decision_id"),
)
sa.Table(
    "tallies",
    FIRST,
    sa.Column("office", sa.String, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("band", sa.Integer, primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("seen", "audit", "documents", "scan", "physical")),
    sqlite_with_rowid=False,
)
sa.Table(
    "outcomes",
    FIRST,
    sa.Column("outcome_id", sa.String, primary_key=True),
    sa.Column("salt", sa.String),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
sa.Table(
    "receptacles",
    FIRST,
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("receptacle", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
sa.Table(
    "cards",
    FIRST,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.BigInteger),
    sa.Column("building", sa.BigInteger),
    sa.Column("network", sa.BigInteger, nullable=False, index=True),
    sa.Column("listed", sa.Boolean, nullable=False),
    sa.Column("reported", sa.Boolean, nullable=False),
)
sa.Table(
    "lists",
    FIRST,
    sa.Column("list_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("imported_by", sa.String, nullable=False),
    sa.Column("imported_at", sa.BigInteger, nullable=False),
    sa.Column("approved_by", sa.String),
    sa.Column("active_from", sa.BigInteger),
    sa.Column("active_until", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("checked_at", sa.BigInteger),
    sa.Column("subjects", sa.JSON, nullable=False),
)
sa.Table(
    "evidence",
    FIRST,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)
sa.Table(
    "links",
    FIRST,
    sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("other", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("bits", sa.Integer, nullable=False),
    sa.Column("shared", sa.JSON, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
sa.Table(
    "phones",
    FIRST,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("own", sa.Boolean, nullable=False),
)
sa.Table(
    "registered",
    FIRST,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
sa.Table("hubs", FIRST, sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False))
sa.Table(
    "judgements",
    FIRST,
    sa.Column("judgement_id", sa.Integer, primary_key=True),
    sa.Column("one", sa.BigInteger, nullable=False, index=True),
    sa.Column("other", sa.BigInteger, nullable=False, index=True),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
)
sa.Table(
    "case_notes",
    FIRST,
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),
    sa.Column("body", sa.JSON, nullable=False),
)
sa.Table(
    "overrides",
    FIRST,
    sa.Column("override_id", sa.Integer, primary_key=True),
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("clearance", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.String),
    sa.Column("counts", sa.Boolean, nullable=False),
)
sa.Table(
    "proposals",
    FIRST,
    sa.Column("proposal_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("proposed_by", sa.String, nullable=False),
    sa.Column("proposed_at", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("told", sa.String, nullable=False),
    sa.Column("although", sa.String, nullable=False),
    sa.Column("tried", sa.Text, nullable=False),
)
sa.Table(
    "accounts",
    FIRST,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("language", sa.String, nullable=False),
    sa.Column("password", sa.String, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("waits_until", sa.BigInteger, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)
sa.Table(
    "invitations",
    FIRST,
    sa.Column("token", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False),
)
sa.Table(
    "sessions",
    FIRST,
    sa.Column("session", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("csrf", sa.String, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)
sa.Table(
    "keys",
    FIRST,
    sa.Column("key_id", sa.String, primary_key=True),
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
)
sa.Table(
    "reads",
    FIRST,
    sa.Column("read_id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
)
