"""Real databases for tests: SQLite files, and a PostgreSQL server of our own, started for the session and stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DATABASES = ("sqlite", "postgresql")
LONGEST_PLACE = 60  # characters: the path of a socket must be short
LACKING = "no PostgreSQL server is installed (Debian: apt-get install postgresql)"


def postgresql_programs() -> Path | None:
    """The folder of initdb and postgres: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The address of a fresh server that listens on a socket in a folder of its own and on no network."""
    programs = postgresql_programs()
    if programs is None:
        pytest.skip(LACKING)
    place = tempfile.gettempdir() if len(tempfile.gettempdir()) <= LONGEST_PLACE else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="tamis-pg-", dir=place))
    try:
        if os.geteuid() == 0:  # a server refuses to run as root
            shutil.chown(folder, "postgres")
        _as_server(folder, programs / "initdb", "-D", folder / "db", "-U", "tamis", "--auth=trust", "--no-sync")
        # no test takes the power away: what a killed server has written stays with the system
        options = f"-c fsync=off -c full_page_writes=off -c listen_addresses='' -c unix_socket_directories='{folder}'"
        _as_server(folder, programs / "pg_ctl", "-D", folder / "db", "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://tamis@/postgres?host={folder}"
        finally:
            _as_server(folder, programs / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_server(folder: Path, *command: object) -> None:
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
