"""Kept stores unpacked: each folder that holds one, and each kind of database."""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.audit.upgrade import KEYED_HASHES
from service.settings import Settings
from service.store.schema import SCHEMA
from tests.databases import DATABASES

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.json"))
BY_SCHEMA = sorted(FOLDERS, key=lambda of: int(json.loads((of / "expected.json").read_text("utf-8")).get("schema", 1)))
# as a rule the oldest, whose upgrade takes every step, and the two newest; each by `make prove`
UPGRADED = FOLDERS if "TAMIS_PROVE" in os.environ else [BY_SCHEMA[0], *BY_SCHEMA[-2:]]
KEPT = [(folder, kind) for folder in UPGRADED for kind in DATABASES]
LISTS_HOURS = 24.0 * 60  # watch lists of a kept story count as fresh


@dataclass(frozen=True)
class KeptHome:
    """A home as its version left it, and what that version said of it."""

    settings: Settings
    expected: dict[str, Any]
    schema: int

    @property
    def is_of_today(self) -> bool:
        """Whether no migration has come since: there is nothing to upgrade."""
        return self.schema == SCHEMA

    @property
    def is_keyed(self) -> bool:
        """Whether its hashes were keyed already."""
        return self.schema >= KEYED_HASHES


def unpack(folder: Path, kind: str, home: Path, database: str) -> KeptHome:
    """Put a kept home into a new folder; `database`: the address of an empty one, for PostgreSQL."""
    packed = "sqlite" if kind == "sqlite" else "postgresql-home"
    unpack_home(folder / f"{packed}.tar.xz", home)
    if kind != "sqlite":
        command = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", database]
        dump = lzma.decompress((folder / "postgresql.sql.xz").read_bytes())
        subprocess.run(command, input=dump, check=True, stdout=subprocess.DEVNULL)
    told = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    settings = Settings(home=home, store=database, lists_hours=LISTS_HOURS)
    return KeptHome(settings, told[kind], told.get("schema", 1))


def unpack_home(packed: Path, home: Path) -> None:
    """Unpack the files of a kept home."""
    with tarfile.open(packed) as opened:
        opened.extractall(home, filter="data")
