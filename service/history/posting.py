"""Facts into the store, in the caller's transaction: what consignments and results add to those posted before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import orjson
import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, VERSION_KEY
from features.history.fact_columns import NO_FACTS, Facts, Versions, fact_delta, facts_sighted, facts_stated
from features.history.fact_list import RESULT_COLUMNS
from features.history.facts import DECLARATION_FACTS, ENTITIES, Integers, attributed, facts_of_outcomes
from features.history.running_totals import running_totals
from service.history.recent_rows import raise_rows
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store
from service.store.driver import Prepared, Row, among, driver_rows
from service.store.queries import change_states, counted_on, in_lists
from service.store.segment_files import LOW, Part, Segment
from service.store.settled_rows import declared_of
from service.store.store_key import pseudonyms_in
from service.store.tables import DECLARATIONS, ERASED, OUTCOMES, SEGMENTS

HISTORY_AS_OF = "history_as_of"  # microseconds of the latest fact
EDITION = "edition"  # counts the changes of the rows
WAITING_AT_ONCE = 5_000  # consignments whose facts are posted in one transaction
LISTED = "SELECT segment_id, level, CAST(parts AS TEXT) FROM segments ORDER BY segment_id"
MANY = 20_000  # facts; so many are written as a segment, fewer as rows
KEYS = pl.Schema(dict(zip(VERSION_KEY, (pl.String(), pl.String(), pl.Int64()), strict=True)))
RESULTS = pl.Schema(
    {
        "outcome_id": pl.String(),
        "consignment_id": pl.String(),
        "known_at": TIME,
        "posted": pl.Boolean(),
        **{column.name: column.dtype for column in RESULT_COLUMNS},
    }
)
ON_RECORD = (*VERSION_KEY, "lodged_at", "stated")
OF_THESE = sa.select(*(DECLARATIONS.c[name] for name in ON_RECORD)).where(among(DECLARATIONS.c.consignment_id))
POSTED = Prepared(OF_THESE.where(DECLARATIONS.c.posted.is_(True)))
BY_POSTED = {None: Prepared(OF_THESE), True: POSTED, False: Prepared(OF_THESE.where(DECLARATIONS.c.posted.is_(False)))}
NAMED = sa.select(DECLARATIONS.c.consignment_id).where(among(DECLARATIONS.c.consignment_id))
FORGOTTEN = Prepared(NAMED.where(DECLARATIONS.c.stated.is_(sa.null())))
LEARNED = Prepared(sa.select(OUTCOMES).where(among(OUTCOMES.c.consignment_id)))
WITH_RESULTS = Prepared(sa.select(OUTCOMES.c.consignment_id).where(among(OUTCOMES.c.consignment_id)))


class SeenReader(Protocol):
    """A history that knows when an entity was named first."""

    def first_seen(self, entities: Integers) -> Integers:
        """Return the earliest moment that a version named each entity, NEVER where none did."""
        ...


@dataclass(frozen=True, slots=True)
class FactsAhead:
    """Facts that versions state, in a file that no list names yet. latest: the moment of the last one, microseconds."""

    segment: Segment
    latest: int

    def list(self, connection: sa.Connection) -> None:
        """Let them count."""
        list_segment(connection, self.segment)
        _advance(connection, self.latest)


def write_ahead(store: Store, versions: Versions) -> FactsAhead | None:
    """Write what versions state to a file before the transaction that posts it; None where that is little.

    A file that is not listed after all counts for nothing, and is deleted as a stray.
    """
    if not store.segments.usable or len(versions) < MANY // len(ENTITIES):
        return None
    facts = facts_stated(versions)
    if len(facts) < MANY:
        return None
    return FactsAhead(_written(store, _keyed(store, facts)), int(facts.known_at.max()))


def _keyed(store: Store, facts: Facts) -> Facts:
    return Facts(store.pseudonyms.keyed(facts.entity), facts.known_at, facts.amounts)


def _written(store: Store, keyed: Facts) -> Segment:
    return store.segments.write([(LOW, running_totals(keyed.frame()))], level=0)


def _advance(connection: sa.Connection, latest: int, **changes: Callable[[int | None], int]) -> None:
    """Note the moment of the latest fact, and other changes of states."""
    as_of = {HISTORY_AS_OF: lambda before: latest if before is None else max(latest, before)}
    change_states(connection, as_of | changes)


def post(store: Store, connection: sa.Connection, added: Facts | pl.DataFrame) -> None:
    """Add facts (or a frame, FACT_SCHEMA) to the history, keyed: many as a segment of their own, few to the rows."""
    if not len(added):
        return
    facts = added if isinstance(added, Facts) else Facts.of_frame(added)
    latest = int(facts.known_at.max())
    changes: dict[str, Callable[[int | None], int]] = {}
    keyed = _keyed(store, facts)
    if store.segments.usable and len(facts) >= MANY:
        list_segment(connection, _written(store, keyed))
    else:
        raise_rows(connection, keyed)
        changes[EDITION] = counted_on
    _advance(connection, latest, **changes)


def facts_beside(
    connection: sa.Connection, versions: Versions, history: SeenReader, ahead: FactsAhead | None
) -> tuple[Facts, FactsAhead | None]:
    """Return the facts that versions are less what has been posted, without those that a file holds ahead, and it.

    The file is left out where anything has been posted of their consignments: it holds what all of them state.
    """
    if ahead is None or _on_record(connection, list(dict.fromkeys(versions.consignment_id)), POSTED):
        return facts_unposted(connection, versions, history), None
    return facts_sighted(versions, history.first_seen), ahead


def facts_unposted(connection: sa.Connection, versions: Versions, history: SeenReader) -> Facts:
    """Return the facts that versions are, less what has been posted of them and of others of their consignments."""
    ids = list(dict.fromkeys(versions.consignment_id))
    posted = _on_record(connection, ids, POSTED)
    if not posted:
        return _added(versions, None, history)
    before_ids = list(dict.fromkeys(row[1] for row in posted))
    before, erased = _as_versions(connection, posted), set(_forgotten(connection, before_ids))
    known, keys = set(before.keys()), versions.keys()
    fresh = [place for place, key in enumerate(keys) if key not in known and key[1] not in erased]
    return _added(versions.where(fresh), before, history)


def _added(fresh: Versions, posted: Versions | None, history: SeenReader) -> Facts:
    """Return what versions add to the facts posted of other versions of the same consignments."""
    sighted = facts_sighted(fresh, history.first_seen)
    if posted is None:
        return Facts.end_to_end([facts_stated(fresh), sighted])
    before, after = (
        set(posted.consignment_id),
        set(fresh.consignment_id),
    )  # few are amended: what is compared takes room
    amended = fresh.where([place for place, name in enumerate(fresh.consignment_id) if name in before])
    new = fresh.where([place for place, name in enumerate(fresh.consignment_id) if name not in before])
    touched = posted.where([place for place, name in enumerate(posted.consignment_id) if name in after])
    more = fact_delta(facts_stated(Versions.end_to_end([touched, amended])), facts_stated(touched))
    return Facts.end_to_end([facts_stated(new), more, sighted])


def catch_up(store: Store, connection: sa.Connection, history: SeenReader) -> int:
    """Post the facts that waited while history could not be read; return how many declarations waited."""
    waiting = sa.select(DECLARATIONS.c.consignment_id).where(~DECLARATIONS.c.posted).distinct().limit(WAITING_AT_ONCE)
    ids = list(connection.execute(waiting).scalars())
    if not ids:
        return 0
    fresh = _on_record_as_versions(connection, ids, posted=False)
    posted = _on_record_as_versions(connection, ids, posted=True)
    post(store, connection, _added(fresh, posted, history))
    for part in in_lists(ids):
        these = DECLARATIONS.c.consignment_id.in_(part)
        update_rows(connection, DECLARATIONS, {"posted": True}, these)
        forget_stated(connection, these)
    return len(fresh)


def forget_stated(connection: sa.Connection, these: sa.ColumnElement[bool]) -> None:
    """Take from erased declarations what their facts were made of, unless these wait to be posted."""
    erased = (DECLARATIONS.c.content_sha256 == ERASED, DECLARATIONS.c.posted)
    update_rows(connection, DECLARATIONS, {"stated": sa.null(), "card": sa.null()}, these, *erased)


def versions_on_record(
    connection: sa.Connection, consignment_ids: Sequence[str], *, posted: bool | None = None
) -> pl.DataFrame:
    """Read what is on record of these consignments as a frame: all versions, or those with facts posted, or waiting.

    Once a version was erased, what the consignment posted cannot be taken back: none of its versions states anything.
    """
    return _on_record_as_versions(connection, consignment_ids, posted=posted).frame()


def _on_record_as_versions(
    connection: sa.Connection, consignment_ids: Sequence[str], *, posted: bool | None
) -> Versions:
    forgotten = _forgotten(connection, consignment_ids) if posted is False else ()
    return _as_versions(connection, _on_record(connection, consignment_ids, BY_POSTED[posted]), forgotten)


def _on_record(connection: sa.Connection, consignment_ids: Sequence[str], which: Prepared) -> list[Row]:
    rows = [row for part in in_lists(consignment_ids) for row in which.rows(connection, among=part)]
    if which is POSTED or which is BY_POSTED[None]:  # what stands in files is posted
        rows += [tuple(row.values()) for row in declared_of(connection, ON_RECORD, consignment_ids)]
    return rows


def _as_versions(connection: sa.Connection, found: Sequence[Row], forgotten: Sequence[str] = ()) -> Versions:
    """Return what was found on record; forgotten: of these consignments too, no version states anything."""
    erased = {row[1] for row in found if row[-1] is None}.union(forgotten)
    stated: list[Mapping[str, Any]] = [{} if row[1] in erased else row[-1] for row in found]
    entities = pseudonyms_in(connection).plain_list(of.get(name) for name in ENTITIES for of in stated)
    of_each = len(ENTITIES), len(found)
    amounts = [of.get(fact) or 0 for fact in DECLARATION_FACTS for of in stated]  # a fact may be younger than the row
    return Versions(
        [row[0] for row in found],
        [row[1] for row in found],
        np.array([row[2] for row in found], np.int64),
        np.array([row[3] for row in found], np.int64),
        np.array([entity or 0 for entity in entities], np.int64).reshape(of_each),
        np.array([entity is not None for entity in entities], np.bool_).reshape(of_each),
        np.array(amounts, np.int64).reshape(len(DECLARATION_FACTS), len(found)),
    )


def _forgotten(connection: sa.Connection, consignment_ids: Sequence[str]) -> list[str]:
    """Choose the consignments of which an erasure took what facts were made of: their sums stay as they are."""
    return sorted({name for (name,) in _on_record(connection, consignment_ids, FORGOTTEN)})


def facts_reattributed(connection: sa.Connection, fresh: Sequence[tuple[str, str, int]]) -> Facts:
    """Return the facts that results on record add, now that versions (VERSION_KEY) are on record that were not.

    A result that came before its consignment posts its facts now; one posted to the version before an amendment that
    comes late moves to the version that was inspected. The results are marked as posted.
    """
    ids = list(dict.fromkeys(key[1] for key in fresh))
    if not _on_record(connection, ids, WITH_RESULTS):
        return NO_FACTS
    results = results_on_record(connection, ids)
    versions = versions_on_record(connection, results["consignment_id"].unique().to_list())
    fresh_ones = pl.DataFrame(fresh, schema=KEYS, orient="row")
    before = versions.join(fresh_ones, on=VERSION_KEY, how="anti")
    posted = attributed(results.filter("posted"), before)
    waiting = results.filter(~pl.col("posted"))["outcome_id"].to_list()
    for part in in_lists(waiting):
        update_rows(connection, OUTCOMES, {"posted": True}, OUTCOMES.c.outcome_id.in_(part))
    now, then = (facts_of_outcomes(of) for of in (attributed(results, versions), posted))
    return fact_delta(Facts.of_frame(now), Facts.of_frame(then))


def results_on_record(connection: sa.Connection, consignment_ids: Sequence[str]) -> pl.DataFrame:
    """Read the control results on record of these consignments (RESULTS)."""
    names = OUTCOMES.c.keys()
    return results_of([dict(zip(names, row, strict=True)) for row in _on_record(connection, consignment_ids, LEARNED)])


def results_of(outcomes: Sequence[Any]) -> pl.DataFrame:
    """Bring rows of the table of outcomes into a frame (RESULTS)."""
    rows = [{**outcome, **{c.name: outcome["body"].get(c.name) for c in RESULT_COLUMNS}} for outcome in outcomes]
    return pl.DataFrame(rows, schema={**RESULTS, "known_at": pl.Int64}).cast({"known_at": TIME})


def segments_listed(connection: sa.Connection) -> list[Segment]:
    """List the segments that count, in a stable order."""
    return [_segment(*row) for row in driver_rows(connection, LISTED)]


@lru_cache(4_096)
def _segment(segment_id: str, level: int, parts: str) -> Segment:
    """Return a segment as it is listed; what a segment is never changes."""
    return Segment(segment_id, level, tuple(Part(**part) for part in orjson.loads(parts)))


def list_segment(connection: sa.Connection, segment: Segment) -> None:
    """Let a segment that is written count from the end of this transaction on."""
    row = {"segment_id": segment.segment_id, "level": segment.level, "parts": segment.as_json()}
    insert_many(connection, SEGMENTS, [row])
