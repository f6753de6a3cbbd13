"""The 64-bit hashes by which entities and evidence are known: xxHash of texts, equal on every machine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from xxhash import xxh64_intdigest

SIGN, RANGE = 2**63, 2**64


def hash_of(text: str) -> int:
    """Return the hash of a text, a signed number of 64 bits.

    >>> hash_of("phone\\x1f+8613512340987")
    -2294907424687865314
    """
    number = xxh64_intdigest(text.encode())
    return number - RANGE if number >= SIGN else number


def hashes_of(texts: Iterable[str | None]) -> npt.NDArray[np.int64]:
    """Return the hash of each text; 0 where there is none."""
    return np.array([0 if text is None else xxh64_intdigest(text.encode()) for text in texts], np.uint64).view(np.int64)
