"""The record: declarations, decisions, rows as scored and facts in one transaction, acknowledged only afterwards."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import polars as pl
import sqlalchemy as sa
import structlog

from features.assemble import Rows
from features.consignment import VERSION_KEY, Consignments
from features.facts import attributed, facts_of_outcomes
from features.history import HistoryUnavailable
from service.bulk import insert_many
from service.campaigns import opened
from service.chain import append, new_salt
from service.history import StoredHistory
from service.linking_switch import LinkingSwitch
from service.orientation.decisions import Decisions
from service.parties import grown_by
from service.parties import keep as keep_links
from service.posting import (
    already,
    catch_up,
    facts_reattributed,
    facts_unposted,
    in_lists,
    post,
    results_of,
    versions_on_record,
)
from service.records import (
    EPOCH,
    decision_entry,
    decision_row,
    declarations_of,
    micros,
    outcome_entry,
    outcome_row,
    parts_of,
    sha256_of_body,
)
from service.scoring.signature import canonical
from service.segments import SegmentGone
from service.settings import Settings
from service.settling import Settled, settle
from service.store import Store, open_store
from service.stored_graph import StoredGraph
from service.tables import CALLS, DECISIONS, DECLARATIONS, OUTCOMES, POLICIES
from service.tallies import Tallies, count, taken_of
from service.versions import KEY_SCHEMA, Conflict, Gone, Key, Version, decided_before, key_of, known_versions
from service.waking import wake_for_findings

LOG = structlog.get_logger("tamis.record")
DECLARED, LINKED = 0.25, 0.45  # of the time of recording: when all is declared, when facts and links are kept
COUNTED = ("band", "at", "network", "held")  # what a decision's row keeps of what it takes
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


@dataclass(frozen=True, slots=True)
class Received:
    """What became of posted outcomes: how many were new, known already, and for consignments never seen."""

    recorded: int
    repeated: int
    unknown: int


class Journal:
    """What a desk writes down, and what it has written."""

    def __init__(self, store: Store, linking: LinkingSwitch | None = None) -> None:
        """linking: while it is on, what is declared of senders is kept so that they can be linked."""
        self.store, self.history, self._linking = store, StoredHistory(store), linking
        self._tallies = Tallies(store)
        self._tell: Callable[[float], None] = _nobody

    def telling(self, tell: Callable[[float], None]) -> Journal:
        """The same journal, which tells while it records which share of a message is on record, from 0 to 1."""
        told = copy(self)
        told._tell = tell
        return told

    def spent(self, periods: pl.DataFrame) -> pl.DataFrame:
        """Of each period of an office (`office`, `begins`, `lasts`) what was given out and what is usual: SPENT."""
        return self._tallies.spent(periods)

    def opened(self, networks: Sequence[str], hour: int) -> pl.DataFrame:
        """How many checks of some networks are awaited at an hour: OPEN."""
        with self.store.reading() as connection:
            return opened(connection, networks, hour)

    def record(
        self, decisions: Decisions, rows: Rows, consignments: Consignments, *, archived: bool = False
    ) -> Decisions:
        """Write everything down durably and give back what is on record.

        A version that was decided before with the same content keeps its first decision; with another content the
        whole message is refused with Conflict and nothing is written; with Overspent where another call took checks
        that these decisions had counted on.
        """
        self._tell(0.0)
        parts = parts_of(consignments)
        ahead = declarations_of(parts[0])  # a call's, before others have to wait for it
        scored, grown = rows.frame.drop("row"), grown_by(consignments)

        def write(connection: sa.Connection) -> tuple[list[Key], dict[Key, dict[str, Any]]]:
            declared = chain([ahead], (declarations_of(part) for part in parts[1:]))
            versions = self._declare(connection, declared, consignments, archived=archived, grown=grown)
            keys = [version.key for version in versions]
            stored = decided_before(connection, [version.key for version in versions if version.known])
            if gone := [key[1] for key, body in stored.items() if not body]:
                raise Gone(gone)
            self._decide(connection, decisions, scored, versions, stored)
            return keys, stored

        keys, stored = self.store.write(write)
        return decisions.as_recorded({i: stored[key] for i, key in enumerate(keys) if key in stored})

    def _decide(
        self,
        connection: sa.Connection,
        decisions: Decisions,
        scored: pl.DataFrame,
        versions: Sequence[Version],
        stored: Mapping[Key, Mapping[str, Any]],
    ) -> None:
        """Put on record what was not decided before: the call, what it takes, each decision and its entry."""
        new = [i for i, version in enumerate(versions) if version.key not in stored]
        if not new:
            return
        there = [i for i, version in enumerate(versions) if version.key in stored]
        before = [
            {"place": i, "decision_id": stored[versions[i].key]["decision_id"], "row": row}
            for i, row in zip(there, _at(scored, there).to_dicts(), strict=True)
        ]
        call_id, basis = self.note_call(connection, decisions, before)
        taken = taken_of(decisions)
        count(self.store, connection, _at(taken, new))
        for some in in_lists(new):  # a day of a million must not stand in memory several times over
            given, first = decisions.rows[some[0] : some[-1] + 1], some[0]
            counted = _at(taken.select(COUNTED), some).to_dicts()
            records = [
                decision_row(given[i - first], row, call_id, i, of_day)
                for i, row, of_day in zip(some, _at(scored, some).to_dicts(), counted, strict=True)
            ]
            insert_many(connection, DECISIONS, records)
            hashes = (versions[i].content_sha256 for i in some)
            entries = [decision_entry(record, sha256, basis) for record, sha256 in zip(records, hashes, strict=True)]
            append(connection, entries, records[0]["decided_at"])
            self._tell(LINKED + (1.0 - LINKED) * (some[-1] + 1) / len(versions))

    def note_call(
        self, connection: sa.Connection, decisions: Decisions, before: list[dict[str, Any]]
    ) -> tuple[str, str]:
        """Write down the circumstances of a call: its name and the hash of its basis.

        before: of what it held that was decided already: place, decision, and the row as scored this time.
        """
        call_id = uuid.uuid4().hex
        if decisions.basis is None:
            raise ValueError("decisions without their circumstances cannot be recorded")
        text = decisions.basis.policy_text
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        kept = self.store.upsert(POLICIES).on_conflict_do_nothing(index_elements=["sha256"])
        connection.execute(kept, [{"sha256": sha256, "text": text}])
        basis = {**decisions.basis.as_json(sha256), "decided_before": before}
        connection.execute(sa.insert(CALLS), [{"call_id": call_id, "basis": basis}])
        return call_id, hashlib.sha256(canonical(basis)).hexdigest()

    def remember(self, consignments: Consignments) -> int:
        """Post the facts of consignments that the archive keeps and nobody decided; how many were new."""

        def write(connection: sa.Connection) -> int:
            declared = (declarations_of(part, with_body=False) for part in parts_of(consignments))
            versions = self._declare(connection, declared, consignments, archived=True)
            return sum(not version.known for version in versions)

        return self.store.write(write)

    def _declare(
        self,
        connection: sa.Connection,
        declared: Iterable[list[dict[str, Any]]],
        consignments: Consignments,
        *,
        archived: bool,
        grown: StoredGraph | None = None,
    ) -> list[Version]:
        """Put what is not on record there, and post its facts; raises Conflict where a version has changed.

        declared: rows of the declarations in parts, for those of a day must not all stand in memory. grown: the graph
        of senders as it has grown by these consignments, where they were linked just now.
        """
        facts: pl.DataFrame | None = None
        own: dict[str, Any] = {}
        versions: list[Version] = []
        for part in declared:
            known = known_versions(connection, part)
            versions += [Version.of(one, known) for one in part]
            absent = [one for one in part if key_of(one) not in known]
            if absent and not own:  # before any of them is on record
                facts = self._facts(connection, consignments)
                own = {"archived": archived, "posted": facts is not None}
            for some in in_lists(absent):
                insert_many(connection, DECLARATIONS, [one | own for one in some])
            self._tell(DECLARED * len(versions) / max(1, len(consignments)))
        if changed := [version.key[1] for version in versions if version.changed]:
            raise Conflict(changed)
        fresh = [i for i, version in enumerate(versions) if not version.known]
        if fresh:
            keys = pl.DataFrame([versions[i].key for i in fresh], schema=KEY_SCHEMA, orient="row")
            moved = facts_reattributed(connection, keys)
            post(self.store, connection, moved if facts is None else pl.concat([facts, moved]))
            if self._linking is not None and self._linking.on:
                all_new = len(fresh) == len(consignments)
                new = consignments if all_new else consignments.where(pl.col("row").is_in(fresh))
                keep_links(connection, new, grown if all_new else None)
        return versions

    def _facts(self, connection: sa.Connection, consignments: Consignments) -> pl.DataFrame | None:
        """The facts to post; None while history cannot be read: then they wait, and the declaration is kept."""
        try:
            return facts_unposted(connection, consignments, self.history.within(connection))
        except (HistoryUnavailable, SegmentGone) as fault:
            LOG.warning("facts wait for the history", kind=type(fault).__name__)
            return None

    def learn(self, outcomes: pl.DataFrame, *, archived: bool = False) -> Received:
        """Record inspection results (OUTCOME_COLUMNS) and post their facts; the same result twice counts once."""
        listed = [outcome_row(row) for row in outcomes.select(pl.exclude("line")).to_dicts()]
        by_id = {outcome["outcome_id"]: outcome for outcome in listed}

        def write(connection: sa.Connection) -> list[dict[str, Any]]:
            there = already(connection, OUTCOMES.c.outcome_id, list(by_id))
            new = [outcome for key, outcome in by_id.items() if key not in there]
            versions = versions_on_record(connection, sorted({outcome["consignment_id"] for outcome in new}))
            declared = set(versions["consignment_id"])
            kept = {"archived": archived}
            new = [o | kept | {"posted": o["consignment_id"] in declared, "salt": new_salt()} for o in new]
            if new:
                connection.execute(sa.insert(OUTCOMES), new)
                append(connection, [outcome_entry(one) for one in new], micros(datetime.now(UTC)))
                post(self.store, connection, facts_of_outcomes(attributed(results_of(new), versions)))
                wake_for_findings(connection, new)
            return new

        new = self.store.write(write)
        unknown = sum(not outcome["posted"] for outcome in new)
        return Received(len(new), len(listed) - len(new), unknown)

    def settle(self) -> Settled:
        """Post what waited, and bring history into few and small files; for commands, never for a call."""
        self.catch_up()
        return settle(self.store)

    def catch_up(self) -> int:
        """Post the facts that waited while history could not be read; how many declarations waited."""
        if not self.history.readable():
            return 0
        caught = 0
        while some := self.store.write(lambda connection: self._caught(connection)):
            caught += some
        return caught

    def _caught(self, connection: sa.Connection) -> int:
        return catch_up(self.store, connection, self.history.within(connection))

    def unarchived(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Declarations and outcomes that came by a call and that the archive does not keep yet."""
        body = DECLARATIONS.c.body
        declared = sa.select(body).where(~DECLARATIONS.c.archived, body.is_not(sa.null()))  # or it was erased
        outcomes = sa.select(OUTCOMES.c.body).where(~OUTCOMES.c.archived)
        with self.store.reading() as connection:
            return list(connection.execute(declared).scalars()), list(connection.execute(outcomes).scalars())

    def mark_archived(self, declared: Sequence[dict[str, Any]], outcomes: Sequence[dict[str, Any]]) -> None:
        """Note that the archive keeps these now."""
        with self.store.writing() as connection:
            for body in declared:
                same = [DECLARATIONS.c[name] == body[name] for name in VERSION_KEY]
                connection.execute(sa.update(DECLARATIONS).where(*same).values(archived=True))
            ids = [sha256_of_body(body) for body in outcomes]
            for some in in_lists(ids):
                connection.execute(sa.update(OUTCOMES).where(OUTCOMES.c.outcome_id.in_(some)).values(archived=True))

    def decisions_on(self, consignment_id: str) -> list[dict[str, Any]]:
        """All decisions on a consignment, newest first."""
        query = sa.select(DECISIONS.c.body).where(DECISIONS.c.consignment_id == consignment_id)
        with self.store.reading() as connection:
            found = connection.execute(query.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.version.desc()))
            return [dict(row[0]) for row in found if row[0]]  # an erased one says nothing any more

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


def open_journal(settings: Settings) -> Journal:
    """The journal of an installation, for a command."""
    return Journal(open_store(settings), LinkingSwitch(settings.linking))


def _at(frame: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    """The rows at some places, ascending; a call's are all of them, and gathering a wide row costs as much as many."""
    if len(places) == frame.height:
        return frame
    return frame[places] if places else frame.clear()


def _nobody(share: float) -> None:
    """Whom a journal tells of a record that nobody waits for."""
