"""What libraries needed only while they were loaded goes back to the system: it stands in their files."""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SMAPS = Path("/proc/self/smaps")
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (r-[x-]p) \S+ \S+ \d+ +/")  # private, of a file, never written to


def forget_loaded_code() -> int:
    """Let go of the code and tables of libraries that are in memory; returns how many bytes these were.

    Half of what a worker holds after its start is code that only the start ran: the compiler of the kernels, most of
    the frames. What is touched again comes back from the file, as a rule without the disk. Only mappings are let go
    that cannot be written to and hold no page that differs from the file, so nothing can be lost. On systems without
    /proc nothing happens.
    """
    if sys.platform != "linux" or not SMAPS.exists():
        return 0
    advise = ctypes.CDLL(None, use_errno=True).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    forgotten = 0
    for begins, ends, resident in _as_in_their_files(SMAPS.read_text(encoding="utf-8", errors="replace").splitlines()):
        if advise(begins, ends - begins, mmap.MADV_DONTNEED) == 0:
            forgotten += resident
    return forgotten


def _as_in_their_files(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield the bounds of each mapping that is as its file says, and how many of its bytes are in memory."""
    bounds: tuple[int, int] | None = None
    resident = 0
    for line in lines:
        name, _, figure = line.partition(":")
        if "-" in name:  # a mapping begins: its figures follow
            found = MAPPING.match(line)
            bounds = (int(found[1], 16), int(found[2], 16)) if found else None
        elif name == "Rss":
            resident = int(figure.split()[0]) * 1024
        elif name == "Anonymous" and bounds and resident and int(figure.split()[0]) == 0:
            yield *bounds, resident
