"""The record: declarations, decisions, rows as scored and facts in one transaction, acknowledged only afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.assemble import Rows
from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, VERSION_KEY, Consignments
from features.facts import KEYS, facts_of, facts_of_outcomes
from features.fault import Fault
from service.orientation.decisions import Decisions, iso, written
from service.store import AT_ONCE, DECISIONS, DECLARATIONS, OUTCOMES, Store, post

Key = tuple[str, str, int]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUMMARY = pl.Schema(
    {
        "consignment_id": pl.String(),
        "day": pl.Int32(),
        "risk": pl.Float64(),
        "clearance": pl.String(),
        "selection": pl.String(),
        "mode": pl.String(),
        "selection_probability": pl.Float64(),
    }
)


class Conflict(Fault):
    """The same version was sent before with another content; `consignment_ids` are those at fault."""

    def __init__(self, consignment_ids: Sequence[str]) -> None:
        super().__init__(f"{len(consignment_ids)} consignments were sent before with another content")
        self.consignment_ids = list(consignment_ids)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of posted outcomes: how many were new, known already, and for consignments never seen."""

    recorded: int
    repeated: int
    unknown: int


class Journal:
    """What a desk writes down, and what it has written."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def spent(self, consignments: Consignments) -> pl.DataFrame:
        """Checks already given out on the days and at the offices of these consignments: office, day, and by kind."""
        asked = consignments.frame.select(
            pl.col("office").fill_null("unknown"), pl.col("lodged_at").dt.date().alias("day")
        ).unique()
        days = [(day - EPOCH.date()).days for day in asked["day"].unique()]
        count = sa.func.count().label("n")
        given = sa.select(DECISIONS.c.office, DECISIONS.c.day, DECISIONS.c.clearance, count).where(
            DECISIONS.c.day.in_(days),
            DECISIONS.c.office.in_(asked["office"].unique().to_list()),
            DECISIONS.c.clearance != "green",
        )
        with self.store.reading() as connection:
            rows = connection.execute(given.group_by("office", "day", "clearance")).all()
        return _by_kind([tuple(row) for row in rows])

    def record(
        self, decisions: Decisions, rows: Rows, consignments: Consignments, *, archived: bool = False
    ) -> Decisions:
        """Write everything down durably and give back what is on record.

        A version that was decided before with the same content keeps its first decision; with another content the
        whole message is refused with Conflict and nothing is written.
        """
        declared = declarations_of(consignments)
        with self.store.writing() as connection:
            known = _known(connection, declared)
            _refuse_changed(declared, known)
            stored = _stored(connection, [_key(d) for d in declared if _key(d) in known])
            new = [i for i, d in enumerate(declared) if _key(d) not in stored]
            fresh = [i for i in new if _key(declared[i]) not in known]
            if fresh:
                connection.execute(sa.insert(DECLARATIONS), [declared[i] | {"archived": archived} for i in fresh])
                _post_waiting(self.store, connection, [declared[i] for i in fresh])
                chosen = consignments if len(fresh) == len(declared) else consignments.where(pl.col("row").is_in(fresh))
                post(self.store, connection, facts_of(chosen))
            if new:
                scored = rows.frame.drop("row").to_dicts()
                connection.execute(sa.insert(DECISIONS), [_record(decisions.rows[i], scored[i]) for i in new])
        replayed = bool(declared) and not new
        kept = [stored.get(_key(d)) or row for d, row in zip(declared, decisions.rows, strict=True)]
        return replace(decisions, rows=kept, replayed=replayed)

    def remember(self, consignments: Consignments) -> int:
        """Post the facts of consignments that the archive keeps and nobody decided; how many were new."""
        declared = declarations_of(consignments, with_body=False)
        with self.store.writing() as connection:
            known = _known(connection, declared)
            _refuse_changed(declared, known)
            fresh = [i for i, d in enumerate(declared) if _key(d) not in known]
            if fresh:
                connection.execute(sa.insert(DECLARATIONS), [declared[i] | {"archived": True} for i in fresh])
                _post_waiting(self.store, connection, [declared[i] for i in fresh])
                post(self.store, connection, facts_of(consignments.where(pl.col("row").is_in(fresh))))
        return len(fresh)

    def learn(self, outcomes: pl.DataFrame, *, archived: bool = False) -> Received:
        """Record inspection results (OUTCOME_COLUMNS) and post their facts; the same result twice counts once."""
        listed = [_outcome(row) for row in outcomes.select(pl.exclude("line")).to_dicts()]
        by_id = {outcome["outcome_id"]: outcome for outcome in listed}
        with self.store.writing() as connection:
            there = _existing(connection, OUTCOMES.c.outcome_id, list(by_id))
            new = [outcome for key, outcome in by_id.items() if key not in there]
            entities = _entities(connection, {outcome["consignment_id"] for outcome in new})
            for outcome in new:
                outcome |= {"posted": outcome["consignment_id"] in entities, "archived": archived}
            if new:
                connection.execute(sa.insert(OUTCOMES), new)
                post(self.store, connection, _facts_of(new, entities))
        unknown = sum(not outcome["posted"] for outcome in new)
        return Received(len(new), len(listed) - len(new), unknown)

    def unarchived(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Declarations and outcomes that came by a call and that the archive does not keep yet."""
        declared = sa.select(DECLARATIONS.c.body).where(~DECLARATIONS.c.archived)
        outcomes = sa.select(OUTCOMES.c.body).where(~OUTCOMES.c.archived)
        with self.store.reading() as connection:
            return list(connection.execute(declared).scalars()), list(connection.execute(outcomes).scalars())

    def mark_archived(self, declared: Sequence[dict[str, Any]], outcomes: Sequence[dict[str, Any]]) -> None:
        """Note that the archive keeps these now."""
        with self.store.writing() as connection:
            for body in declared:
                same = [DECLARATIONS.c[name] == body[name] for name in VERSION_KEY]
                connection.execute(sa.update(DECLARATIONS).where(*same).values(archived=True))
            ids = [_outcome_id(body) for body in outcomes]
            for some in _some(ids):
                connection.execute(sa.update(OUTCOMES).where(OUTCOMES.c.outcome_id.in_(some)).values(archived=True))

    def decisions_on(self, consignment_id: str) -> list[dict[str, Any]]:
        """All decisions on a consignment, newest first."""
        query = sa.select(DECISIONS.c.body).where(DECISIONS.c.consignment_id == consignment_id)
        with self.store.reading() as connection:
            found = connection.execute(query.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.version.desc()))
            return [dict(row[0]) for row in found]

    def decided(self, first: date, last: date) -> pl.DataFrame:
        """The last decision on each consignment lodged from `first` to `last` (SUMMARY columns), by day."""
        body, own = DECISIONS.c.body, [DECISIONS.c[name] for name in ("consignment_id", "day", "risk", "clearance")]
        told = [body["selection"].as_string(), body["mode"].as_string(), body["selection_probability"].as_float()]
        since, until = ((day - EPOCH.date()).days for day in (first, last))
        query = sa.select(*own, *told).where(DECISIONS.c.day >= since, DECISIONS.c.day <= until)
        with self.store.reading() as connection:
            found = connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.version)).all()
        frame = pl.DataFrame([tuple(row) for row in found], schema=SUMMARY, orient="row")
        last_ones = frame.unique("consignment_id", keep="last", maintain_order=True)
        return last_ones.with_columns(pl.col("day").cast(pl.Date)).sort("day", maintain_order=True)

    def rows_as_scored(self, day: date, at_most: int) -> pl.DataFrame:
        """The model rows of so many decisions on what was lodged that day, with `consignment_id`; any so many.

        An identifier of a decision is a hash, so that the first ones of a day are as good as drawn by chance.
        """
        own = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.row_as_scored)
        query = own.where(DECISIONS.c.day == (day - EPOCH.date()).days).order_by(DECISIONS.c.decision_id)
        with self.store.reading() as connection:
            found = connection.execute(query.limit(at_most)).all()
        rows = [{"consignment_id": consignment_id, **row} for consignment_id, row in found]
        return pl.DataFrame(rows, infer_schema_length=None)


def declarations_of(consignments: Consignments, *, with_body: bool = True) -> list[dict[str, Any]]:
    """One record a consignment version: its key, the hash of its content, its entities, and the declaration."""
    goods = consignments.goods.select(c.name for c in GOODS_COLUMNS)
    lines: list[list[dict[str, Any]]] = [[] for _ in range(len(consignments))]
    for row, line in zip(consignments.goods["row"], goods.to_dicts(), strict=True):
        lines[row].append(line)
    level = [c.name for c in CONSIGNMENT_COLUMNS] + [c for c in consignments.frame.columns if c.startswith(EXTRA)]
    keys = [key.column for key in KEYS]
    return [
        _declaration(declared, entities, of_row, with_body)
        for declared, entities, of_row in zip(
            consignments.frame.select(level).to_dicts(), consignments.frame.select(keys).to_dicts(), lines, strict=True
        )
    ]


def _declaration(
    declared: dict[str, Any], entities: dict[str, Any], lines: list[dict[str, Any]], with_body: bool
) -> dict[str, Any]:
    lodged_at: datetime = declared["lodged_at"]
    body = {**{k: v for k, v in declared.items() if v is not None}, "lodged_at": iso(lodged_at)}
    body["goods"] = [{k: v for k, v in line.items() if v is not None} for line in lines]
    content = json.dumps(body, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return {
        **{name: declared[name] for name in VERSION_KEY},
        "lodged_at": _micros(lodged_at),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "entities": entities,
        "body": body if with_body else None,
    }


def _key(declared: dict[str, Any]) -> Key:
    return declared["message_id"], declared["consignment_id"], declared["version"]


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _some(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def _known(connection: sa.Connection, declared: Sequence[dict[str, Any]]) -> dict[Key, str]:
    """The content hashes on record of these versions."""
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.content_sha256]
    found: dict[Key, str] = {}
    for some in _some(sorted({d["consignment_id"] for d in declared})):
        for row in connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(some))):
            found[row[0], row[1], row[2]] = row[3]
    return found


def _refuse_changed(declared: Sequence[dict[str, Any]], known: dict[Key, str]) -> None:
    changed = [d for d in declared if known.get(_key(d), d["content_sha256"]) != d["content_sha256"]]
    if changed:
        raise Conflict([d["consignment_id"] for d in changed])


def _stored(connection: sa.Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """Decisions on record for these versions, in their written form."""
    columns = [*(DECISIONS.c[name] for name in VERSION_KEY), DECISIONS.c.body]
    found: dict[Key, dict[str, Any]] = {}
    for some in _some(sorted({key[1] for key in keys})):
        for row in connection.execute(sa.select(*columns).where(DECISIONS.c.consignment_id.in_(some))):
            found[row[0], row[1], row[2]] = row[3]
    return found


def _record(decision: dict[str, Any], scored: dict[str, Any]) -> dict[str, Any]:
    lodged_at: datetime = decision["lodged_at"]
    return {
        **{name: decision[name] for name in ("decision_id", *VERSION_KEY, "clearance", "risk")},
        "decided_at": _micros(decision["decided_at"]),
        "office": decision["office"] or "unknown",
        "day": (lodged_at.date() - EPOCH.date()).days,
        "body": written(decision),
        "row_as_scored": scored,
    }


def _by_kind(given: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = {"red": "physical", "yellow": "documents", "blue": "audit"}
    schema = {"office": pl.String, "day": pl.Int64, "clearance": pl.String, "n": pl.Int64}
    counted = pl.DataFrame(given, schema=schema, orient="row")
    return (
        counted.with_columns(pl.col("day").cast(pl.Int32).cast(pl.Date))
        .group_by("office", "day")
        .agg(pl.col("n").filter(pl.col("clearance") == lane).sum().alias(kind) for lane, kind in kinds.items())
    )


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    known_at: datetime = row["known_at"]
    body = {name: value for name, value in row.items() if value is not None} | {"known_at": iso(known_at)}
    return {
        "outcome_id": _outcome_id(body),
        "consignment_id": row["consignment_id"],
        "known_at": _micros(known_at),
        "body": body,
    }


def _outcome_id(body: dict[str, Any]) -> str:
    content = json.dumps(body, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return hashlib.sha256(content).hexdigest()


def _existing(connection: sa.Connection, column: sa.Column[str], values: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in _some(values):
        found.update(connection.execute(sa.select(column).where(column.in_(some))).scalars())
    return found


def _entities(connection: sa.Connection, consignment_ids: set[str]) -> dict[str, dict[str, int | None]]:
    """The entities of consignments on record, of their latest version."""
    query = sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.entities)
    found: dict[str, dict[str, int | None]] = {}
    for some in _some(sorted(consignment_ids)):
        rows = connection.execute(query.where(DECLARATIONS.c.consignment_id.in_(some)).order_by(DECLARATIONS.c.version))
        found.update((row[0], row[1]) for row in rows)
    return found


def _post_waiting(store: Store, connection: sa.Connection, declared: Sequence[dict[str, Any]]) -> None:
    """Post the facts of outcomes that came before their consignment, now that its entities are known."""
    entities = {d["consignment_id"]: d["entities"] for d in declared}
    waiting: list[dict[str, Any]] = []
    for some in _some(sorted(entities)):
        query = sa.select(OUTCOMES).where(~OUTCOMES.c.posted, OUTCOMES.c.consignment_id.in_(some))
        waiting += [{**row, "posted": True} for row in connection.execute(query).mappings()]
    if waiting:
        ids = [outcome["outcome_id"] for outcome in waiting]
        for some in _some(ids):
            connection.execute(sa.update(OUTCOMES).where(OUTCOMES.c.outcome_id.in_(some)).values(posted=True))
        post(store, connection, _facts_of(waiting, entities))


def _facts_of(outcomes: Sequence[dict[str, Any]], entities: dict[str, dict[str, int | None]]) -> pl.DataFrame:
    rows = [
        {"known_at": o["known_at"], "result": o["body"]["result"], **entities[o["consignment_id"]]}
        for o in outcomes
        if o["posted"]
    ]
    schema = {"known_at": pl.Int64, "result": pl.String, **{key.column: pl.Int64 for key in KEYS}}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return facts_of_outcomes(frame.with_columns(pl.col("known_at").cast(pl.Datetime("us", "UTC"))))
