"""What an upgrade does last: search finds what stands in the archive alone, as it finds what is ingested now."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.batch.archive import Archive
from service.record.search_index import lacks_archived, take_in_archived
from service.settings import Settings
from service.store.database import open_store


def lacks_any(settings: Settings) -> bool:
    """Say whether anything on record is not found by search, as it was ingested by an earlier version."""
    store = open_store(settings)
    try:
        return lacks_archived(store)
    finally:
        store.close()


def find_archived(settings: Settings, say: Callable[[str], None]) -> None:
    """Take in what stands in the archive, where an upgrade has left that to be done; killed, the next one goes on.

    say: prints what was done, and what remains to be done.
    """
    store = open_store(settings)
    try:
        if not lacks_archived(store):
            return
        archived = Archive(settings.archive).consignments()
        take_in_archived(store, archived)
        say(f"search finds the {len(archived):,} consignments of the archive")
        if lacks_archived(store):
            say("some on record are no longer in the archive: search finds them once they are lodged again")
    finally:
        store.close()
