"""Where MLflow's store says that its artifacts lie: whole paths, which are wrong once a home lies elsewhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

TRACKING, ARTIFACTS = "mlflow.db", "artifacts"
PLACES = (
    *(("experiments", "artifact_location"), ("runs", "artifact_uri"), ("model_versions", "source")),
    *(("model_versions", "storage_location"), ("logged_models", "artifact_location")),
)


def move_artifacts(folder: Path, home: Path, new_home: Path) -> None:
    """Let the registry in `folder`, copied from `home`, find its artifacts where they will be, in `new_home`."""
    path = folder / TRACKING
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection, connection:
        _move(connection, _address(home), _address(new_home))


def follow_home(home: Path) -> bool:
    """Let the registry find its artifacts after its home was moved or copied by hand; whether anything was to do.

    Only addresses whose artifacts lie in this home are changed: what a person has put elsewhere stays there.
    """
    path, here = home / TRACKING, _address(home)
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as connection, connection:
        if "experiments" not in _tables(connection):
            return False
        rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments")
        former = [place for (place,) in rows if place and place != here and place.endswith(f"/{ARTIFACTS}")]
        moved = [place for place in former if _lies_here(connection, place, home)]
        for place in moved:
            _move(connection, place, here)
    return bool(moved)


def _lies_here(connection: sqlite3.Connection, former: str, home: Path) -> bool:
    """Tell whether any artifact of this address, which no longer holds, is found below the home."""
    for table, column in PLACES:
        if column not in _columns(connection, table):
            continue
        rows = connection.execute(
            f"SELECT substr({column}, ?) FROM {table} WHERE substr({column}, 1, ?) = ?",
            (len(former) + 2, len(former) + 1, f"{former}/"),
        )
        if any((home / ARTIFACTS / unquote(below)).exists() for (below,) in rows if below):
            return True
    return False


def _move(connection: sqlite3.Connection, before: str, after: str) -> None:
    for table, column in PLACES:
        if column in _columns(connection, table):
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (after, len(before) + 1, before, len(before) + 1, f"{before}/"),
            )


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _address(home: Path) -> str:
    return (home.absolute() / ARTIFACTS).as_uri()
