"""History is a function of what is on record: calls, batches, restarts and late arrivals come to the same state.

The oracle counts in plain Python, from the definition of every fact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.consignment import Consignments, fold
from features.contract import gate_manifest, gate_outcomes
from features.history.facts import ENTITIES, FACTS, attributed, facts_of, facts_of_outcomes, with_entities
from features.history.tiles import DAY, HOUR
from features.history.totals import FactTable
from features.history.windows import Reading, Since, Window, read_windows
from service.history import posting
from service.history.compaction import settle
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.store.database import Store
from service.store.tables import TABLES
from tests.databases import DATABASES

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
SLOW = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
MINUTES = st.one_of(st.sampled_from([0, 30, 60, 1440, 1470]), st.integers(0, 2000))  # ties are wanted


@dataclass(frozen=True)
class Declared:
    """One version of a consignment, as a story tells it."""

    consignment: int
    version: int
    minute: int
    sender: str
    addressee: str
    wording: str
    value: int

    def row(self) -> dict[str, Any]:
        return {
            "message_id": f"M{self.version}",
            "consignment_id": f"C{self.consignment}",
            "version": str(self.version),
            "stream": "postal",
            "lodged_at": (START + timedelta(minutes=self.minute)).isoformat(),
            "dispatch_country": "CN",
            "consignor_name": self.sender,
            "consignee_name": self.addressee,
            "description": self.wording,
            "value": str(self.value),
            "currency": "EUR",
            "line": "2",
        }


@dataclass(frozen=True)
class Found:
    """One inspection result."""

    consignment: int
    minute: int
    result: str
    findings: str | None
    linked: str | None

    def row(self) -> dict[str, Any]:
        known_at = (START + timedelta(minutes=self.minute, seconds=1)).isoformat()
        ours = {"consignment_id": f"C{self.consignment}", "known_at": known_at, "line": "2"}
        return {**ours, "result": self.result, "findings": self.findings, "criminal_link": self.linked}


def coherent(found: Found) -> Found:
    """The same result with findings where it has to have some, and without where it may have none."""
    if found.result == "compliant":
        return replace(found, findings=None)
    return replace(found, findings=found.findings or "counterfeit") if found.result == "non_compliant" else found


Told = Declared | Found
DECLARED = st.builds(
    Declared,
    st.integers(0, 3), st.integers(1, 3), MINUTES, st.sampled_from("AB"), st.sampled_from("XY"),
    st.sampled_from(["shoes", "bags"]), st.integers(0, 99),
)  # fmt: skip
FOUND_OUT = st.builds(
    Found,
    st.integers(0, 4), MINUTES, st.sampled_from(["compliant", "non_compliant", "not_presented", "inconclusive"]),
    st.sampled_from([None, "counterfeit", "dangerous;counterfeit"]), st.sampled_from([None, "true", "false"]),
).map(coherent)  # fmt: skip
STORIES = st.tuples(
    st.lists(DECLARED, min_size=1, max_size=8, unique_by=lambda d: (d.consignment, d.version)),
    st.lists(FOUND_OUT, max_size=5, unique=True),
)


def frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pl.Series([row[name] for row in rows], dtype=pl.String) for name in names}
    return pl.DataFrame(columns).with_columns(pl.col("line").cast(pl.Int64))


def consignments_of(declared: Sequence[Declared]) -> Consignments:
    return with_entities(fold(gate_manifest(frame([d.row() for d in declared]), "story").accepted))


def outcomes_of(found: Sequence[Found]) -> pl.DataFrame:
    return gate_outcomes(frame([f.row() for f in found])).accepted


def tell(journal: Journal, told: Sequence[Told]) -> None:
    """All of it at once."""
    if declared := [one for one in told if isinstance(one, Declared)]:
        journal.remember(consignments_of(declared))
    if found := [one for one in told if isinstance(one, Found)]:
        journal.learn(outcomes_of(found))


def by_hand(declared: Sequence[Declared], found: Sequence[Found]) -> dict[tuple[str, int], dict[str, int]]:
    """What is known of each sender at each minute it was heard of, fact by fact from its definition."""
    posted: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: dict.fromkeys(FACTS, 0))

    def say(of: Declared, minute: int, sign: int) -> None:
        for fact, amount in {"consignments": 1, "lines": 1, "value": of.value * 100}.items():
            posted[of.sender, minute * 60][fact] += sign * amount

    for consignment in {d.consignment for d in declared}:
        current: Declared | None = None
        own = sorted((d for d in declared if d.consignment == consignment), key=lambda d: (d.minute, d.version))
        for version in own:
            posted[version.sender, version.minute * 60]["lodged"] += 1
            if current is not None and version.version < current.version:
                continue
            if current is not None and version.version > current.version:
                say(current, version.minute, -1)
            say(version, version.minute, 1)
            current = version
        for result in (f for f in found if f.consignment == consignment and f.result != "inconclusive"):
            inspected = [d for d in own if d.minute * 60 <= result.minute * 60 + 1]
            inspected = inspected or [d for d in own if d.minute == own[0].minute]  # known before it was lodged
            at_once = max(d.version for d in inspected if d.minute == inspected[-1].minute)
            of = next(d for d in own if d.version == at_once)
            told = posted[of.sender, result.minute * 60 + 1]
            hit = result.result == "non_compliant"
            told["inspected"] += result.result in ("compliant", "non_compliant")
            told["hits"] += hit
            told["hits_grave"] += hit and (result.linked == "true" or "dangerous" in (result.findings or ""))
            told["not_presented"] += result.result == "not_presented"
            for finding in result.findings.split(";") if hit and result.findings else []:
                told[f"hits_{finding}"] += 1
    for fact, what in {"new_consignee": "addressee", "new_wording": "wording", "new_route": "sender"}.items():
        firsts: dict[tuple[str, str], int] = {}
        for d in declared:
            both = (d.sender, getattr(d, what))
            firsts[both] = min(firsts.get(both, d.minute), d.minute)
        for (sender, _), minute in firsts.items():
            posted[sender, minute * 60][fact] += 1
    return posted


def senders(declared: Sequence[Declared]) -> dict[str, int]:
    frame = consignments_of(declared).frame
    return dict(zip(frame["consignor_name"], frame["consignor_entity"], strict=True))


def state_by_hand(declared: Sequence[Declared], found: Sequence[Found]) -> set[tuple[int, ...]]:
    """The running totals of senders, as rows of the store."""
    rows: set[tuple[int, ...]] = set()
    posted, entities = by_hand(declared, found), senders(declared)
    start = int(START.timestamp()) * 1_000_000
    for sender, entity in entities.items():
        total = dict.fromkeys(FACTS, 0)
        for second in sorted(s for who, s in posted if who == sender):
            told = posted[sender, second]
            total = {fact: total[fact] + told[fact] for fact in FACTS}
            if any(told.values()):
                rows.add((entity, start + second * 1_000_000, *total.values()))
    return rows


@contextmanager
def opened(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[Store]]:
    """Two empty stores of one kind."""
    if kind == "sqlite":
        addresses = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two")]
    else:
        addresses = [request.getfixturevalue("postgresql"), request.getfixturevalue("other_postgresql")]
    stores = [Store(address, folder=tmp_path / f"history{i}") for i, address in enumerate(addresses)]
    yield stores
    for store in stores:
        store.close()


def emptied(store: Store) -> Journal:
    with store.writing() as connection:
        for table in TABLES.sorted_tables:
            connection.execute(sa.delete(table))
    return Journal(store)


@pytest.mark.parametrize("kind", DATABASES)
def test_calls_in_order_a_batch_and_counting_by_hand_agree(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with opened(kind, tmp_path, request) as stores:

        @SLOW
        @given(STORIES, st.data())
        def agree(story: tuple[list[Declared], list[Found]], data: st.DataObject) -> None:
            declared, found = story
            in_order = sorted(declared, key=lambda d: (d.minute, d.version))
            batch, calls = (emptied(store) for store in stores)
            tell(batch, [*declared, *found])
            calls_with_restarts(calls, in_order, found, data)
            compare(stores, declared, found)

        agree()


def calls_with_restarts(journal: Journal, declared: list[Declared], found: list[Found], data: st.DataObject) -> None:
    """One call each; results come whenever they like, and the store is closed, opened and settled in between."""
    calls: list[Told] = list(declared)
    for result in found:
        calls.insert(data.draw(st.integers(0, len(calls))), result)
    store = journal.store
    for call in calls:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(posting, "MANY", data.draw(st.sampled_from([1, 10**9])))
            tell(journal, [call])
            if data.draw(st.booleans()):
                tell(journal, [call])  # sent twice
        if data.draw(st.booleans()):
            store.engine.dispose()
            journal = Journal(store)
        if data.draw(st.booleans()):
            settle(store, everything=data.draw(st.booleans()))


def compare(stores: Sequence[Store], declared: Sequence[Declared], found: Sequence[Found]) -> None:
    everything = consignments_of(declared)
    versions = everything.frame.select("consignment_id", "version", "lodged_at", *ENTITIES)
    facts = [facts_of(everything)] + ([facts_of_outcomes(attributed(outcomes_of(found), versions))] if found else [])
    readings: list[Reading] = [
        *(Window("consignor", fact, days) for fact in FACTS for days in (1, 7, 30, None)),
        *(Since(key, edge) for key in ("consignor", "pair", "office") for edge in ("first", "last")),
    ]
    moments = pl.datetime_range(START, START + timedelta(minutes=2100), "30m", eager=True, time_zone="UTC")
    asked = everything.frame.select(ENTITIES).join(moments.dt.cast_time_unit("us").to_frame("lodged_at"), how="cross")
    in_training = read_windows(readings, asked, FactTable(pl.concat(facts), holds_all=True))
    for store in stores:
        assert read_windows(readings, asked, StoredHistory(store)).equals(in_training, null_equal=True)
        settle(store, everything=True)
    one, two = (StoredHistory(store).running() for store in stores)
    assert one.equals(two)
    of_senders = one.filter(pl.col("entity").is_in(everything.frame["consignor_entity"].implode()))
    assert set(of_senders.rows()) == state_by_hand(declared, found)
    by_windows(in_training, asked, declared, found)


def by_windows(read: pl.DataFrame, asked: pl.DataFrame, declared: Sequence[Declared], found: Sequence[Found]) -> None:
    """The windows of every sender, added up fact by fact."""
    posted = by_hand(declared, found)
    names = {entity: name for name, entity in senders(declared).items()}
    start = int(START.timestamp()) * 1_000_000
    for place in range(0, asked.height, 7):
        near = int(asked["lodged_at"].dt.epoch("us")[place])
        for days, tile in ((1, HOUR), (7, HOUR), (30, DAY)):
            far = near - days * DAY
            far -= far % tile
            for fact in ("value", "new_consignee", "hits", "consignments"):
                known = [
                    amounts[fact]
                    for (who, second), amounts in posted.items()
                    if who == names[asked["consignor_entity"][place]] and far <= start + second * 1_000_000 < near
                ]
                assert read[f"consignor_{fact}_{days}d"][place] == max(0, sum(known))


@pytest.mark.parametrize("kind", DATABASES)
def test_in_whatever_order_everything_arrives_the_state_is_the_same(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Late versions and late results too."""
    with opened(kind, tmp_path, request) as stores:

        @SLOW
        @given(STORIES, st.data())
        def agree(story: tuple[list[Declared], list[Found]], data: st.DataObject) -> None:
            declared, found = story
            batch, calls = (emptied(store) for store in stores)
            tell(batch, [*declared, *found])
            everything: list[Told] = [*declared, *found]
            for call in data.draw(st.permutations(everything)):
                tell(calls, [call])
            one, two = (StoredHistory(store).running() for store in stores)
            assert one.equals(two)

        agree()
