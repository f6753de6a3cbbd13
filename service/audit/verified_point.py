"""How far the record was verified: signed, so that a verification can go on from there and nobody else says so.

A change of what lies before that point is found by looking at everything again, and only so: whoever goes on from it
says what was not looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from service.scoring.signature import PRIVATE, SignatureFault, sign, signing_key, verify

NAME = "verified.json"  # beside the checkpoints
Seen = tuple[str, str, int]  # of a file of settled decisions: its hash, that of its keys, how many rows were lifted


@dataclass(frozen=True, slots=True)
class Point:
    """The last entry that was verified with its hash, when, and the files of settled decisions as they were then.

    whole_at: when everything was looked at last.
    """

    number: int
    hash: str
    at: str
    whole_at: str
    files: Mapping[str, Seen] = field(default_factory=dict)


def read_point(folder: Path, keys: Path) -> Point | None:
    """Return how far the record was verified; None where that was never noted. Raises SignatureFault."""
    try:
        signed = json.loads((folder / NAME).read_text(encoding="utf-8"))
        content = _signed(signed, keys)
        files = {name: (str(file), str(of), int(lifted)) for name, (file, of, lifted) in content["files"].items()}
        return Point(int(content["number"]), content["hash"], content["at"], content["whole_at"], files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise SignatureFault(f"{NAME}: it cannot be read; verify without --since-last") from fault


def _signed(content: Mapping[str, Any], keys: Path) -> Mapping[str, Any]:
    try:
        return verify(content, keys)
    except SignatureFault as fault:
        raise SignatureFault(f"{NAME}: {fault}; verify without --since-last") from fault


def keep_point(point: Point, folder: Path, keys: Path) -> bool:
    """Note how far the record was verified; False where this place has no key to sign it with."""
    if not (keys / PRIVATE).exists():
        return False
    signed = sign(asdict(point), signing_key(keys))
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{NAME}.{os.getpid()}"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(signed, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / NAME)
    return True
