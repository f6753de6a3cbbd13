"""What Prometheus may read: counts and durations of all workers, and how the service stands; never a name of a person.

Counters live in each worker. Where several answer on one port, they keep them in files of a folder that
PROMETHEUS_MULTIPROC_DIR names, and whichever is asked adds up those of all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.runtime.shared_counters import SHARED

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one process, or its part in those of several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = Counter(
            "tamis_decisions", "decisions given", ["clearance", "selection", "mode"], registry=self.registry
        )
        self.outcomes = Counter("tamis_outcomes", "inspection results recorded", registry=self.registry)
        self.refused = Counter("tamis_calls_refused", "calls told to come again", ["why"], registry=self.registry)
        self.unsent = Gauge(
            "tamis_checkpoints_waiting", "checkpoints that are not in the second place yet", registry=self.registry,
            multiprocess_mode="mostrecent",
        )  # fmt: skip
        self.seconds = Histogram(
            "tamis_request_seconds", "time to answer", ["route", "status"], buckets=BUCKETS, registry=self.registry
        )

    def text(self, state: Iterable[Metric] = ()) -> bytes:
        """Return all of them in the exposition format, with how the service stands."""
        counted = self.registry
        if os.environ.get(SHARED):
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        standing = CollectorRegistry()
        standing.register(_Of(list(state)))
        return generate_latest(counted) + generate_latest(standing)


class _Of(Collector):
    """Metrics that were looked up just now."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found
