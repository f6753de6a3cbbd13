"""Code that only the start ran leaves memory, and nothing that somebody changed does."""

from __future__ import annotations

import subprocess
import sys

from service.runtime.loaded_code import _as_in_their_files

ONE_PROCESS = """
import numba, numpy as np, polars as pl
from tests.bench.memory import megabytes_of
from service.runtime.loaded_code import forget_loaded_code
import os

@numba.njit
def doubled(numbers):
    return numbers * 2

before = doubled(np.arange(3.0)), pl.DataFrame({"a": [1, 2]}).group_by("a").len().height
held = megabytes_of(os.getpid())["resident"]
forgotten = forget_loaded_code() // 2**20
left = megabytes_of(os.getpid())["resident"]
again = doubled(np.arange(3.0)), pl.DataFrame({"a": [1, 2]}).group_by("a").len().height
assert (before[0] == again[0]).all() and before[1] == again[1] == 2
print(held, left, forgotten)
"""
ROWS = """\
1000-3000 r-xp 00000000 fe:00 11   /lib/compiler.so
Rss:          8 kB
Anonymous:    0 kB
3000-4000 r--p 00002000 fe:00 11   /lib/compiler.so
Rss:          4 kB
Anonymous:    4 kB
4000-5000 rw-p 00003000 fe:00 11   /lib/compiler.so
Rss:          4 kB
Anonymous:    0 kB
5000-6000 r-xp 00000000 00:00 0
Rss:          4 kB
Anonymous:    0 kB
6000-7000 r--s 00000000 fe:00 12   /home/segment.arrow
Rss:          4 kB
Anonymous:    0 kB
7000-8000 r--p 00000000 fe:00 13   /lib/a table: of names.so
Rss:          4 kB
Anonymous:    0 kB
8000-9000 r-xp 00000000 fe:00 13   /lib/untouched.so
Rss:          0 kB
Anonymous:    0 kB
"""


def test_what_is_forgotten_works_on_and_is_out_of_memory() -> None:
    done = subprocess.run([sys.executable, "-c", ONE_PROCESS], capture_output=True, text=True, check=True)
    held, left, forgotten = map(int, done.stdout.split())
    assert forgotten > 50
    assert left < held - forgotten // 2


def test_only_mappings_that_are_as_in_their_files_are_let_go() -> None:
    assert [*_as_in_their_files(ROWS.splitlines())] == [(0x1000, 0x3000, 8192), (0x7000, 0x8000, 4096)]
