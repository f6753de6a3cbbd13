"""Which key a store was written with, and how whoever holds a connection to it finds that key."""

from __future__ import annotations

import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from service.store.bulk_rows import upsert_many
from service.store.pseudonyms import KEY_FILE, Pseudonyms, has_key, pseudonyms_of
from service.store.record_files import RecordFiles
from service.store.segment_files import SegmentFiles
from service.store.tables import STATE
from service.store.xtea import KEY_BYTES

KEY_CHECK = "pseudonym_key"  # of STATE: the number by which the key is known again
_SOURCE, _SEGMENTS, _RECORDS = "key_source", "segment_files", "record_files"  # options of a connection


class OtherKey(Fault):
    """The key of the installation is not there, or not the one that the store was written with."""


class KeySource:
    """The pseudonyms of an installation, made or read when they are first asked for."""

    def __init__(self, folder: Path | None) -> None:
        """folder: of the installation's keys; without one the key ends with the process."""
        self.folder = folder

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """Return them; raises Fault where the key cannot be read."""
        return Pseudonyms(secrets.token_bytes(KEY_BYTES)) if self.folder is None else pseudonyms_of(self.folder)

    @property
    def known(self) -> bool:
        """Whether there is a key without making one."""
        return self.folder is None or has_key(self.folder)


def options_of(keys: KeySource, segments: SegmentFiles, records: RecordFiles) -> dict[str, Any]:
    """Return the options by which a connection leads to the keys and the files of its store."""
    return {_SOURCE: keys, _SEGMENTS: segments, _RECORDS: records}


def pseudonyms_in(connection: sa.Connection) -> Pseudonyms:
    """Return what keys the hashes of the store that a connection is to."""
    source: KeySource = connection.get_execution_options()[_SOURCE]
    return source.pseudonyms


def segments_in(connection: sa.Connection) -> SegmentFiles:
    """Return the files of settled history of the store that a connection is to."""
    segments: SegmentFiles = connection.get_execution_options()[_SEGMENTS]
    return segments


def records_in(connection: sa.Connection) -> RecordFiles:
    """Return the files of settled decisions of the store that a connection is to."""
    records: RecordFiles = connection.get_execution_options()[_RECORDS]
    return records


def note_key(connection: sa.Connection) -> None:
    """Remember in the store which key it is written with."""
    upsert_many(connection, STATE, [{"name": KEY_CHECK, "value": pseudonyms_in(connection).check}])


def check_key(connection: sa.Connection, keys: KeySource) -> None:
    """Refuse a store whose key is lost or another; raises OtherKey with the remedy."""
    noted = connection.execute(sa.select(STATE.c.value).where(STATE.c.name == KEY_CHECK)).scalar()
    if keys.known and noted == keys.pseudonyms.check:
        return
    what = "is not the one that the store was written with" if keys.known else "is missing"
    raise OtherKey(
        f"keys/{KEY_FILE} {what}: put back the file from a backup of this installation; without it nobody on record "
        "can be recognised"
    )
