"""The tables of the store: what Tamis keeps in rows, and what each column says."""

from __future__ import annotations

import sqlalchemy as sa

from features.history.facts import FACTS
from service.store.packed import PackedJson
from service.store.vouching import BY_CONTENT_HASH, BY_ENTRY, BY_ITSELF, GROWS, PRESENCE

TABLES = sa.MetaData()  # a change of any table comes with a migration: see migrations/
ERASED = ""  # stands for the hash of a content that was erased: what it was cannot be guessed from it
DIGESTS = sa.Table(  # of each table what all its rows add up to: changed in the transaction that changes a row
    "digests",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("columns", sa.Text, nullable=False),  # the columns that it is made of
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # 2,048 bits, hexadecimal
    info=BY_ITSELF,
)
RUNNING = sa.Table(
    "running",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("known_at", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(fact, sa.BigInteger, nullable=False) for fact in FACTS),
    sqlite_with_rowid=False,
)
SEGMENTS = sa.Table(
    "segments",
    TABLES,
    sa.Column("segment_id", sa.String, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),
)
STATE = sa.Table("state", TABLES, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.BigInteger))
DECLARATIONS = sa.Table(
    "declarations",
    TABLES,
    sa.Column("message_id", sa.String, primary_key=True),
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lodged_at", sa.BigInteger, nullable=False),
    sa.Column("content_sha256", sa.String, nullable=False),  # or ERASED
    sa.Column("stated", PackedJson),  # entities, keyed, and amounts: what its facts are made of; null once erased
    sa.Column("card", sa.BigInteger),  # of these the sender's card; null where it names none, and once erased
    sa.Column("body", PackedJson, info=BY_CONTENT_HASH | PRESENCE),  # null for what was ingested, never decided
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),  # whether its facts are in the history, or wait for it
    sa.Column("office", sa.String),  # whose part it is; null where none was named
    sa.Column("sender", sa.String),  # who may amend it; null where only the installation or nobody knows
    sa.Index("declarations_by_consignment", "consignment_id"),
    sa.Index(  # the condition in the very words of a query, or SQLite goes through the whole table every minute
        "declarations_unposted",
        "consignment_id",
        sqlite_where=sa.text("posted = 0"),
        postgresql_where=sa.text("NOT posted"),
    ),
    info=GROWS,
)
CALLS = sa.Table(  # the circumstances that the decisions of one call share: what a replay starts from
    "calls",
    TABLES,
    sa.Column("call_id", sa.String, primary_key=True),
    sa.Column("basis", PackedJson, nullable=False),
    info=GROWS,
)
POLICIES = sa.Table(  # every policy that ever decided, by the hash of its text
    "policies",
    TABLES,
    sa.Column("sha256", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    info=GROWS,
)
CHAIN = sa.Table(
    "chain",
    TABLES,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("content", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    info=BY_ITSELF,
)
DECISIONS = sa.Table(
    "decisions",
    TABLES,
    sa.Column("decision_id", sa.String, primary_key=True),
    sa.Column("call_id", sa.String, nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),  # among the consignments of its call
    sa.Column("salt", sa.String, info=BY_ENTRY),  # null once its content was erased
    sa.Column("message_id", sa.String, nullable=False),
    sa.Column("consignment_id", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("office", sa.String, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("pre_arrival", "clearance", "post_clearance")),
    sa.Column("hour", sa.Integer, nullable=False),  # where it counts in the tallies, with its office and band
    sa.Column("band", sa.Integer, nullable=False),
    sa.Column("checked", sa.String, nullable=False),
    sa.Column("network", sa.String),  # null while linking is off
    sa.Column("held", sa.Boolean, nullable=False),  # whether it waits for the checks of its network
    sa.Column("risk", sa.Float),  # null where rules alone decided
    sa.Column("selection", sa.String),  # what chose it for a check; these three repeat the content
    sa.Column("mode", sa.String),
    sa.Column("selection_probability", sa.Float),
    sa.Column("body", PackedJson, nullable=False, info=BY_ENTRY),
    sa.Column("row_as_scored", PackedJson, info=BY_ENTRY),
    sa.Column("assessment", sa.Integer, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),  # no later assessment of the same version has amended it
    sa.Column("waits", sa.Boolean, nullable=False),  # to be given again once what it lacked is back
    sa.UniqueConstraint("message_id", "consignment_id", "version", "assessment"),
    sa.Index("decisions_given_again", "call_id", sqlite_where=sa.text("waits = 1"), postgresql_where=sa.text("waits")),
    sa.Index("decisions_by_consignment", "consignment_id", "version", "stands"),
    sa.Index(
        "decisions_by_network",
        "network",
        sqlite_where=sa.text("network IS NOT NULL"),
        postgresql_where=sa.text("network IS NOT NULL"),
    ),
    sa.Index(  # holds all that a queue is chosen and ordered by: the decisions themselves lie far apart
        "decisions_in_queues",
        *("office", "day", "stands", "pre_arrival", "clearance", "post_clearance", "risk"),
        *("decision_id", "consignment_id", "version"),
    ),
    sa.Index("decisions_by_day", "day", "decision_id"),
    info=GROWS,
)
TALLIES = sa.Table(  # how many decisions were given at an office in an hour, and what checks they took
    "tallies",
    TABLES,
    sa.Column("office", sa.String, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),  # since 1970, of `lodged_at`
    sa.Column("band", sa.Integer, primary_key=True, autoincrement=False),  # of the score; -1 where nothing scored it
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("seen", "audit", "documents", "scan", "physical")),
    sqlite_with_rowid=False,
)
OUTCOMES = sa.Table(
    "outcomes",
    TABLES,
    sa.Column("outcome_id", sa.String, primary_key=True),
    sa.Column("salt", sa.String),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("result", sa.String),  # these two repeat the content
    sa.Column("selection", sa.String),
    # holds all that hit rates are counted by: at a million decisions there are a hundred thousand results
    sa.Index("outcomes_by_time", "known_at", "result", "selection", "consignment_id"),
    info=GROWS,
)
EARLY_RESULTS = sa.Table(  # results that came before their consignment, from who does not speak for all offices
    "early_results",
    TABLES,
    sa.Column("early_id", sa.Integer, primary_key=True),
    sa.Column("outcome_id", sa.String, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("sender", sa.String, nullable=False),
    sa.Column("offices", sa.JSON, nullable=False),  # that its sender speaks for
    sa.Column("taken", sa.Boolean, nullable=False),  # one of these offices lodged it: it counts, in `outcomes`
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("outcome_id", "sender"),
    info=GROWS,
)
TRANSFERS = sa.Table(  # how consignments passed from one office and caller to another
    "transfers",
    TABLES,
    sa.Column("transfer_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("from_office", sa.String),
    sa.Column("from_sender", sa.String),
    sa.Column("office", sa.String, nullable=False),  # that it belongs to from then on
    sa.Column("sender", sa.String),  # who may amend it from then on; null: whoever is for the office
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    info=GROWS,
)
RECEPTACLES = sa.Table(  # in which receptacle an item lies, as a dispatch list of each sender said last
    "receptacles",
    TABLES,
    sa.Column("consignment_id", sa.String, primary_key=True),
    sa.Column("sender", sa.String, primary_key=True),  # empty for the installation
    sa.Column("receptacle", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
CARDS = sa.Table(
    "cards",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),  # the step in which it was declared last
    sa.Column("name", sa.BigInteger),
    sa.Column("building", sa.BigInteger),
    sa.Column("network", sa.BigInteger, nullable=False, index=True),
    sa.Column("listed", sa.Boolean, nullable=False),  # somebody tells of it; it sends nothing under this card
    sa.Column("reported", sa.Boolean, nullable=False),  # who tells of it is a consumer or a platform
)
LISTS = sa.Table(  # every version that was ever imported, and what became of it
    "lists",
    TABLES,
    sa.Column("list_id", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),  # list, reports
    sa.Column("status", sa.String, nullable=False),  # waiting, active, replaced, refused, expired
    sa.Column("source", sa.String, nullable=False),
    sa.Column("format", sa.String, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("imported_by", sa.String, nullable=False),
    sa.Column("imported_at", sa.BigInteger, nullable=False),
    sa.Column("approved_by", sa.String),
    sa.Column("active_from", sa.BigInteger),
    sa.Column("active_until", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("checked_at", sa.BigInteger),  # when it was last imported, changed or not
    sa.Column("subjects", sa.JSON, nullable=False, info=BY_ENTRY),  # → label, and card and evidence as keyed hashes
    info=GROWS,
)
LISTED_VALUES = sa.Table(  # what subjects of active watch lists state, as keyed hashes: follows from `lists`
    "listed_values",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),  # the card of the subject
    sa.Column("list_id", sa.String, nullable=False),
    sqlite_with_rowid=False,
)
EVIDENCE = sa.Table(  # what cards state, as keyed hashes: no name and no address stands here
    "evidence",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)
LINKS = sa.Table(
    "links",
    TABLES,
    sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("other", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("bits", sa.Integer, nullable=False),
    sa.Column("shared", sa.JSON, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
PHONES = sa.Table(
    "phones",
    TABLES,
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("own", sa.Boolean, nullable=False),
)
REGISTERED = sa.Table(  # what right holders say is genuine: serials and their articles, as keyed hashes
    "registered",
    TABLES,
    sa.Column("entity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    info=GROWS,
)
HUBS = sa.Table(  # what so many cards state that it links nobody
    "hubs", TABLES, sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False)
)
ADDRESSEE_CARDS, ADDRESSEE_EVIDENCE, ADDRESSEE_LINKS, ADDRESSEE_PHONES, ADDRESSEE_HUBS = (
    table.to_metadata(TABLES, name=f"addressee_{table.name}")  # the graph of addressees: the same of the other side
    for table in (CARDS, EVIDENCE, LINKS, PHONES, HUBS)
)
JUDGEMENTS = sa.Table(
    "judgements",
    TABLES,
    sa.Column("judgement_id", sa.Integer, primary_key=True),
    sa.Column("one", sa.BigInteger, nullable=False, index=True),
    sa.Column("other", sa.BigInteger, nullable=False, index=True),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),  # when it was taken back or replaced; null while it counts
    info=GROWS,
)
CASE_NOTES = sa.Table(  # what was noted of detained consignments, in order; nothing in it is ever changed
    "case_notes",
    TABLES,
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("officer", sa.String, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("body", sa.JSON, nullable=False),
    info=GROWS,
)
IN_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")  # in the order of bytes: as SQLite has it
SEARCHED = sa.Table(  # the consignments that search finds, numbered in the order in which they came into it
    "searched",
    TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("consignment_id", IN_BYTES, nullable=False, unique=True),
    sa.Column("offices", sa.JSON, nullable=False),  # of all its parts; null for one that names none
)
POSTINGS = sa.Table(  # by which keys search finds them: packed keyed hashes of 48 bits and numbers, see record/postings
    "postings",
    TABLES,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
OVERRIDES = sa.Table(  # an analyst's own lane for a consignment; the last one of a decision counts
    "overrides",
    TABLES,
    sa.Column("override_id", sa.Integer, primary_key=True),
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("clearance", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("counts", sa.Boolean, nullable=False),
    info=GROWS,
)
ASSIGNMENTS = sa.Table(  # who took a consignment to work on it, and who let it go again; the last one counts
    "assignments",
    TABLES,
    sa.Column("assignment_id", sa.Integer, primary_key=True),
    sa.Column("consignment_id", sa.String, nullable=False, index=True),
    sa.Column("taken", sa.Boolean, nullable=False),  # false: let go
    sa.Column("by", sa.String, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.String),  # null once its content was erased
    sa.Column("counts", sa.Boolean, nullable=False),
    info=GROWS,
)
PROPOSALS = sa.Table(  # what one person put forward and another decided
    "proposals",
    TABLES,
    sa.Column("proposal_id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("proposed_by", sa.String, nullable=False),
    sa.Column("proposed_at", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("state", sa.String, nullable=False),  # waiting, refused, under way, done, failed
    sa.Column("told", sa.String, nullable=False),
    sa.Column("although", sa.String, nullable=False),  # why a version that did worse should serve all the same
    sa.Column("tried", sa.Text, nullable=False),  # what the rules of a policy would have done on days gone by
    info=GROWS,
)
