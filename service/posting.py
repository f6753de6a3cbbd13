"""Facts into the store, in the caller's transaction: what consignments and results add to those posted before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, VERSION_KEY, Consignments
from features.facts import (
    ENTITIES,
    FACT_SCHEMA,
    STATED,
    attributed,
    facts_of_outcomes,
    facts_sighted,
    facts_stated,
    less,
    stated,
)
from features.history import Totalled, first_seen, running_totals
from service.bulk import upsert_many
from service.rows import raise_rows
from service.segments import LOW, Part, Segment
from service.store import AT_ONCE, Store
from service.tables import DECLARATIONS, OUTCOMES, SEGMENTS, STATE

HISTORY_AS_OF = "history_as_of"  # microseconds of the latest fact
EDITION = "edition"  # counts the changes of the rows
WAITING_AT_ONCE = 5_000  # consignments whose facts are posted in one transaction
MANY = 20_000  # facts; so many are written as a segment, fewer as rows
VALUE = sa.select(STATE.c.value).where(STATE.c.name == sa.bindparam("called"))
VERSIONS = pl.Schema(
    {
        "message_id": pl.String(),
        "consignment_id": pl.String(),
        "version": pl.Int64(),
        "lodged_at": TIME,
        **dict.fromkeys((*ENTITIES, *STATED), pl.Int64()),
    }
)
RESULTS = pl.Schema(
    {
        "outcome_id": pl.String(),
        "consignment_id": pl.String(),
        "known_at": TIME,
        "posted": pl.Boolean(),
        "result": pl.String(),
        "findings": pl.String(),
        "criminal_link": pl.String(),
    }
)


def post(store: Store, connection: sa.Connection, facts: pl.DataFrame) -> None:
    """Add facts (FACT_SCHEMA) to the history: many as a segment of their own, few to the rows."""
    if facts.is_empty():
        return
    if store.segments.usable and facts.height >= MANY:
        list_segment(connection, store.segments.write([(LOW, running_totals(facts))], level=0))
    else:
        raise_rows(connection, facts)
        set_state(connection, EDITION, (state_of(connection, EDITION) or 0) + 1)
    latest = int(facts["known_at"].dt.epoch("us").max())  # type: ignore[arg-type]
    before = state_of(connection, HISTORY_AS_OF)
    set_state(connection, HISTORY_AS_OF, latest if before is None else max(latest, before))


def facts_unposted(connection: sa.Connection, consignments: Consignments, history: Totalled) -> pl.DataFrame:
    """The facts that consignments are, less what has been posted of them and of their other versions."""
    versions = stated(consignments)
    posted = versions_on_record(connection, versions["consignment_id"].unique().to_list(), posted=True)
    fresh = versions if posted.is_empty() else versions.join(posted, on=VERSION_KEY, how="anti")
    return _added(fresh, posted, history)


def _added(fresh: pl.DataFrame, posted: pl.DataFrame, history: Totalled) -> pl.DataFrame:
    """What versions add to the facts posted of other versions of the same consignments."""
    sighted = facts_sighted(fresh, partial(first_seen, history))
    if posted.is_empty():
        return pl.concat([facts_stated(fresh), sighted])
    amended = fresh.join(posted, on="consignment_id", how="semi")  # few: what is compared takes room
    new = fresh.join(posted, on="consignment_id", how="anti")
    touched = posted.join(amended, on="consignment_id", how="semi")
    more = less(facts_stated(pl.concat([touched, amended])), facts_stated(touched))
    return pl.concat([facts_stated(new), more.match_to_schema(FACT_SCHEMA), sighted])


def catch_up(store: Store, connection: sa.Connection, history: Totalled) -> int:
    """Post the facts that waited while history could not be read; how many declarations waited."""
    waiting = sa.select(DECLARATIONS.c.consignment_id).where(~DECLARATIONS.c.posted).distinct().limit(WAITING_AT_ONCE)
    ids = list(connection.execute(waiting).scalars())
    if not ids:
        return 0
    fresh = versions_on_record(connection, ids, posted=False)
    post(store, connection, _added(fresh, versions_on_record(connection, ids, posted=True), history))
    for some in in_lists(ids):
        connection.execute(sa.update(DECLARATIONS).where(DECLARATIONS.c.consignment_id.in_(some)).values(posted=True))
    return fresh.height


def versions_on_record(
    connection: sa.Connection, consignment_ids: Sequence[str], *, posted: bool | None = None
) -> pl.DataFrame:
    """What is on record of these consignments (VERSIONS): all versions, or those whose facts are posted, or wait."""
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.lodged_at, DECLARATIONS.c.stated]
    which = [] if posted is None else [DECLARATIONS.c.posted.is_(posted)]
    found: list[dict[str, Any]] = []
    for some in in_lists(consignment_ids):
        rows = connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(some), *which))
        found += [{**row, **row["stated"]} for row in rows.mappings()]
    return pl.DataFrame(found, schema={**VERSIONS, "lodged_at": pl.Int64}).cast({"lodged_at": TIME})


def facts_reattributed(connection: sa.Connection, fresh: pl.DataFrame) -> pl.DataFrame:
    """What results on record become facts of, now that versions (VERSION_KEY) are on record that were not.

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
    for some in in_lists(waiting):
        connection.execute(sa.update(OUTCOMES).where(OUTCOMES.c.outcome_id.in_(some)).values(posted=True))
    more = less(facts_of_outcomes(attributed(results, versions)), facts_of_outcomes(posted))
    return more.match_to_schema(FACT_SCHEMA)


def results_on_record(connection: sa.Connection, consignment_ids: Sequence[str]) -> pl.DataFrame:
    """The inspection results on record of these consignments (RESULTS)."""
    found: list[Any] = []
    for some in in_lists(consignment_ids):
        found += connection.execute(sa.select(OUTCOMES).where(OUTCOMES.c.consignment_id.in_(some))).mappings()
    return results_of(found)


def results_of(outcomes: Sequence[Any]) -> pl.DataFrame:
    """Rows of the table of outcomes as a frame (RESULTS)."""
    said = ("result", "findings", "criminal_link")
    told = [{**outcome, **{name: outcome["body"].get(name) for name in said}} for outcome in outcomes]
    return pl.DataFrame(told, schema={**RESULTS, "known_at": pl.Int64}).cast({"known_at": TIME})


def in_lists(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """So many values as one IN list may hold."""
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def already(connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any]) -> set[Any]:
    """Those of some values that a column holds already."""
    found: set[Any] = set()
    for some in in_lists(values):
        found.update(connection.execute(sa.select(column).where(column.in_(some))).scalars())
    return found


def segments_listed(connection: sa.Connection) -> list[Segment]:
    """The segments that count, in a stable order."""
    rows = connection.execute(sa.select(SEGMENTS).order_by(SEGMENTS.c.segment_id))
    return [Segment(row.segment_id, row.level, tuple(Part(**part) for part in row.parts)) for row in rows]


def list_segment(connection: sa.Connection, segment: Segment) -> None:
    """Let a segment that is written count from the end of this transaction on."""
    row = {"segment_id": segment.segment_id, "level": segment.level, "parts": segment.as_json()}
    connection.execute(sa.insert(SEGMENTS), [row])


def state_of(connection: sa.Connection, name: str) -> int | None:
    """A number that the store remembers."""
    found = connection.execute(VALUE, {"called": name}).scalar()
    return None if found is None else int(found)


def set_state(connection: sa.Connection, name: str, value: int) -> None:
    """Remember a number."""
    upsert_many(connection, STATE, [{"name": name, "value": value}])
