"""The workers of a dask cluster, started here or joined by its address, and what is done when one of them dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from features.catalogue import INPUTS, fingerprint
from features.fault import Fault

Client = Any  # of distributed, which comes with an extra and tells no types
Promise = Any  # its Future: what a task will come to, on the worker that works on it
Part = TypeVar("Part")
ENGINES = "here, dask or dask=ADDRESS"
TRIES = 5  # how often work is laid out anew; a cluster that loses workers faster than that is not one
JOINED_WITHIN = 20  # seconds to reach a scheduler, and for its first worker to come
AT_ONCE = 4  # parts that lie with each worker or wait for it: memory is bounded by them, not by the day
ONE_THREAD = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")  # a worker is a core
LOG = structlog.get_logger("tamis.many")


class CrewFault(Fault):
    """No cluster can be had, or it cannot do this work; the message says what would help."""


class Crew:
    """The workers of one cluster, as a batch needs them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shared: dict[int, tuple[Any, Promise]] = {}

    @property
    def client(self) -> Client:
        return self._client

    def workers(self) -> frozenset[str]:
        """The addresses of the workers that there are now; one that starts again has another."""
        return frozenset(self._client.nthreads())

    def size(self) -> int:
        """How many workers there are now."""
        return max(1, len(self.workers()))

    def shared(self, thing: Any, *, everywhere: bool = True) -> Promise:
        """Something that every worker holds, or one of them, sent once for as long as no worker dies."""
        if id(thing) not in self._shared:
            self._shared[id(thing)] = (thing, self._client.scatter(thing, broadcast=everywhere, hash=False))
        return self._shared[id(thing)][1]

    def drop(self, things: Iterable[Any]) -> None:
        """Let the workers forget things that they held."""
        for thing in things:
            self._shared.pop(id(thing), None)

    def sent(self, thing: Any) -> Promise:
        """Something that one worker holds."""
        return self._client.scatter(thing, hash=False)

    def task(self, work: Callable[..., Any], *given: Any) -> Promise:
        """What a function makes of what it is given, on some worker; futures stand for what they come to."""
        return self._client.submit(work, *given, pure=False)

    def each(self, parts: Sequence[Part], plan: Callable[[Part], Promise]) -> list[Any]:
        """What a plan makes of each part, in their order; as many parts at a time as the workers can hold."""
        told: list[Any] = []
        while len(told) < len(parts):
            some = parts[len(told) : len(told) + AT_ONCE * self.size()]
            told += self.surely(lambda some=some: [plan(part) for part in some])  # type: ignore[misc]
        return told

    def surely(self, plan: Callable[[], list[Promise]]) -> list[Any]:
        """What a plan comes to, laid out anew where a worker died with what only it had.

        What a dead worker had worked out, dask works out again by itself; what had only been sent to it, nobody has.
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
        raise CrewFault(f"the workers of the cluster were lost {TRIES} times over the same part; see their logs")

    def _wait(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=JOINED_WITHIN)
        except TimeoutError:
            raise CrewFault(f"the cluster has no worker, and none came within {JOINED_WITHIN} seconds") from None

    def ready(self) -> Crew:
        """Itself, when a worker has come and all of them compute what this machine computes; raises CrewFault."""
        self._wait()
        own = edition()
        for worker, theirs in self._client.run(edition).items():
            if theirs != own:
                raise CrewFault(f"the worker at {worker} has another catalogue of features; install this Tamis there")
        return self


def hushed() -> None:
    """Nothing that a worker of ours prints reaches the terminal: LightGBM tells of each port. Faults come back."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def edition() -> str:
    """By what a worker is known to compute the same: the fingerprint of its catalogue of features."""
    return fingerprint(INPUTS)


@contextmanager
def working(engine: str) -> Iterator[Crew | None]:
    """The workers that an engine names; none where this process does the work. Raises CrewFault."""
    kind, _, address = engine.partition("=")
    if engine == "here":
        yield None
        return
    if kind != "dask" or (engine != "dask" and not address):
        raise CrewFault(f"an engine is {ENGINES}")
    try:
        import dask
        import distributed
    except ModuleNotFoundError as lacking:
        raise CrewFault("the engine dask needs its packages; install Tamis with the extra `dask`") from lacking
    if address:
        with _joined(distributed, address) as client:
            yield Crew(client).ready()
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
        yield Crew(client).ready()


def _joined(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=JOINED_WITHIN)
    except (OSError, ValueError, TimeoutError) as fault:
        raise CrewFault(f"no scheduler of dask answers at {address}") from fault
