"""Workers that are forked from one process which has loaded the application: what none of them writes, they share."""

from __future__ import annotations

import multiprocessing
import sys

from uvicorn import Config, _subprocess
from uvicorn.supervisors import Multiprocess

PRELOADED = "service.shared_imports"
SHARES = sys.platform == "linux"  # elsewhere libraries of the system do not survive a fork, or there is none


class ForkedWorkers(Multiprocess):
    """The workers of a service and the small process that watches them.

    A third process loads the application once and forks each worker. Those that SIGHUP asks for load it themselves:
    they are to run what is installed by then.
    """

    def init_processes(self) -> None:
        """Start the workers, each forked from the process that has loaded the application."""
        if SHARES:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([PRELOADED])
            _start_by(context)
        super().init_processes()

    def restart_all(self) -> None:
        """Replace each worker by one that loads the application anew."""
        _start_by(multiprocessing.get_context("spawn"))
        super().restart_all()


def serve_with_workers(config: Config) -> None:
    """Bind the address and watch the workers of a configuration until a signal ends them."""
    ForkedWorkers(config, [config.bind_socket()]).run()


def _start_by(context: object) -> None:
    _subprocess.spawn = context  # type: ignore[assignment]  # what uvicorn starts processes by; it takes no other way
