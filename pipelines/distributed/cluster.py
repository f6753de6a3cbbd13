"""The workers of a dask cluster, local or joined by its address, and recovery from the loss of a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from features.catalogue import INPUTS
from features.fault import Fault
from features.fingerprint import fingerprint

Client = Any  # of distributed, an optional dependency without types
Promise = Any  # its Future: the result of a task, on the worker that computes it
Part = TypeVar("Part")
ENGINES = "local, dask or dask=ADDRESS"
LOCAL = ("local", "here")  # the second is what it was called before
TRIES = 5  # attempts to schedule work; a cluster that loses workers faster is unusable
JOINED_WITHIN = 20  # seconds to reach a scheduler, and for its first worker to join
TASKS_PER_WORKER = 4  # parts held by or queued for each worker: they bound the memory, not the day
ONE_THREAD = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")  # a worker is a core
LOG = structlog.get_logger("tamis.many")


class ClusterFault(Fault):
    """No usable cluster; the message names the remedy."""


class Cluster:
    """The workers of a cluster, as a batch needs them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shared: dict[int, tuple[Any, Promise]] = {}

    @property
    def client(self) -> Client:
        return self._client

    def workers(self) -> frozenset[str]:
        """Return the addresses of the present workers; a restarted one has another address."""
        return frozenset(self._client.nthreads())

    def size(self) -> int:
        """Return the number of present workers."""
        return max(1, len(self.workers()))

    def shared(self, value: Any, *, everywhere: bool = True) -> Promise:
        """Send a value to every worker, or to one of them, once for as long as no worker is lost."""
        if id(value) not in self._shared:
            self._shared[id(value)] = (value, self._client.scatter(value, broadcast=everywhere, hash=False))
        return self._shared[id(value)][1]

    def drop(self, values: Iterable[Any]) -> None:
        """Release shared values."""
        for value in values:
            self._shared.pop(id(value), None)

    def sent(self, value: Any) -> Promise:
        """Send a value to one worker."""
        return self._client.scatter(value, hash=False)

    def task(self, work: Callable[..., Any], *given: Any) -> Promise:
        """Submit a function call to some worker; futures among the arguments stand for their results."""
        return self._client.submit(work, *given, pure=False)

    def each(self, parts: Sequence[Part], plan: Callable[[Part], Promise]) -> list[Any]:
        """Return the results of a plan for each part, in order; as many parts at a time as the workers can hold."""
        results: list[Any] = []
        while len(results) < len(parts):
            batch = parts[len(results) : len(results) + TASKS_PER_WORKER * self.size()]
            results += self.surely(lambda batch=batch: [plan(part) for part in batch])  # type: ignore[misc]
        return results

    def surely(self, plan: Callable[[], list[Promise]]) -> list[Any]:
        """Return the results of a plan, scheduled again if a worker was lost with data that only it held.

        Results of a lost worker are computed again by dask itself; data that was only sent to it is gone.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        lost = (KilledWorker, FutureCancelledError, CommClosedError, TimeoutError)
        for left in reversed(range(TRIES)):
            try:
                return list(self._client.gather(plan()))
            except lost as fault:
                LOG.warning("a worker was lost; its part is worked on again", kind=type(fault).__name__, left=left)
                self._shared.clear()
                self._wait()
        raise ClusterFault(f"the workers of the cluster were lost {TRIES} times over the same part; see their logs")

    def _wait(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=JOINED_WITHIN)
        except TimeoutError:
            raise ClusterFault(f"the cluster has no worker, and none came within {JOINED_WITHIN} seconds") from None

    def ready(self) -> Cluster:
        """Return the cluster once a worker has joined and all have this machine's features; raises ClusterFault."""
        self._wait()
        expected = edition()
        for worker, actual in self._client.run(edition).items():
            if actual != expected:
                raise ClusterFault(
                    f"the worker at {worker} has another catalogue of features; install this version there"
                )
        return self


def hushed() -> None:
    """Silence the output of local workers, as LightGBM reports each port; faults are still returned."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def edition() -> str:
    """Return the identity of what a worker computes: the fingerprint of its catalogue of features."""
    return fingerprint(INPUTS)


@contextmanager
def connect_workers(engine: str) -> Iterator[Cluster | None]:
    """Connect to the workers that an engine names; none where this process does the work. Raises ClusterFault."""
    kind, _, address = engine.partition("=")
    if engine in LOCAL:
        yield None
        return
    if kind != "dask" or (engine != "dask" and not address):
        raise ClusterFault(f"--engine: unknown engine; write one of {ENGINES}")
    try:
        import dask
        import distributed
    except ModuleNotFoundError as missing:
        raise ClusterFault("the engine dask needs its packages; install Tamis with the extra `dask`") from missing
    if address:
        with _joined(distributed, address) as client:
            yield Cluster(client).ready()
        return
    environment = {f"distributed.nanny.pre-spawn-environ.{name}": 1 for name in ONE_THREAD}
    with (
        dask.config.set(environment),
        distributed.LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            dashboard_address=":0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(hushed)
        yield Cluster(client).ready()


def _joined(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=JOINED_WITHIN)
    except (OSError, ValueError, TimeoutError) as fault:
        raise ClusterFault(f"no scheduler of dask answers at {address}") from fault
