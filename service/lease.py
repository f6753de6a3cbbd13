"""A lease: one run at a time publishes a day; it ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from features.fault import Fault


class Taken(Fault):
    """Another run holds the lease; the message says of what."""


@contextmanager
def leases(paths: Sequence[Path]) -> Iterator[None]:
    """Hold a lock on each of some files until the block ends; raises Taken where another process holds one."""
    with ExitStack() as held:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken(f"another run holds {path}; wait for it, or stop it") from None
        yield
