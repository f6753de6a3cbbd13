"""Where MLflow's store says that its artifacts lie: whole paths, which are wrong once a home lies elsewhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

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
    before, after = ((where.absolute() / ARTIFACTS).as_uri() for where in (home, new_home))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in PLACES:
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if column in columns:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                    (after, len(before) + 1, len(before), before),
                )
