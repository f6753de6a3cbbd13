"""Make the kept stores of a version, or check them: runs only on a checkout of that commit.

    PYTHONPATH=CHECKOUT:tests/kept/COMMIT python tests/kept/story/make_kept_store.py make
    PYTHONPATH=CHECKOUT:tests/kept/COMMIT python tests/kept/story/make_kept_store.py check

Other versions lay their modules out otherwise: `its_code.py` of each folder finds for the story what it is made of.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import its_code
import psycopg
from its_code import A_DAY, SCHEMA, SEED, Settings, build_world, postgresql_server
from kept_expected import expected
from kept_live import last_day
from kept_place import DAYS, FAR, Place, learned_home
from kept_story import first_weeks

HERE = Path(its_code.__file__).parent  # of the version that is kept
LEFT_OUT = ("mlflow.db", "artifacts", "leases", "reports", "store.db-wal", "store.db-shm", ".settling", ".proved")
DUMP = ("pg_dump", "--no-owner", "--no-privileges", "--format=plain")


def make() -> None:
    """Make both homes, say what the code of their time finds in them, and pack them."""
    with tempfile.TemporaryDirectory() as name, postgresql_server() as server:
        folder = Path(name)
        base = learned_home(folder)
        start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
        build_world(DAYS, A_DAY, SEED, folder / "world", start=start)
        told = {}
        for kind, store in (("sqlite", ""), ("postgresql", database(server, "kept"))):
            home = Path(shutil.copytree(base, folder / kind / "home"))
            place = Place(settled_on(home, store), folder / "world", start)
            first_weeks(place)
            last_day(place)
            told[kind] = expected(settled_on(home, store))
            told[kind]["tables_empty"] = [name for name, one in told[kind]["tables"].items() if not one["rows"]]
        whole(folder / "sqlite" / "home" / "store.db")
        pack(folder / "sqlite" / "home", HERE / "sqlite.tar.xz")
        pack(folder / "postgresql" / "home", HERE / "postgresql-home.tar.xz", "archive")  # the other holds the same
        dumped = subprocess.run([*DUMP, database_of(server, "kept")], check=True, capture_output=True).stdout
        (HERE / "postgresql.sql.xz").write_bytes(lzma.compress(dumped, preset=9 | lzma.PRESET_EXTREME))
        (HERE / "expected.json").write_text(lines_of({"commit": HERE.name, "schema": SCHEMA, **told}), encoding="utf-8")


def lines_of(told: dict[str, Any]) -> str:
    """As JSON, each decision and each word of an officer on a line of its own."""
    parts = []
    for kind, of in told.items():
        if isinstance(of, dict):
            own = ",\n".join(f' "{name}": {_lines(part)}' for name, part in of.items())
            parts.append(f'"{kind}": {{\n{own}\n}}')
        else:
            parts.append(f'"{kind}": {json.dumps(of)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(part: Any) -> str:
    if not isinstance(part, list) or not part:
        return json.dumps(part, ensure_ascii=False)
    return "[\n" + ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in part) + "\n ]"


def check() -> None:
    """Unpack what lies here into fresh folders, and see that this code says of it what was expected."""
    known = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name, postgresql_server() as server:
        restored = database(server, "restored")
        dumped = lzma.decompress((HERE / "postgresql.sql.xz").read_bytes())
        psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", restored]
        subprocess.run(psql, input=dumped, check=True, stdout=subprocess.DEVNULL)
        for kind, archive, store in (("sqlite", "sqlite", ""), ("postgresql", "postgresql-home", restored)):
            home = Path(name) / kind
            with tarfile.open(HERE / f"{archive}.tar.xz") as packed:
                packed.extractall(home, filter="data")
            found = json.loads(json.dumps(expected(settled_on(home, store))))
            differ = [part for part, of in found.items() if of != known[kind][part]]
            replays: dict[str, int] = {}
            for decision in found["decisions"]:
                replays[decision["replay"]] = replays.get(decision["replay"], 0) + 1
            print(f"{kind}: {found['verify']}; replays {replays}; otherwise than expected: {differ or 'nothing'}")
            if differ or not found["verify"]["holds"]:
                sys.exit(1)


def settled_on(home: Path, store: str) -> Settings:
    """The settings of a home; commands that read them from the environment find the same."""
    os.environ.update(TAMIS_HOME=str(home), TAMIS_STORE=store, TAMIS_ACCESS="keys")
    os.environ["TAMIS_LISTS_HOURS"] = str(FAR.total_seconds() / 3600)
    return Settings()


def database(server: str, name: str) -> str:
    """The address of an empty database."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return database_of(server, name)


def database_of(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def whole(path: Path) -> None:
    """Bring everything that was written into the file of the database itself."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def pack(home: Path, out: Path, *also_out: str) -> None:
    """Write what a home needs to serve, to verify and to replay."""
    with lzma.open(out, "wb", preset=9 | lzma.PRESET_EXTREME) as file, tarfile.open(fileobj=file, mode="w") as packed:
        for path in files_of(home, {*LEFT_OUT, *also_out}):
            packed.add(path, path.relative_to(home).as_posix(), recursive=False, filter=nobodys)


def files_of(home: Path, left_out: set[str]) -> Iterator[Path]:
    """Every file but those that nothing here needs."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and not set(path.relative_to(home).parts) & left_out:
            yield path


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]]()
