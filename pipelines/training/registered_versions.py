"""Which registered version waits to be promoted, read from the registry's database without loading MLflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypedDict

NAME = "tamis"
CHALLENGER, CHAMPION = "challenger", "champion"
WAITING = """
SELECT challenger.name, challenger.version FROM registered_model_aliases AS challenger
LEFT JOIN registered_model_aliases AS champion ON champion.name = challenger.name AND champion.alias = 'champion'
WHERE challenger.alias = 'challenger' AND champion.version IS NOT challenger.version ORDER BY challenger.name
"""


class WaitingVersion(TypedDict):
    """A version that has not been promoted yet, and the command that promotes it."""

    name: str
    version: int
    command: str


def promote_command(version: int, name: str) -> str:
    """Write the command that promotes a version of a model."""
    named = "" if name == NAME else f" --name {name}"
    return f'tamis promote {version}{named} --by NAME --reason "…"'


def waiting_version(database: Path, serving: str | None) -> WaitingVersion | None:
    """Find the challenger that does not serve, first of the model that serves; none where there is none."""
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'registered_model_aliases'").fetchone()
        rows = connection.execute(WAITING).fetchall() if known else []
    waiting = [(str(name), int(number)) for name, number in rows if f"{name}-v{number}" != serving]
    if not waiting:
        return None
    name, number = min(waiting, key=lambda model: not (serving or "").startswith(f"{model[0]}-v"))
    return {"name": name, "version": number, "command": promote_command(number, name)}
