"""Copies of checkpoints in a second place: sent in order, tried again until they are there, and seen when they lag."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from service.record.checkpoint_places import Place, PlaceFault, place_of
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Copies:
    """How far the copies have come: how many are sent and wait, the last number sent, and since when nothing goes."""

    place: str
    last: str = ""
    waiting: int = 0
    failing_since: str = ""
    fault: str = ""


def copies_of(settings: Settings) -> Copies | None:
    """Read how far the copies have come, without asking the place; None where no second place is set."""
    if not settings.checkpoint_place:
        return None
    known = _known(settings)
    waiting = [path for path in _written(settings) if path.name > known.last]
    return Copies(known.place, known.last, len(waiting), known.failing_since, known.fault)


def send_checkpoints(settings: Settings, now: datetime) -> Copies | None:
    """Send what is not in the second place yet, the oldest first; what fails is tried again by the next call."""
    if not settings.checkpoint_place:
        return None
    known = _known(settings)
    last, fault = known.last, ""
    try:
        place = place_of(settings.checkpoint_place, settings.checkpoint_token)
        for path in _written(settings):
            if path.name > last:
                place.send(path.name, path.read_bytes())
                last = path.name
    except PlaceFault as refused:
        fault = str(refused)
    since = (known.failing_since or now.isoformat(timespec="seconds")) if fault else ""
    done = Copies(settings.checkpoint_place, last, 0, since, fault)
    if done != known:
        _keep(settings, done)
    return copies_of(settings)


def send_all(settings: Settings, place: Place) -> int:
    """Send every checkpoint to a place of one's choice; the number of those that are there now. Raises PlaceFault."""
    written = _written(settings)
    for path in written:
        place.send(path.name, path.read_bytes())
    return len(written)


def _written(settings: Settings) -> list[Path]:
    return sorted(settings.checkpoints.glob("[0-9]*.json"))


def _known(settings: Settings) -> Copies:
    """What was noted last; nothing of another place than the one that is set now."""
    try:
        noted: Mapping[str, Any] = json.loads(settings.checkpoint_copies.read_text(encoding="utf-8"))
    except FileNotFoundError:
        noted = {}
    if noted.get("place") != settings.checkpoint_place:
        return Copies(settings.checkpoint_place)
    return Copies(**noted)


def _keep(settings: Settings, copies: Copies) -> None:
    path = settings.checkpoint_copies
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(asdict(copies)), encoding="utf-8")
    temporary.replace(path)
