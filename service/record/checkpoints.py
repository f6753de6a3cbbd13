"""Signed checkpoints of the audit chain, kept apart from it: whoever rewrites the store cannot rewrite them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from service.record.audit_log import tail
from service.scoring.signature import SignatureFault, sign, signing_key, verify
from service.store.database import Store
from service.store.digests import Digest, recorded

DIGITS = 12


def checkpoint(store: Store, folder: Path, keys: Path, now: datetime) -> Path | None:
    """Sign how far the chain reaches and keep it in `folder`; None where nothing was added since the last one."""
    with store.reading() as connection:
        number, last = tail(connection)
        tables = {name: _summary(digest) for name, digest in recorded(connection).items()}
    path = folder / f"{number:0{DIGITS}d}.json"
    if number == 0 or path.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    content = {"number": number, "hash": last, "at": now.isoformat(), "tables": tables}
    signed = sign(content, signing_key(keys))
    temporary = folder / f".{path.name}.{os.getpid()}"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(signed, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return path


def checkpoints(folder: Path, keys: Path) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Every checkpoint in order; None for one that nobody trusted has signed."""
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            signed = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            signed = None
        yield path, content_of(signed, keys)


def content_of(signed: Any, keys: Path) -> dict[str, Any] | None:
    """The content of a checkpoint; None where the installation's key did not sign it."""
    try:
        content = verify(signed, keys)
    except (SignatureFault, ValueError, AttributeError):
        return None
    return content if {"number", "hash"} <= content.keys() else None


def _summary(digest: Digest) -> dict[str, Any]:
    """What a checkpoint says of a table: how many rows, and the hash of its digest."""
    return {"rows": digest.rows, "sha256": hashlib.sha256(str(digest.total).encode()).hexdigest()}
