"""A backup on disk, a folder or one file: written with the hash of everything in it, and read back only as written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from features.fault import Fault

CONTENTS = "backup.json"  # when it was made, of which schema, and the hash of each file
PACKED = (".tar", ".tar.gz", ".tgz")
CHUNK = 1024 * 1024
Members = Sequence[tuple[str, Path]]  # the name of each file in the backup, and where its bytes are now


def write_folder(folder: Path, members: Members, facts: Mapping[str, Any], *, moved: Path) -> int:
    """Write a backup as a folder, and give its size; what lies directly in `moved` is moved, all else copied."""
    folder.mkdir(mode=0o700)
    hashes = {}
    for name, source in members:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.parent == moved:
            source.replace(target)
        else:
            try:
                shutil.copy2(source, target)
            except FileNotFoundError:  # written anew or deleted since it was listed: nothing on record names it
                continue
        hashes[name] = _sha256(target)
    (folder / CONTENTS).write_text(_contents(facts, hashes), encoding="utf-8")
    return sum((folder / name).stat().st_size for name in hashes)


def write_packed(file: Path, members: Members, facts: Mapping[str, Any], *, compressed: bool) -> int:
    """Write a backup as one file that only its owner can read, and give its size."""
    file.touch(mode=0o600)
    with file.open("wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz" if compressed else "w") as packed:
            hashes = dict(_packed_members(packed, members))
            body = _contents(facts, hashes).encode()
            listing = tarfile.TarInfo(CONTENTS)
            listing.size = len(body)
            packed.addfile(listing, io.BytesIO(body))
        raw.flush()
        os.fsync(raw.fileno())
    return file.stat().st_size


def _packed_members(packed: tarfile.TarFile, members: Members) -> Iterator[tuple[str, str]]:
    for name, source in members:
        try:
            file = source.open("rb")
        except FileNotFoundError:  # as in a folder
            continue
        with file:
            hashed = _Hashed(file)
            packed.addfile(packed.gettarinfo(arcname=name, fileobj=file), hashed)
        yield name, hashed.sha256.hexdigest()


class _Hashed:
    """A file that is hashed while it is read, so that a large one is read once and never held."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        read = self._file.read(size)
        self.sha256.update(read)
        return read


def _unpack(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file of a backup; raises TarError for what is no plain file below the folder.

    `tarfile` has a filter for this since Python 3.11.4, and Debian 12 has 3.11.2.
    """
    parts = PurePosixPath(member.name).parts
    content = packed.extractfile(member) if member.isreg() else None
    if content is None or not parts or parts[0] == "/" or ".." in parts:
        raise tarfile.TarError("it holds what is no file of a home")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)
    os.utime(target, (member.mtime, member.mtime))


def read_backup(source: Path, folder: Path) -> dict[str, Any]:
    """Put the files of a backup into a new folder, and give its facts; raises Fault where one is not as written."""
    if source.is_dir():
        shutil.copytree(source, folder)
    else:
        folder.mkdir(mode=0o700)
        try:
            with tarfile.open(source) as packed:
                for member in packed:
                    _unpack(packed, member, folder)
        except tarfile.TarError as fault:
            raise Fault(f"{source}: not a backup, or damaged: {fault}") from fault
    try:
        facts: dict[str, Any] = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        hashes: dict[str, str] = facts.pop("files")
    except (FileNotFoundError, ValueError, KeyError, AttributeError) as fault:
        raise Fault(f"{source}: not a backup, or one that was never finished: no {CONTENTS} in it") from fault
    _check(source, folder, hashes)
    (folder / CONTENTS).unlink()
    return facts


def _check(source: Path, folder: Path, hashes: Mapping[str, str]) -> None:
    for name, sha256 in hashes.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != sha256:
            raise Fault(f"{source}: {name} is missing or changed since the backup was made")


def _contents(facts: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    return json.dumps({**facts, "files": hashes}, indent=1)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
