"""One directory over the keys of many files of settled decisions, so that a call looks in one place, not in a hundred.

It follows from the files of keys, says by name which ones it is over, and counts only where all of these are listed: so
it can be made at any time, by any process, and deleted. It is of consignments alone, by which each call looks.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Keys = Callable[[str, int], tuple[Hashes, npt.NDArray[np.uint32]]]
SUFFIX = ".merged"
APART = 6  # files of keys that are in no directory, from which a new one is made
HASH, ORDER = np.dtype("<u8"), np.dtype("<u4")
ALIGNED = 8


@dataclass(frozen=True, slots=True)
class Directory:
    """Sorted hashes over several files of keys, and where each stands: counted through all of them, in their order."""

    name: str
    over: tuple[tuple[str, int], ...]
    hashes: Hashes
    at: npt.NDArray[np.uint32]

    def find(self, asked: Hashes) -> tuple[Places, Places, Places]:
        """Return of hashes that are found: their place among those asked for, the file, and the place in it."""
        first, last = np.searchsorted(self.hashes, asked, "left"), np.searchsorted(self.hashes, asked, "right")
        found = np.flatnonzero(last > first)
        which = np.repeat(found, (last - first)[found])
        ranks = [rank for place in found.tolist() for rank in range(first[place], last[place])]
        at = self.at[ranks].astype(np.int64)
        begins = np.cumsum([0, *(rows for _, rows in self.over)])
        file = np.searchsorted(begins, at, "right") - 1
        return which.astype(np.int64), file.astype(np.int64), at - begins[file]


def open_directory(path: Path) -> Directory | None:
    """Map a directory into memory; None where it is not whole."""
    try:
        mapped = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError):
        return None
    size = int(mapped[:ALIGNED].view(np.uint64)[0]) if len(mapped) >= ALIGNED else 0
    begin = ALIGNED + size
    try:
        over = tuple((str(name), int(rows)) for name, rows in orjson.loads(bytes(mapped[ALIGNED:begin])))
    except (orjson.JSONDecodeError, ValueError):
        return None
    rows = sum(rows for _, rows in over)
    begin += -begin % ALIGNED
    middle = begin + rows * HASH.itemsize
    if len(mapped) != middle + rows * ORDER.itemsize or name_of(over) != path.name:
        return None
    return Directory(path.name, over, mapped[begin:middle].view(HASH), mapped[middle:].view(ORDER))


def write_directory(folder: Path, over: Sequence[tuple[str, int]], keys: Keys) -> Path:
    """Write a directory over files of keys, each with its number of rows; complete before it has its name."""
    each = [keys(name, rows) for name, rows in over]
    begins = np.cumsum([0, *(rows for _, rows in over)])
    hashes = np.concatenate([of for of, _ in each])
    at = np.concatenate([places.astype(np.int64) + begin for (_, places), begin in zip(each, begins, strict=False)])
    order = np.argsort(hashes, kind="stable")
    head = orjson.dumps(list(over))
    head += b" " * (-(ALIGNED + len(head)) % ALIGNED)
    path = folder / name_of(over)
    partial = path.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as file:
        file.write(np.array([len(head)], np.uint64).tobytes() + head)
        file.write(hashes[order].astype(HASH).tobytes() + at[order].astype(ORDER).tobytes())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path


def name_of(over: Sequence[tuple[str, int]]) -> str:
    """Return the name of the directory over some files: it follows from what it is over."""
    return hashlib.sha256(orjson.dumps(list(over))).hexdigest()[:32] + SUFFIX
