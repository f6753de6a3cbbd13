"""Where `tamis score` published: those folders are outside of the home, and an erasure must name them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from service.settings import Settings

LIST = "published.jsonl"


def note_published(settings: Settings, out: Path) -> None:
    """Remember a folder, once, before anything is written into it."""
    folder = str(out.absolute())
    if folder in published_folders(settings):
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"folder": folder}, ensure_ascii=False) + "\n"
    handle = os.open(settings.home / LIST, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(handle, "a", encoding="utf-8") as file:  # one write: lines of two runs do not mix
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def published_folders(settings: Settings) -> list[str]:
    """List the folders, in the order in which they were first used."""
    return list(dict.fromkeys(_noted(settings.home / LIST)))


def _noted(path: Path) -> Iterator[str]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield str(json.loads(line)["folder"])
