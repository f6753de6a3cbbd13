"""A folder in which the workers of one service keep their counters, so that each can tell those of all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when a worker imports it


@contextmanager
def counting_together(workers: int) -> Iterator[None]:
    """Let processes that are started in the block keep their counters together, where they are several.

    A folder that is named already is taken as it is. Another one goes with the block: counters begin at nothing with
    each start of a service, as Prometheus expects.
    """
    if workers == 1 or os.environ.get(SHARED):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tamis-counters-") as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]
