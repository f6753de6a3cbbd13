"""Stores of earlier versions: refused where the schema is another, upgraded; all that they recorded is given again."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.consignment import VERSION_KEY
from features.history.running_totals import columns_of
from features.history.totals import FactTable
from features.parties.linking import code_of, entity_of
from pipelines.commands import upgrade_commands
from service.app import create
from service.audit.renaming import RENAMING
from service.audit.replay import Bundles, NotReplayable, replay_call
from service.audit.verify import verify_record
from service.canonical import canonical
from service.history.stored_history import StoredHistory
from service.officers.search import Asked, search
from service.parties.stored_parties import network
from service.record.ownership import INSTALLATION
from service.record.search_index import catch_up, lacks_archived
from service.serving.serving_bundle import open_serving
from service.store.access_tables import ACCOUNTS
from service.store.database import Store, open_any_schema, open_store
from service.store.migrations.keyed_tables import HASHES, table_of
from service.store.packed import PackedJson, unpack
from service.store.schema import SCHEMA, OtherSchema
from service.store.store_key import KEY_CHECK
from service.store.tables import (
    CALLS,
    CHAIN,
    DECISIONS,
    DECLARATIONS,
    DIGESTS,
    OVERRIDES,
    SEGMENTS,
    STATE,
    TABLES,
    TRANSFERS,
)
from tests.history_reads import read_totals
from tests.kept.kept_homes import KEPT, KeptHome
from tests.kept.kept_homes import unpack as unpack_kept

Rows = list[dict[str, Any]]
GROWS = {CHAIN.name, DIGESTS.name}  # by what an upgrade notes, and by new columns
OWNED = 3  # the schema from which on a declaration says whose it is
PACKED = 9  # the schema from which on contents are packed
SAID = ("override_id", "decision_id", "consignment_id", "clearance", "by", "counts")


@dataclass(frozen=True)
class Upgraded:
    """A kept home after `tamis upgrade`, with what opening it said before; refusal: empty where it opened."""

    kept: KeptHome
    refusal: str
    store: Store
    before: dict[str, Rows]


@pytest.fixture(scope="module", params=KEPT, ids=lambda of: f"{of[0].name}-{of[1]}")
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """The home of one version on one database, refused and then upgraded by the command."""
    folder, kind = request.param
    home = tmp_path_factory.mktemp(f"kept-{kind}")
    database = ""
    if kind == "postgresql":
        server = request.getfixturevalue("postgresql_address")
        name = f"kept_{folder.name}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        database = server.replace("/postgres?", f"/{name}?")
    kept = unpack_kept(folder, kind, home, database)
    refusal = refusal_of(kept)
    before = as_it_was(kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAMIS_HOME", str(home))
        patch.setenv("TAMIS_STORE", database)
        patch.setattr("pipelines.batch.name_anew.name_anew", lambda *_: None)  # see test_kept_names.py
        upgrade_commands.upgrade()
    store = open_store(kept.settings)
    yield Upgraded(kept, refusal, store, before)
    store.close()


def refusal_of(kept: KeptHome) -> str:
    """What opening the store says; empty where it opens."""
    try:
        open_store(kept.settings).close()
    except OtherSchema as refused:
        return str(refused)
    return ""


def as_it_was(kept: KeptHome) -> dict[str, Rows]:
    """All rows before the upgrade."""
    store = open_any_schema(kept.settings)
    before = {}
    for name, known in kept.expected["tables"].items():
        with store.reading() as connection:
            table = table_of(connection, name)
        of_table = rows(store, sa.select(*(table.c[column] for column in known["columns"])))
        packed = [column.name for column in TABLES.tables[name].c if isinstance(column.type, PackedJson)]
        for row in of_table if kept.schema >= PACKED else ():
            row |= {column: unpack(row[column]) for column in packed if row[column] is not None}
        before[name] = of_table
    store.close()
    return before


def rows(store: Store, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """What a query finds."""
    with store.reading() as connection:
        return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def test_it_is_refused_before_with_the_remedy(upgraded: Upgraded) -> None:
    schema = upgraded.kept.schema
    remedy = f"the store has schema {schema}, this version needs {SCHEMA}: run `tamis upgrade`"
    assert upgraded.refusal == ("" if upgraded.kept.is_of_today else remedy)


def test_no_row_is_lost_and_none_says_anything_else(upgraded: Upgraded) -> None:
    differ = {}
    for name, known in upgraded.kept.expected["tables"].items():
        lines = in_lines(upgraded.before[name])
        assert (len(lines), hashlib.sha256(b"".join(lines)).hexdigest()) == (known["rows"], known["sha256"])
        if name in (*GROWS, SEGMENTS.name):
            continue
        columns = [TABLES.tables[name].c[column] for column in known["columns"]]
        found = in_lines(less_noted(name, plain(upgraded, name, rows(upgraded.store, sa.select(*columns)))))
        expected = in_lines(less_noted(name, less_erased(upgraded, name)))
        if found != expected:
            differ[name] = [(x, y) for x, y in zip(found, expected, strict=False) if x != y][:1]
    assert differ == {}


def in_lines(of: Rows) -> list[bytes]:
    """Rows as text, in one order."""
    in_words = ({name: of.hex() if isinstance(of, bytes) else of for name, of in row.items()} for row in of)
    return sorted(canonical(row) + b"\n" for row in in_words)


def plain(upgraded: Upgraded, name: str, of: Rows) -> Rows:
    """Rows as they were before their hashes were keyed: by the key, which turns each back."""
    pseudonyms = upgraded.store.pseudonyms
    for row in of if not upgraded.kept.is_keyed else ():
        row |= {column: pseudonyms.plain_list([row[column]])[0] for column in HASHES.get(name, ())}
        if name == "links":
            row["shared"] = pseudonyms.plain_list(row["shared"])
        if name == "declarations" and row["stated"]:
            row["stated"] |= {k: pseudonyms.plain_list([v])[0] for k, v in row["stated"].items() if "entity" in k}
        if name == "decisions" and row["network"]:
            row["network"] = code_of(row["network"][0], pseudonyms.entity(row["network"]))
        for subject in row["subjects"].values() if name == "lists" else ():
            subject["entity"] = pseudonyms.plain_list([subject["entity"]])[0]
            subject["values"] = pseudonyms.plain_list(subject["values"])
    return of


def less_noted(name: str, of: Rows) -> Rows:
    """Rows without what an upgrade notes among the state: which key hashes are of, and what is to be named anew."""
    return [row for row in of if name != STATE.name or row["name"] not in (KEY_CHECK, RENAMING)]


def less_erased(upgraded: Upgraded, name: str) -> Rows:
    """Rows before the upgrade, less what an earlier erasure left of persons."""
    key = ("message_id", "consignment_id", "version")
    gone = {tuple(row[k] for k in key) for row in upgraded.before["decisions"] if row["salt"] is None}
    assert gone
    left: dict[str, Any] = {"declarations": {"stated": None, "content_sha256": ""}, "decisions": {"network": None}}
    nothing: dict[str, Any] = left.get(name, {})
    return [row | nothing if nothing and tuple(row[k] for k in key) in gone else row for row in upgraded.before[name]]


def test_history_is_read_as_before(upgraded: Upgraded) -> None:
    known, history = upgraded.kept.expected["history"], StoredHistory(upgraded.store)
    running = history.running().select(known["columns"]).sort("entity", "known_at")
    assert (history.as_of(), running.height) == (known["as_of"], known["rows"])
    assert hashlib.sha256(running.write_csv().encode()).hexdigest() == known["sha256"]
    entities = running["entity"].unique().to_numpy()
    latest = np.full(len(entities), 2**62)
    read = read_totals(history, entities, latest)
    expected = read_totals(FactTable.of_running(columns_of(running)), entities, latest)
    assert np.array_equal(read.amounts, expected.amounts)
    assert np.array_equal(read.first, expected.first)
    assert np.array_equal(read.last, expected.last)


def test_networks_are_found_by_the_codes_of_old_decisions(upgraded: Upgraded) -> None:
    keyed = upgraded.kept.is_keyed
    code = code_of if keyed else upgraded.store.pseudonyms.code
    entity = entity_of if keyed else upgraded.store.pseudonyms.entity
    graph = {row["entity"]: row["network"] for row in upgraded.before["cards"]}
    bodies = [row["body"] for row in upgraded.before["decisions"] if row["body"].get("party_id")]
    checked = 0
    for body in bodies:
        card = entity_of(body["party_id"])
        if card not in graph:
            continue
        shown = network(upgraded.store, body["party_id"])
        assert shown is not None
        assert shown["network_id"] == code("N", graph[card])
        members = {entity(party["party_id"]) for party in shown["parties"]}
        assert members == {other for other, of in graph.items() if of == graph[card]}
        checked += 1
    assert checked > 50


def test_nothing_plain_is_left_in_the_store(upgraded: Upgraded) -> None:
    hashes = [row["entity"] for row in upgraded.before["cards"]] + [row["value"] for row in upgraded.before["evidence"]]
    telling = set(upgraded.store.pseudonyms.plain_list(hashes) if upgraded.kept.is_keyed else hashes)
    home, kept_apart = upgraded.kept.settings.home, ("backups", "archive")
    files = [path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] not in kept_apart]
    for path in files:
        assert plain_in(path.read_bytes(), telling) == set(), path


def plain_in(content: bytes, telling: Iterable[int]) -> set[int]:
    """The hashes that stand in a file, as eight bytes anywhere or in decimal digits."""
    listed = np.array(sorted(telling), np.int64)
    by_digits = {str(abs(number)).encode(): number for number in listed.tolist()}
    plain = {by_digits[digits] for digits in re.findall(rb"\d+", content) if digits in by_digits}
    for first in range(min(8, len(content) // 8)):
        numbers = np.frombuffer(content, "<i8", (len(content) - first) // 8, first)
        plain |= set(numbers[np.isin(numbers, listed)].tolist())
    return plain


def test_what_is_plain_is_seen() -> None:
    one, other, third = 2**62 + 7, -(2**61) - 1, 2**60 + 3
    content = b"abc" + struct.pack("<q", one) + f'{{"entity":{other}}}'.encode() + bytes(9)
    assert plain_in(content, [one, other, third]) == {one, other}
    assert plain_in(b"", [one]) == set()


def test_the_audit_log_goes_on_with_what_the_upgrade_did(upgraded: Upgraded) -> None:
    known = upgraded.kept.expected["chain"]
    entries = rows(upgraded.store, sa.select(CHAIN).order_by(CHAIN.c.number))
    assert entries[known["entries"] - 1]["hash"] == known["hash"]
    added = [(entry["kind"], entry["subject"]) for entry in entries[known["entries"] :] if entry["kind"] != "keyed"]
    first = upgraded.kept.schema if upgraded.kept.schema == 1 else upgraded.kept.schema + 1
    assert added == [("upgrade", f"schema-{number}") for number in range(first, SCHEMA + 1)]


def test_the_record_verifies(upgraded: Upgraded) -> None:
    settings, known = upgraded.kept.settings, upgraded.kept.expected["verify"]
    found = verify_record(upgraded.store, settings.checkpoints, settings.keys)
    assert (found.holds, found.faults) == (True, [])
    names = ("decisions", "outcomes", "erased", "checkpoints")
    assert {name: getattr(found, name) for name in names} == {name: known[name] for name in names}


def test_every_decision_is_given_again_as_it_was(upgraded: Upgraded) -> None:
    settings = upgraded.kept.settings
    bundles, found = Bundles(settings.bundles, settings.keys), {}
    for call in rows(upgraded.store, sa.select(CALLS.c.call_id)):
        try:
            for one in replay_call(upgraded.store, bundles, call["call_id"]):
                found[one.decision_id] = "identical" if one.identical else f"differs: {one.differences[:2]}"
        except NotReplayable as fault:
            found[call["call_id"]] = str(fault)
    known = upgraded.kept.expected["decisions"]
    replayed = {one["decision_id"]: found.get(one["decision_id"], found.get(one["call_id"])) for one in known}
    differ = {one["decision_id"]: replayed[one["decision_id"]] for one in known
              if (one["replay"] == "identical") != (replayed[one["decision_id"]] == "identical")}  # fmt: skip
    assert differ == {}
    assert Counter(one["replay"] == "identical" for one in known)[True] > 100


def test_who_invited_an_account_is_read_from_the_log(upgraded: Upgraded) -> None:
    """Whose invitations could make one person of two accounts: four eyes ask for it."""
    local = rows(upgraded.store, sa.select(ACCOUNTS.c.name, ACCOUNTS.c.made_by).where(ACCOUNTS.c.password != ""))
    assert local
    invited = {
        entry["whom"]: entry["by"]
        for row in rows(upgraded.store, sa.select(CHAIN.c.content).where(CHAIN.c.kind == "access"))
        if (entry := json.loads(row["content"]))["what"] == "account"
    }
    assert {row["name"]: row["made_by"] for row in local} == {row["name"]: invited[row["name"]] for row in local}


def test_what_officers_said_is_shown(upgraded: Upgraded) -> None:
    known = [{name: one[name] for name in SAID} for one in upgraded.kept.expected["overrides"]]
    found = rows(upgraded.store, sa.select(*(OVERRIDES.c[name] for name in SAID)).order_by(OVERRIDES.c.override_id))
    assert found == known
    assert known


def test_the_service_opens_it_with_the_bundle_that_served(upgraded: Upgraded) -> None:
    settings = upgraded.kept.settings
    serving = open_serving(settings)
    assert (serving.name, serving.refused) == (upgraded.kept.expected["serves"], {})
    with TestClient(create(settings.model_copy(update={"access": "open"}))) as client:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["mode"]) == (200, "full")


def test_it_says_of_every_declaration_whose_it_is(upgraded: Upgraded) -> None:
    """The office of its decision; who sent it was not recorded, so that its office alone decides who may amend it.

    Where it did say so, `test_no_row_is_lost_and_none_says_anything_else` holds that it still does: who sent some of
    them, and to whom they passed.
    """
    if upgraded.kept.schema >= OWNED:
        assert len({row["sender"] for row in rows(upgraded.store, sa.select(DECLARATIONS))}) > 2
        assert rows(upgraded.store, sa.select(TRANSFERS))
        return
    first = rows(
        upgraded.store, sa.select(DECISIONS).order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.version.desc())
    )
    of_consignments = {row["consignment_id"]: row["office"] for row in first}
    of_versions = {tuple(row[name] for name in VERSION_KEY): row["office"] for row in first}
    declared = rows(upgraded.store, sa.select(DECLARATIONS))
    expected = [of_versions.get(tuple(row[name] for name in VERSION_KEY), of_consignments.get(row["consignment_id"]))
                for row in declared]  # fmt: skip
    assert [row["office"] or "unknown" for row in declared] == [office or "unknown" for office in expected]
    assert {row["sender"] for row in declared} == {None}
    assert len(set(expected)) > 2


def test_a_backup_was_made_before(upgraded: Upgraded) -> None:
    backups = upgraded.kept.settings.home / "backups"
    if upgraded.kept.is_of_today:
        assert not backups.exists(), "nothing was to be upgraded"
        return
    (backup,) = backups.iterdir()
    assert backup.name.startswith(f"schema-{upgraded.kept.schema}-")
    held = {path.name for path in Path(backup).iterdir()}
    assert held >= {"backup.json", "store.db" if upgraded.store.is_sqlite else "store.sql"}


def test_search_finds_what_was_decided_and_what_was_archived_before(upgraded: Upgraded) -> None:
    store = upgraded.store
    catch_up(store)
    declared = rows(store, sa.select(DECLARATIONS).where(DECLARATIONS.c.stated.is_not(sa.null())))
    for row in [row for row in declared if row["body"] and row["body"].get("consignee_name")]:
        by_name = search(store, Asked(row["body"]["consignee_name"], ("name",), at_most=100), INSTALLATION)
        assert row["consignment_id"] in {one["consignment_id"] for one in by_name.consignments} or by_name.total > 100
    if (upgraded.kept.settings.archive / "manifests").exists():
        assert not lacks_archived(store)
    assert verify_record(store, upgraded.kept.settings.checkpoints, upgraded.kept.settings.keys).holds
