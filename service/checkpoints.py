"""Signed checkpoints of the audit chain, kept apart from it: whoever rewrites the store cannot rewrite them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from service.chain import tail
from service.scoring.signature import SignatureFault, sign, signing_key, verify
from service.store import Store

DIGITS = 12


def checkpoint(store: Store, folder: Path, keys: Path, now: datetime) -> Path | None:
    """Sign how far the chain reaches and keep it in `folder`; None where nothing was added since the last one."""
    with store.reading() as connection:
        number, last = tail(connection)
    path = folder / f"{number:0{DIGITS}d}.json"
    if number == 0 or path.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    signed = sign({"number": number, "hash": last, "at": now.isoformat()}, signing_key(keys))
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
            content = verify(json.loads(path.read_text(encoding="utf-8")), keys)
        except (SignatureFault, ValueError, AttributeError, OSError):
            yield path, None
        else:
            yield path, content if {"number", "hash"} <= content.keys() else None
