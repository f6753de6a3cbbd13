"""A whole home copied while a service runs, and put back elsewhere: database, settled history, bundles, keys, files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.fault import Fault
from service.runtime.private_files import close_to_others
from service.settings import Settings
from service.store.backup_files import PACKED, read_backup, write_folder, write_packed
from service.store.database import HISTORY, RECORD, Store, open_any_schema
from service.store.record_files import RecordFiles
from service.store.segment_files import SegmentFiles
from service.store.snapshot import DUMP_FILE, SQLITE_FILE, copy_sqlite, restore_dump, snapshot
from service.store.tracking_paths import move_artifacts

TRIES = 10  # settled history is merged now and then; the next try finds what it was merged into
LEFT_OUT = ("leases", "backups", "upgrade.lease")  # what others hold now, and earlier backups
LOGS = ("", "-wal", "-shm", "-journal")  # beside a file of SQLite


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written: where, how many files and bytes, and the schema of the store in it."""

    path: Path
    files: int
    size: int
    schema: int | None


def back_up(settings: Settings, target: Path, now: datetime) -> Backup:
    """Copy a home to a new folder, or to one file where the name ends in .tar, .tar.gz or .tgz.

    Everything acknowledged before it began is in it. It holds the keys of the installation: only its owner can read it.
    """
    if target.exists():
        raise Fault(f"{target} is there already: name a new folder or file")
    if not settings.home.is_dir():
        raise Fault(f"there is no home in {settings.home}: nothing to back up")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        copied, partial = Path(name) / "copied", Path(name) / "whole"
        copied.mkdir()
        schema, members = _gather(settings, copied)
        facts = {"made_at": now.isoformat(), "schema": schema, "home": str(settings.home.absolute())}
        if target.name.endswith(PACKED):
            size = write_packed(partial, members, facts, compressed=not target.name.endswith(".tar"))
        else:
            size = write_folder(partial, members, facts, moved=copied)
        partial.replace(target)
    return Backup(target, len(members), size, schema)


def restore(source: Path, home: Path, address: str) -> None:
    """Put a backup into a new home. `address`: an empty database where the backup is of PostgreSQL, else none."""
    if home.exists() and any(home.iterdir()):
        raise Fault(f"{home} is not empty: name a new folder")
    exists = home.exists()  # made for its user, who may write nothing beside it, or a disk of its own
    beside = home if exists else home.parent
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{home.name}.", dir=beside) as name:
        folder = Path(name) / "home"
        facts = read_backup(source, folder)
        dump = folder / DUMP_FILE
        if dump.exists() and not address.startswith("postgresql"):
            raise Fault("the backup is of a PostgreSQL store: name an empty database in TAMIS_STORE")
        if not dump.exists() and address:
            raise Fault("the backup is of a SQLite store, which lies in the home itself: leave TAMIS_STORE empty")
        if dump.exists():
            store = Store(address, any_schema=True)
            restore_dump(store, dump)
            store.close()
            dump.unlink()
        move_artifacts(folder, Path(str(facts["home"])), home)
        close_to_others(folder)
        if not exists:
            folder.replace(home)
            return
        for path in sorted(folder.iterdir()):
            path.replace(home / path.name)


def _gather(settings: Settings, folder: Path) -> tuple[int | None, list[tuple[str, Path]]]:
    """What goes into a backup, and the schema of its store.

    Checkpoints first: each must be of an entry that the copied audit log has. All else after the database: what a
    decision rests on was there before the decision.
    """
    checkpoints = list(_checkpoints(settings, folder))
    store = open_any_schema(settings)
    try:
        schema, stored = copy_store(store, folder)
    finally:
        store.close()
    if settings.tracking.exists():
        copy_sqlite(settings.tracking, folder / settings.tracking.name)
        stored.append((settings.tracking.name, folder / settings.tracking.name))
    return schema, [*checkpoints, *stored, *_others(settings, store)]


def _checkpoints(settings: Settings, folder: Path) -> Iterator[tuple[str, Path]]:
    kept = folder / "signed"
    kept.mkdir()
    for path in sorted(settings.checkpoints.glob("*.json")):
        yield path.relative_to(settings.home).as_posix(), Path(shutil.copy2(path, kept / path.name))


def copy_store(store: Store, folder: Path) -> tuple[int | None, list[tuple[str, Path]]]:
    """Copy the database, and keep the files that this very copy lists from being replaced meanwhile."""
    before = f"{SQLITE_FILE}." if store.is_sqlite else ""
    places: list[tuple[str, SegmentFiles | RecordFiles]] = [
        (f"{before}{HISTORY}", store.segments),
        (f"{before}{RECORD}", store.records),
    ]
    for _ in range(TRIES):
        for name, files in places:
            if files.usable and files.folder.is_dir():
                _keep(files.folder, folder / name, sorted(path.name for path in files.folder.iterdir()))
        path, schema, listed = snapshot(store, folder)
        copied = [(path.name, path)]
        for (name, files), of_copy in zip(places, (listed.history, listed.record), strict=True):
            if of_copy:
                _keep(files.folder, folder / name, sorted(of_copy))
            copied += [(f"{name}/{file}", folder / name / file) for file in sorted(of_copy)]
        if all(file.exists() for _, file in copied):
            return schema, copied
        path.unlink()
    raise Fault("settled files were replaced again and again meanwhile: run it once more")


def _keep(settled: Path, kept: Path, files: Sequence[str]) -> None:
    """Give a second name to files that are never changed, or copy them where the disk has no second names."""
    kept.mkdir(exist_ok=True)
    for file in files:
        if (kept / file).exists():
            continue
        try:
            os.link(settled / file, kept / file)
        except FileNotFoundError:  # merged since it was listed
            continue
        except OSError:
            shutil.copy2(settled / file, kept / file)


def _others(settings: Settings, store: Store) -> Iterator[tuple[str, Path]]:
    """All other files; what names the serving bundle before the bundles, so that it names one that is there."""
    home, apart = settings.home, {"checkpoints", *LEFT_OUT}
    databases = [settings.tracking.name, SQLITE_FILE, Path(str(store.engine.url.database)).name]
    settled = (f".{HISTORY}", f".{RECORD}")
    apart |= {f"{name}{log}" for name in databases for log in (*LOGS, *settled)} | {HISTORY, RECORD}
    for path in sorted(home.rglob("*"), key=lambda path: (path.parent != settings.bundles, path)):
        parts = path.relative_to(home).parts
        if path.is_file() and parts[0] not in apart and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), path
