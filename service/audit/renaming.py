"""Entities of a store from before identifiers were read as they are now, named anew from what was declared.

What a declaration states stands in the archive; the store holds hashes of how it was read. Both readings of the
same declaration are known, so that the facts of the former can be taken back and those of the present posted. Where
nothing is left to be read again - after an erasure, or with the archive gone - the former names stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.history.facts import (
    DECLARATION_FACTS,
    ENTITIES,
    FACT_SCHEMA,
    attributed,
    fact_delta,
    facts_of_outcomes,
    facts_sighted,
    facts_stated,
)
from service.canonical import canonical
from service.history.posting import post, results_on_record, versions_on_record
from service.parties.graph_rows import judgements_made
from service.parties.stored_graph import StoredGraph
from service.record.audit_log import Entry, append
from service.record.record_kinds import judgement_content, keyed_entry
from service.record.record_rows import CARD
from service.store.bulk_rows import update_each
from service.store.database import Store
from service.store.queries import set_state, state_of
from service.store.tables import DECISIONS, DECLARATIONS, JUDGEMENTS

RENAMING = "renaming"  # what is to be done: HISTORY and what follows, GRAPH, or nothing
NOTHING, HISTORY, GRAPH = 0, 1, 2
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Renamed:
    """What was named anew: declarations, and judgements of officers; kept: declarations that nothing is left of."""

    declarations: int
    kept: int
    judgements: int


def renaming_due(store: Store) -> int:
    """Return what is still to be done after an upgrade: HISTORY, GRAPH or NOTHING."""
    with store.reading() as connection:
        return state_of(connection, RENAMING) or NOTHING


def versions_stated(store: Store) -> int:
    """Count the declarations on record that name their entities: all but those that were erased."""
    with store.reading() as connection:
        count = sa.select(sa.func.count()).where(DECLARATIONS.c.stated.is_not(sa.null()))
        return int(connection.execute(count).scalar_one())


def rename_history(store: Store, present: pl.DataFrame, at: int) -> Renamed:
    """Name what declarations on record state anew, in one transaction, with history and judgements.

    present: what the archive's declarations state, as read now (`features.history.facts.stated`). at: now, microseconds
    since 1970. Run once more, it changes nothing.
    """
    return store.write(partial(_rename_history, store, present, at))


def _rename_history(store: Store, present: pl.DataFrame, at: int, connection: sa.Connection) -> Renamed:
    before = _on_record(connection)
    after, kept = _as_read_now(before, present)
    results = results_on_record(connection, before["consignment_id"].unique().to_list()).filter("posted")
    delta = fact_delta(_facts(after, results), _facts(before, results))
    post(store, connection, delta.match_to_schema(FACT_SCHEMA))
    changed = _changed(before, after)
    _write_stated(store, connection, changed)
    judged = _rename_judgements(store, connection, _cards_renamed(before, after), at)
    done = Renamed(changed.height, kept, judged)
    content = {"declarations": done.declarations, "kept": done.kept, "judgements": done.judgements}
    append(connection, [Entry("upgrade", "identifiers", canonical(content).decode())], at)
    set_state(connection, RENAMING, GRAPH)
    return done


def _on_record(connection: sa.Connection) -> pl.DataFrame:
    """Read the versions of consignments of which nothing was erased, with `posted`."""
    erased = sa.select(DECLARATIONS.c.consignment_id).where(DECLARATIONS.c.stated.is_(sa.null()))
    query = sa.select(DECLARATIONS.c.consignment_id).where(DECLARATIONS.c.consignment_id.not_in(erased)).distinct()
    ids = sorted(connection.execute(query).scalars())
    parts = (
        versions_on_record(connection, ids, posted=posted).with_columns(posted=pl.lit(posted))
        for posted in (True, False)
    )
    return pl.concat(parts)


def _as_read_now(before: pl.DataFrame, present: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the same versions with the entities that the archive gives them, and how many it no longer holds."""
    of_archive = present.select(*VERSION_KEY, *ENTITIES, pl.lit(True).alias("read")).unique(VERSION_KEY)
    joined = before.join(of_archive, on=VERSION_KEY, how="left", suffix="_now", maintain_order="left")
    entities = (pl.when("read").then(pl.col(f"{name}_now")).otherwise(pl.col(name)).alias(name) for name in ENTITIES)
    return joined.select(before.columns).with_columns(joined.select(*entities)), joined["read"].null_count()


def _facts(versions: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Return all facts that posted versions and the results on them are."""
    posted = versions.filter("posted").drop("posted")
    of_results = facts_of_outcomes(attributed(results, posted))
    return pl.concat([facts_stated(posted), facts_sighted(posted), of_results])


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Choose the versions that state other entities than before."""
    return after.join(before, on=[*VERSION_KEY, *ENTITIES], how="anti", nulls_equal=True)


def _write_stated(store: Store, connection: sa.Connection, versions: pl.DataFrame) -> None:
    keyed = store.pseudonyms.keyed_columns(versions, *ENTITIES)
    for part in keyed.iter_slices(ROWS_AT_ONCE):
        stated = part.select(*ENTITIES, *DECLARATION_FACTS).to_dicts()
        keys = part.select(VERSION_KEY).to_dicts()
        update_each(
            connection,
            DECLARATIONS,
            [{**key, "stated": of, "card": of[CARD]} for key, of in zip(keys, stated, strict=True)],
        )


def _cards_renamed(before: pl.DataFrame, after: pl.DataFrame) -> dict[int, int]:
    """Find for each former card the card that most of its declarations state now."""
    pairs = pl.DataFrame({"former": before[CARD], "present": after[CARD]}).drop_nulls()
    counted = pairs.group_by("former", "present").len().sort("len", "present", descending=[True, False])
    return dict(counted.unique("former", keep="first", maintain_order=True).select("former", "present").rows())


def _rename_judgements(store: Store, connection: sa.Connection, cards: Mapping[int, int], at: int) -> int:
    """Let officers' judgements be on the cards of today, and say on the log what came of each; return how many changed.

    A pair that is one card today stays as it was: there is nothing left to judge.
    """
    changed, entries = [], []
    for row in judgements_made(connection, counting=False):
        pair = sorted({cards.get(row["one"], row["one"]), cards.get(row["other"], row["other"])})
        if len(pair) < 2 or pair == [row["one"], row["other"]]:
            continue
        former = {**row, **_ends(store, [row["one"], row["other"]])}
        now = {**row, **_ends(store, pair)}
        changed.append({"judgement_id": row["judgement_id"], **_ends(store, pair)})
        entries.append(keyed_entry(judgement_content(former), judgement_content(now)))
    update_each(connection, JUDGEMENTS, changed)
    append(connection, entries, at)
    return len(changed)


def _ends(store: Store, pair: Sequence[int]) -> dict[str, int]:
    return dict(zip(("one", "other"), store.pseudonyms.keyed_list(pair), strict=True))


def rename_decided(store: Store) -> int:
    """Let decisions on record be found by the networks that their senders are in now; return how many.

    What a decision says stays as it was given: only what queues and lists look for changes.
    """
    with store.writing() as connection:
        graph = StoredGraph(connection)
        rows: list[dict[str, Any]] = []
        for decision_id, former, card in _decided(connection):
            plain = store.pseudonyms.plain_list([card])[0]
            root = graph.network_of.get(plain)
            code = None if root is None else store.pseudonyms.code("N", root)
            if code is not None and code != former:
                rows.append({"decision_id": decision_id, "network": code})
        for start in range(0, len(rows), ROWS_AT_ONCE):
            update_each(connection, DECISIONS, rows[start : start + ROWS_AT_ONCE])
        set_state(connection, RENAMING, NOTHING)
    return len(rows)


def _decided(connection: sa.Connection) -> list[tuple[str, str, int]]:
    """Read the decisions that name a network: identifier, network, and the keyed card of the declaration."""
    same = sa.and_(*(DECLARATIONS.c[name] == DECISIONS.c[name] for name in VERSION_KEY))
    query = sa.select(DECISIONS.c.decision_id, DECISIONS.c.network, DECLARATIONS.c.card)
    rows = connection.execute(
        query.select_from(DECISIONS.join(DECLARATIONS, same)).where(DECISIONS.c.network.is_not(None))
    )
    return [(decision, network, of) for decision, network, of in rows if of is not None]
