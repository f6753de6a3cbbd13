"""Draws by hash: the same number for a consignment version on every machine, unpredictable without the seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from xxhash import xxh64_intdigest

from service.orientation.columns import Floats, Hashes, Known

SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Draws:
    """The numbers drawn for each consignment version.

    draw, second_draw: in [0, 1), for the blind draw and for exploration. tie: breaks ties of equal scores; no sender
    can influence it.
    """

    draw: Floats
    second_draw: Floats
    tie: Hashes


def drawn(seed: int, known: Known) -> Draws:
    """Draw for each consignment version."""
    identifiers = known.text("consignment_id").rows()
    versions = [
        f"{identifier}{SEPARATOR}{version}"
        for identifier, version in zip(identifiers, known.whole("version").tolist(), strict=True)
    ]
    return Draws(_draw(versions, f"{seed}"), _draw(versions, f"{seed}", "exploration"), _hashes(versions))


def _draw(versions: Sequence[str], *salt: str) -> Floats:
    start = SEPARATOR.join((*salt, ""))
    return (_hashes(start + version for version in versions) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _hashes(texts: Iterable[str]) -> Hashes:
    return np.array([xxh64_intdigest(text.encode()) for text in texts], np.uint64)
