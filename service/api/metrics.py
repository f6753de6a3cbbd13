"""What Prometheus may read: counts and durations, never a name or an identifier."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

WHAT = ("history", "model", "lists")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = Counter(
            "tamis_decisions", "decisions given", ["clearance", "selection", "mode"], registry=self.registry
        )
        self.outcomes = Counter("tamis_outcomes", "inspection results recorded", registry=self.registry)
        self.refused = Counter("tamis_calls_refused", "calls told to come again", ["why"], registry=self.registry)
        self.lacking = Gauge(
            "tamis_lacking", "1 while decisions lack it, by what they lack", ["what"], registry=self.registry
        )
        self.unsent = Gauge(
            "tamis_checkpoints_waiting", "checkpoints that are not in the second place yet", registry=self.registry
        )
        self.seconds = Histogram(
            "tamis_request_seconds", "time to answer", ["route", "status"], buckets=BUCKETS, registry=self.registry
        )

    def lack(self, lost: Collection[str]) -> None:
        """Note what decisions lack now."""
        for what in WHAT:
            self.lacking.labels(what).set(what in lost)

    def text(self) -> bytes:
        """All of them in the exposition format."""
        return generate_latest(self.registry)
