"""Stores of every earlier version after the whole upgrade: history, judgements and networks are those of today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.history.facts import ENTITIES, FACTS, stated
from features.history.running_totals import running_totals
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.commands import upgrade_commands
from service.audit.renaming import NOTHING, _facts, _on_record, rename_history, renaming_due
from service.history.posting import results_on_record
from service.history.stored_history import StoredHistory
from service.journal import open_journal
from service.parties.stored_parties import network
from service.store.database import Store, open_store
from service.store.tables import CARDS, CHAIN, DECISIONS
from tests.kept.kept_homes import KEPT, KeptHome, unpack

CONTACTS = ("phone_entity", "mailbox_entity", "account_entity", "shop_entity")  # no text of an erased one is the same


@dataclass(frozen=True)
class Renamed:
    """A kept home after the whole of `tamis upgrade`."""

    kept: KeptHome
    store: Store
    present: pl.DataFrame

    @property
    def has_archive(self) -> bool:
        """Whether all can be read again: over PostgreSQL the archive was not kept."""
        return self.kept.settings.store == ""

    @property
    def is_named_anew(self) -> bool:
        """Whether the upgrade had to: identifiers were read otherwise when the store was written."""
        noted = sa.select(CHAIN.c.number).where(CHAIN.c.kind == "upgrade", CHAIN.c.subject == "identifiers")
        with self.store.reading() as connection:
            return connection.execute(noted.limit(1)).first() is not None


@pytest.fixture(scope="module", params=KEPT, ids=lambda of: f"{of[0].name}-{of[1]}")
def renamed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renamed]:
    """The home of one version on one database, upgraded."""
    folder, kind = request.param
    home = tmp_path_factory.mktemp(f"names-{kind}")
    database = ""
    if kind == "postgresql":
        server = request.getfixturevalue("postgresql_address")
        name = f"names_{folder.name}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        database = server.replace("/postgres?", f"/{name}?")
    kept = unpack(folder, kind, home, database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAMIS_HOME", str(home))
        patch.setenv("TAMIS_STORE", database)
        upgrade_commands.upgrade()
    store, archive = open_store(kept.settings), Archive(kept.settings.archive, linking=True)
    sweep(open_journal(kept.settings), archive)  # as the day's work does: an upgrade may have left it nothing
    yield Renamed(kept, store, stated(archive.consignments()))
    store.close()


def test_declarations_state_what_is_read_in_the_archive_today(renamed: Renamed) -> None:
    assert renaming_due(renamed.store) == NOTHING
    with renamed.store.reading() as connection:
        on_record = _on_record(connection)
    both = on_record.join(renamed.present, on=VERSION_KEY, suffix="_now")
    assert (both.height == on_record.height) is renamed.has_archive
    assert [name for name in ENTITIES if not both[name].equals(both[f"{name}_now"])] == []


def test_history_holds_what_is_on_record_by_the_names_of_today(renamed: Renamed) -> None:
    with renamed.store.reading() as connection:
        versions = _on_record(connection)
        results = results_on_record(connection, versions["consignment_id"].unique().to_list()).filter("posted")
    expected = totals(running_totals(_facts(versions, results)))
    found = totals(StoredHistory(renamed.store).running())
    contacts = pl.concat([versions[name].rename("entity") for name in CONTACTS]).drop_nulls().unique()
    of_contacts = expected.join(contacts.to_frame(), on="entity", how="semi")
    if renamed.has_archive:
        assert of_contacts.height > 400
        assert found.join(of_contacts.select("entity"), on="entity").sort("entity").equals(of_contacts.sort("entity"))
    assert expected.join(found, on="entity", how="anti").height == 0


def totals(running: pl.DataFrame) -> pl.DataFrame:
    """The last running totals of each entity."""
    return running.sort("entity", "known_at").group_by("entity").agg(pl.col(FACTS).last())


def test_decisions_are_found_by_the_networks_of_today(renamed: Renamed) -> None:
    with renamed.store.reading() as connection:
        codes = set(connection.execute(sa.select(DECISIONS.c.network).distinct()).scalars()) - {None}
    shown = {code: network(renamed.store, code) for code in codes}
    unknown = {code for code, of in shown.items() if of is None}
    assert len(codes) > 20
    assert not unknown or not renamed.has_archive
    if renamed.has_archive and renamed.is_named_anew:  # else a network may have joined another since it was decided
        assert all(of is None or of["network_id"] == code for code, of in shown.items())


def test_without_the_archive_nobody_is_unlinked(renamed: Renamed) -> None:
    with renamed.store.reading() as connection:
        cards = connection.execute(sa.select(sa.func.count()).select_from(CARDS)).scalar_one()
    assert cards > 300


def test_once_more_nothing_changes(renamed: Renamed) -> None:
    before = StoredHistory(renamed.store).running()
    done = rename_history(renamed.store, renamed.present, 0)
    assert (done.declarations, done.judgements) == (0, 0)
    assert StoredHistory(renamed.store).running().equals(before)
