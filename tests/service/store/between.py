"""A socket between the service and its PostgreSQL that fails in the forms in which a server can fail."""

from __future__ import annotations

import select
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Between:
    """A socket that stands between the service and its PostgreSQL, and fails as told."""

    def __init__(self, server: Path, folder: Path) -> None:
        self.server, self.path = server / ".s.PGSQL.5432", folder / ".s.PGSQL.5432"
        self.form: str | None = None
        self._open: set[socket.socket] = set()
        self._listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _listen(self) -> None:
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.path))
        self.listening.listen(64)

    def fail(self, form: str) -> None:
        """From now on: `refuse` connections, `hang`, be `slow`, or `reset` every connection at its first word."""
        if form == "refuse":
            self.path.rename(self.path.with_name("away"))
        self.form = form
        if form in ("refuse", "reset"):
            for one in list(self._open):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        if self.form == "refuse":
            self.path.with_name("away").rename(self.path)
        self.form = None

    def _accept(self) -> None:
        while True:
            client, _ = self.listening.accept()
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self.server))
        self._open |= {client, server}
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.2)
                while self.form == "hang":
                    time.sleep(0.05)
                for one in ready:
                    told = one.recv(1 << 16)
                    if not told or self.form == "reset":
                        return
                    if self.form == "slow":
                        time.sleep(0.4)
                    (server if one is client else client).sendall(told)
        except OSError:
            return
        finally:
            self._open -= {client, server}
            client.close()
            server.close()


@contextmanager
def failing_socket(postgresql: str) -> Iterator[tuple[Between, str]]:
    """A failing socket before a real server, and the address by which the service comes to it."""
    folder = Path(tempfile.mkdtemp(prefix="tamis-b-", dir="/tmp"))
    server = Path(postgresql.split("host=")[1])
    yield Between(server, folder), postgresql.replace(str(server), str(folder))
    shutil.rmtree(folder)
