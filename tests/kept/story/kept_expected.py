"""What the code of its own commit says of a kept home: every count, word and lane, and whether it can be replayed.

Runs only on a checkout of that commit, whose modules it uses.
"""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
import sqlalchemy as sa
from its_code import (
    CALLS,
    CASE_NOTES,
    DECISIONS,
    JUDGEMENTS,
    MODE,
    OVERRIDES,
    PROPOSALS,
    SELECTION,
    TABLES,
    Bundles,
    NotReplayable,
    Settings,
    Store,
    StoredHistory,
    access_tables,
    canonical,
    case_of,
    lists_of,
    open_serving,
    open_store,
    overview,
    replay_call,
    tail,
    verify_record,
)

DECIDED = (
    *("decision_id", "call_id", "consignment_id", "version", "assessment", "pre_arrival", "clearance"),
    *("post_clearance", "checked", "risk", "stands", "waits", "held"),
)
SAID = ("override_id", "decision_id", "consignment_id", "clearance", "by", "counts")
SECRET = {"accounts": ("password",), "keys": ("secret",), "sessions": ("session", "csrf"), "invitations": ("token",)}


def expected(settings: Settings) -> dict[str, Any]:
    """Everything that another version must say as well."""
    store = open_store(settings)
    try:
        return {
            "tables": tables(store),
            "chain": chain(store),
            "verify": verified(store, settings),
            "decisions": decisions(store, settings),
            "overrides": overrides(store),
            "cases": cases(store),
            "judgements": rows(store, sa.select(JUDGEMENTS)),
            "lists": lists_of(store),
            "proposals": proposals(store),
            "bundles": [{name: one[name] for name in ("name", "state")} for one in overview(settings)],
            "serves": open_serving(settings).name,
            "history": history(store),
            "people": people(store),
        }
    finally:
        store.close()


def rows(store: Store, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """What a query finds."""
    with store.reading() as connection:
        return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def tables(store: Store) -> dict[str, dict[str, Any]]:
    """Of each table: its columns, how many rows it has, and the hash of all of them in the order of its key.

    The hash is the SHA-256 of one line a row, canonical JSON of the columns listed, bytes in hexadecimal; lines in
    ascending order.
    """
    told = {}
    for table in TABLES.sorted_tables:
        names = [str(column.name) for column in table.c if column.name not in SECRET.get(table.name, ())]
        found = rows(store, sa.select(*(table.c[name] for name in names)))
        lines = sorted(canonical(_in_words(row)) for row in found)
        digest = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
        told[table.name] = {"rows": len(found), "columns": names, "sha256": digest}
    return told


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}


def chain(store: Store) -> dict[str, Any]:
    """How far the audit chain reaches, by kind too."""
    with store.reading() as connection:
        number, last = tail(connection)
        kinds = connection.execute(sa.text("SELECT kind, count(*) FROM chain GROUP BY kind ORDER BY kind")).all()
    return {"entries": number, "hash": last, "kinds": {str(kind): int(count) for kind, count in kinds}}


def verified(store: Store, settings: Settings) -> dict[str, Any]:
    """What `tamis verify` finds."""
    found = verify_record(store, settings.checkpoints, settings.keys)
    names = ("holds", "entries", "decisions", "outcomes", "erased", "checkpoints", "wrong", "faults")
    return {name: getattr(found, name) for name in names}


def decisions(store: Store, settings: Settings) -> list[dict[str, Any]]:
    """Every decision with its lane, and what a replay makes of it: `identical`, or why there is none."""
    bundles, replayed = Bundles(settings.bundles, settings.keys), {}
    for call_id in sorted(row["call_id"] for row in rows(store, sa.select(CALLS.c.call_id))):
        try:
            for one in replay_call(store, bundles, call_id):
                replayed[one.decision_id] = "identical" if one.identical else "different"
        except NotReplayable as fault:
            replayed[call_id] = str(fault)
    own = [DECISIONS.c[name] for name in DECIDED]
    body = (SELECTION, MODE)
    query = sa.select(*own, body[0].label("selection"), body[1].label("mode")).order_by(DECISIONS.c.decision_id)
    return [
        row | {"replay": replayed.get(row["decision_id"], replayed.get(row["call_id"]))} for row in rows(store, query)
    ]


def overrides(store: Store) -> list[dict[str, Any]]:
    """Every word on a decision: the lane that was decided, the one put in its place, and whether it still counts.

    stands, waits: of the decision itself; stands_now: the lane of the assessment that stands for that version.
    """
    later = DECISIONS.alias("later")
    same = [later.c[name] == DECISIONS.c[name] for name in ("message_id", "consignment_id", "version")]
    query = (
        sa.select(
            *(OVERRIDES.c[name] for name in SAID), DECISIONS.c.clearance.label("decided"), DECISIONS.c.stands,
            DECISIONS.c.waits, later.c.clearance.label("stands_now"), OVERRIDES.c.salt.is_(None).label("erased"),
            SELECTION.label("selection"),
        )
        .join(DECISIONS, DECISIONS.c.decision_id == OVERRIDES.c.decision_id)
        .join(later, sa.and_(*same, later.c.stands))
        .order_by(OVERRIDES.c.override_id)
    )  # fmt: skip
    return [{name: bool(v) if name == "erased" else v for name, v in row.items()} for row in rows(store, query)]


def cases(store: Store) -> list[dict[str, Any]]:
    """Every case that was not erased: its track, what was noted of it, and what is due."""
    told = []
    ids = sa.select(CASE_NOTES.c.consignment_id).distinct().order_by(CASE_NOTES.c.consignment_id)
    for number in [row["consignment_id"] for row in rows(store, ids)]:
        case = case_of(store, number)
        if case is None:
            told.append({"consignment_id": number, "erased": True})
            continue
        noted = {step: str(day) for step, day in case.noted.items()}
        due = case.due()
        told.append(
            {"consignment_id": number, "erased": False, "track": case.track.name, "open": case.open, "noted": noted,
             "due": None if due is None else str(due.due), "right_holder": case.right_holder}
        )  # fmt: skip
    return told


def proposals(store: Store) -> list[dict[str, Any]]:
    """Every proposal, its content as a hash."""
    names = ("proposal_id", "kind", "state", "proposed_by", "decided_by", "told", "although")
    found = rows(store, sa.select(PROPOSALS).order_by(PROPOSALS.c.proposal_id))
    return [
        {name: row[name] for name in names} | {"content_sha256": hashlib.sha256(row["content"].encode()).hexdigest()}
        for row in found
    ]


def history(store: Store) -> dict[str, Any]:
    """How far history reaches, how many segments it has, and the sums and the hash of its running totals."""
    stored = StoredHistory(store)
    running = stored.running()
    ordered = running.sort("entity", "known_at").write_csv()
    with store.reading() as connection:
        segments = connection.execute(sa.text("SELECT count(*) FROM segments")).scalar_one()
    return {
        "as_of": stored.as_of(), "segments": segments, "rows": running.height,
        "sha256": hashlib.sha256(ordered.encode()).hexdigest(), "columns": running.columns,
        "last_totals": running.group_by("entity").agg(pl.all().last()).select(pl.exclude("entity", "known_at")).sum()
        .row(0, named=True),
    }  # fmt: skip


def people(store: Store) -> dict[str, Any]:
    """Accounts and keys without their secrets, and who read what."""
    accounts, keys, reads = access_tables.ACCOUNTS, access_tables.KEYS, access_tables.READS
    return {
        "accounts": rows(store, sa.select(accounts.c.name, accounts.c.role, accounts.c.active, accounts.c.failures)
                         .order_by(accounts.c.name)),
        "keys": rows(store, sa.select(keys.c.key_id, keys.c.name, keys.c.role, keys.c.revoked).order_by(keys.c.name)),
        "reads": rows(store, sa.select(reads.c.who, reads.c.route, reads.c.subject).order_by(reads.c.read_id)),
    }  # fmt: skip
