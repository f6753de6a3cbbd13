"""The files of reads that are noted and not in the store yet: their lines, and the lock of the process they are of."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


def reads_of(path: Path) -> Iterator[dict[str, Any]]:
    """Read a group; half a line is of a read that was refused, as its line could not be written."""
    for line in path.read_bytes().split(b"\n"):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        yield row


def locked_file(folder: Path, token: str) -> int:
    """Make the lock of a token, held before anybody can see it."""
    hidden = folder / f".{token}"
    held = os.open(hidden, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    hidden.rename(folder / f"{token}.lock")
    return held


def taken_lock(lock: Path) -> int | None:
    """Take the lock of a process that has ended; None where it lives, or another took it."""
    try:
        held = os.open(lock, os.O_WRONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held
