"""What an upgrade does after its last step: senders, contacts and addresses on record are read as this version does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from features.history.facts import stated
from features.moments import micros
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.batch.link_archive import resolve
from service.audit.renaming import GRAPH, HISTORY, rename_decided, rename_history, renaming_due, versions_stated
from service.history.compaction import settle
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.watch_lists import overview
from service.settings import Settings
from service.store.database import Store, open_store


def name_anew(settings: Settings, now: datetime, say: Callable[[str], None]) -> None:
    """Make history, judgements, cards and links anew from the archive, where an upgrade has left that to be done.

    Killed in the middle, the next `tamis upgrade` goes on. say: prints what was done, and what remains to be done.
    """
    store = open_store(settings)
    try:
        if renaming_due(store) == HISTORY:
            _name_history_anew(store, settings, now, say)
        if renaming_due(store) == GRAPH:
            _link_anew(store, settings, say)
    finally:
        store.close()


def _name_history_anew(store: Store, settings: Settings, now: datetime, say: Callable[[str], None]) -> None:
    switch = LinkingSwitch(settings.linking)
    archive = Archive(settings.archive, linking=switch.on)
    sweep(Journal(store, switch), archive)
    done = rename_history(store, stated(archive.consignments()), micros(now))
    settle(store, everything=True)
    say(f"{done.declarations:,} declarations name their senders, contacts and addresses as this version reads them")
    if done.judgements:
        say(f"{done.judgements:,} judgements of officers are on the parties of today")
    if done.kept:
        say(f"{done.kept:,} declarations are no longer in the archive: history knows them by their former names")


def _link_anew(store: Store, settings: Settings, say: Callable[[str], None]) -> None:
    if LinkingSwitch(settings.linking).on and not _holds_most(store, settings):
        say("senders are not linked anew, as the archive here lacks most of them: run `tamis link` where it is whole")
    elif LinkingSwitch(settings.linking).on:
        linked = resolve(settings)
        say(f"{linked.cards:,} senders are linked anew: {linked.links:,} pairs, {linked.networks:,} networks")
    decided = rename_decided(store)
    if decided:
        say(f"{decided:,} decisions are found by the networks of today; what they say stays as it was given")
    for row in overview(store):
        if row["status"] == "active":
            say(
                f"list {row['list_id']} is known by hashes of an earlier version: import its file once more, "
                "with `tamis lists import`, or its subjects are found by what has not changed alone"
            )


def _holds_most(store: Store, settings: Settings) -> bool:
    """Say whether the archive here holds most of what is on record: a graph made of a part would lose the rest."""
    held = len(Archive(settings.archive).consignments())
    return 2 * held >= versions_stated(store)
