"""Facts into the store, in the caller's transaction: what consignments and results add to those posted before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, VERSION_KEY, Consignments
from features.history.running_totals import running_totals
from features.history.totals import TotalsReader, first_seen
from service.store.database import Store
from service.store.segment_files import LOW, Part, Segment
from service.store.store_key import pseudonyms_in
from service.store.tables import DECLARATIONS, ERASED, OUTCOMES, SEGMENTS
from tests.oracle.record.bulk_rows import insert_many, update_rows
from tests.oracle.record.driver import driver_rows
from tests.oracle.record.fact_list import RESULT_COLUMNS
from tests.oracle.record.facts import (
    DECLARATION_FACTS,
    ENTITIES,
    FACT_SCHEMA,
    attributed,
    fact_delta,
    facts_of_outcomes,
    facts_sighted,
    facts_stated,
    stated,
)
from tests.oracle.record.queries import in_lists, set_state, state_of
from tests.oracle.record.recent_rows import raise_rows

HISTORY_AS_OF = "history_as_of"  # microseconds of the latest fact
EDITION = "edition"  # counts the changes of the rows
WAITING_AT_ONCE = 5_000  # consignments whose facts are posted in one transaction
LISTED = "SELECT segment_id, level, CAST(parts AS TEXT) FROM segments ORDER BY segment_id"
MANY = 20_000  # facts; so many are written as a segment, fewer as rows
VERSIONS = pl.Schema(
    {
        "message_id": pl.String(),
        "consignment_id": pl.String(),
        "version": pl.Int64(),
        "lodged_at": TIME,
        **dict.fromkeys((*ENTITIES, *DECLARATION_FACTS), pl.Int64()),
    }
)
RESULTS = pl.Schema(
    {
        "outcome_id": pl.String(),
        "consignment_id": pl.String(),
        "known_at": TIME,
        "posted": pl.Boolean(),
        **{column.name: column.dtype for column in RESULT_COLUMNS},
    }
)


def post(store: Store, connection: sa.Connection, facts: pl.DataFrame) -> None:
    """Add facts (FACT_SCHEMA) to the history, their entities keyed: many as a segment of their own, few to the rows."""
    if facts.is_empty():
        return
    facts = store.pseudonyms.keyed_columns(facts, "entity")
    if store.segments.usable and facts.height >= MANY:
        list_segment(connection, store.segments.write([(LOW, running_totals(facts))], level=0))
    else:
        raise_rows(connection, facts)
        set_state(connection, EDITION, (state_of(connection, EDITION) or 0) + 1)
    latest = int(facts["known_at"].dt.epoch("us").max())  # type: ignore[arg-type]
    before = state_of(connection, HISTORY_AS_OF)
    set_state(connection, HISTORY_AS_OF, latest if before is None else max(latest, before))


def facts_unposted(connection: sa.Connection, consignments: Consignments, history: TotalsReader) -> pl.DataFrame:
    """Return the facts that consignments are, less what has been posted of them and of their other versions."""
    versions = stated(consignments)
    posted = versions_on_record(connection, versions["consignment_id"].unique().to_list(), posted=True)
    if posted.is_empty():
        return _added(versions, posted, history)
    erased = pl.col("consignment_id").is_in(_forgotten(connection, posted["consignment_id"].unique().to_list()))
    return _added(versions.join(posted, on=VERSION_KEY, how="anti").filter(~erased), posted, history)


def _added(fresh: pl.DataFrame, posted: pl.DataFrame, history: TotalsReader) -> pl.DataFrame:
    """Return what versions add to the facts posted of other versions of the same consignments."""
    sighted = facts_sighted(fresh, partial(first_seen, history))
    if posted.is_empty():
        return pl.concat([facts_stated(fresh), sighted])
    amended = fresh.join(posted, on="consignment_id", how="semi")  # few: what is compared takes room
    new = fresh.join(posted, on="consignment_id", how="anti")
    touched = posted.join(amended, on="consignment_id", how="semi")
    more = fact_delta(facts_stated(pl.concat([touched, amended])), facts_stated(touched))
    return pl.concat([facts_stated(new), more.match_to_schema(FACT_SCHEMA), sighted])


def catch_up(store: Store, connection: sa.Connection, history: TotalsReader) -> int:
    """Post the facts that waited while history could not be read; return how many declarations waited."""
    waiting = sa.select(DECLARATIONS.c.consignment_id).where(~DECLARATIONS.c.posted).distinct().limit(WAITING_AT_ONCE)
    ids = list(connection.execute(waiting).scalars())
    if not ids:
        return 0
    fresh = versions_on_record(connection, ids, posted=False)
    post(store, connection, _added(fresh, versions_on_record(connection, ids, posted=True), history))
    for part in in_lists(ids):
        these = DECLARATIONS.c.consignment_id.in_(part)
        update_rows(connection, DECLARATIONS, {"posted": True}, these)
        forget_stated(connection, these)
    return fresh.height


def forget_stated(connection: sa.Connection, these: sa.ColumnElement[bool]) -> None:
    """Take from erased declarations what their facts were made of, unless these wait to be posted."""
    erased = (DECLARATIONS.c.content_sha256 == ERASED, DECLARATIONS.c.posted)
    update_rows(connection, DECLARATIONS, {"stated": sa.null()}, these, *erased)


def versions_on_record(
    connection: sa.Connection, consignment_ids: Sequence[str], *, posted: bool | None = None
) -> pl.DataFrame:
    """Read what is on record of these consignments (VERSIONS): all versions, or those with facts posted, or waiting.

    Once a version was erased, what the consignment posted cannot be taken back: none of its versions states anything.
    """
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.lodged_at, DECLARATIONS.c.stated]
    which = [] if posted is None else [DECLARATIONS.c.posted.is_(posted)]
    found: list[dict[str, Any]] = []
    for part in in_lists(consignment_ids):
        rows = connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(part), *which))
        found += [dict(row) for row in rows.mappings()]
    erased = {row["consignment_id"] for row in found if row["stated"] is None}
    if posted is False:
        erased |= set(_forgotten(connection, consignment_ids))
    found = [row if row["consignment_id"] in erased else {**row, **row["stated"]} for row in found]
    versions = pl.DataFrame(found, schema={**VERSIONS, "lodged_at": pl.Int64}).cast({"lodged_at": TIME})
    versions = pseudonyms_in(connection).plain_columns(versions, *ENTITIES)
    return versions.with_columns(pl.col(DECLARATION_FACTS).fill_null(0))  # a fact that is younger than the row


def _forgotten(connection: sa.Connection, consignment_ids: Sequence[str]) -> list[str]:
    """Choose the consignments of which an erasure took what facts were made of: their sums stay as they are."""
    found: set[str] = set()
    for part in in_lists(consignment_ids):
        erased = (DECLARATIONS.c.consignment_id.in_(part), DECLARATIONS.c.stated.is_(sa.null()))
        found.update(connection.execute(sa.select(DECLARATIONS.c.consignment_id).where(*erased)).scalars())
    return sorted(found)


def facts_reattributed(connection: sa.Connection, fresh: pl.DataFrame) -> pl.DataFrame:
    """Return the facts that results on record add, now that versions (VERSION_KEY) are on record that were not.

    A result that came before its consignment posts its facts now; one posted to the version before an amendment that
    comes late moves to the version that was inspected. The results are marked as posted.
    """
    ids = fresh["consignment_id"].unique().to_list()
    results = results_on_record(connection, ids)
    if results.is_empty():
        return FACT_SCHEMA.to_frame()
    versions = versions_on_record(connection, results["consignment_id"].unique().to_list())
    before = versions.join(fresh, on=VERSION_KEY, how="anti")
    posted = attributed(results.filter("posted"), before)
    waiting = results.filter(~pl.col("posted"))["outcome_id"].to_list()
    for part in in_lists(waiting):
        update_rows(connection, OUTCOMES, {"posted": True}, OUTCOMES.c.outcome_id.in_(part))
    more = fact_delta(facts_of_outcomes(attributed(results, versions)), facts_of_outcomes(posted))
    return more.match_to_schema(FACT_SCHEMA)


def results_on_record(connection: sa.Connection, consignment_ids: Sequence[str]) -> pl.DataFrame:
    """Read the control results on record of these consignments (RESULTS)."""
    found: list[Any] = []
    for part in in_lists(consignment_ids):
        found += connection.execute(sa.select(OUTCOMES).where(OUTCOMES.c.consignment_id.in_(part))).mappings()
    return results_of(found)


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
