"""A lease: one run at a time publishes a day; it is released when its process ends, in whatever way."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from features.fault import Fault


class Taken(Fault):
    """Another run holds the lease; the message names the file."""


@contextmanager
def changing_bundles(home: Path) -> Iterator[None]:
    """Change alone what serves in a home until the block ends; raises Taken where another process does so."""
    try:
        with leases([home / "leases" / ".bundles"]):
            yield
    except Taken:
        raise Taken(
            "another command or officer is just changing which bundle serves (promotion, policy, roll-back, "
            "revocation): wait until that is done, look at what serves, and do it again if it is still wanted"
        ) from None


@contextmanager
def leases(paths: Sequence[Path]) -> Iterator[None]:
    """Lock these files until the block ends; raises Taken where another process holds one."""
    with ExitStack() as held:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken(f"another run holds {path}; wait for it, or stop it") from None
        yield
