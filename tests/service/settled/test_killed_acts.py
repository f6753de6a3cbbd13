"""Killed while it settles, erases, retains or upgrades, on both databases: none lost, none twice, none by half.

TAMIS_PROVE_KILLS: so many in all, a fifth of them in upgrades (`make prove`: a hundred).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.audit.verify import verify_record
from service.record.blanking import blank_erased
from service.store.database import Store, open_store
from service.store.settled_rows import decided_of, segments_listed
from service.store.tables import CALLS, DECISIONS, DECLARATIONS, OUTCOMES
from tests.databases import DATABASES
from tests.kept.kept_homes import FOLDERS, KeptHome, unpack
from tests.service.settled.killed_writer import ONE, names_of
from tests.service.settled.messages import LARGE, store_with_files

KILLS = int(os.environ.get("TAMIS_PROVE_KILLS", "10"))
OF_ACTS, OF_UPGRADES = max(1, KILLS * 2 // 5), max(1, KILLS // 10)  # on each of two databases
KEPT = FOLDERS[0]  # the smallest number; any would do


def addresses(request: pytest.FixtureRequest, kind: str) -> str:
    """The address of an empty database; empty for SQLite."""
    return "" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))


KINDS = [pytest.param(kind, marks=[pytest.mark.postgres] if kind != "sqlite" else []) for kind in DATABASES]


@pytest.mark.process
@pytest.mark.parametrize("kind", KINDS)
def test_settling_erasing_and_retaining(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    address, draw = addresses(request, kind), random.Random(31)
    done: set[tuple[int, str]] = set()
    killed: Counter[str] = Counter()
    begun, first = 0, 0
    for _ in range(OF_ACTS):
        words = ["-m", "tests.service.settled.killed_writer", str(tmp_path), str(first), address]
        lines = _killed(words, draw, after=draw.randrange(9), within=draw.choice((0.02, 0.2, 0.8)))
        acts = [(word, int(nth), what) for word, nth, what in (line.split() for line in lines if " " in line)]
        done |= {(nth, what) for word, nth, what in acts if word == "done"}
        last = acts[-1] if acts else ("done", first - 1, "")
        killed[last[2] if last[0] == "begins" else "between"] += 1
        begun = max(begun, last[1])
        first = last[1] + 1
    print(f"{kind}: {sum(killed.values())} kills, {dict(killed)}; {len(done)} acts done over {begun + 1} messages")
    assert done
    store = store_with_files(tmp_path, address)
    blank_erased(store)
    for nth in range(begun + 1):
        _as_it_should_be(store, nth, done)
    assert verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").faults == []
    with store.reading() as connection:
        names = [name for one in segments_listed(connection) for name in (one.file, one.keys)]
    store.records.delete_strays(names, time.time() + 60)
    assert sorted(path.name for path in store.records.folder.iterdir()) == sorted(names)
    store.close()


def _as_it_should_be(store: Store, nth: int, done: set[tuple[int, str]]) -> None:
    """Demand of a message that it is there whole or not, once, and erased where that was acknowledged."""
    names = names_of(nth)
    with store.reading() as connection:
        query = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.salt).where(DECISIONS.c.consignment_id.in_(names))
        rows = [tuple(row) for row in connection.execute(query)]
        rows += [tuple(row.values()) for row in decided_of(connection, ["consignment_id", "salt"], names)]
    there = Counter(name for name, _ in rows)
    assert len(there) in (0, LARGE), nth
    assert set(there.values()) <= {1}, nth
    if (nth, "settle") in done:
        assert len(there) == LARGE, nth
    erased = {name for name, salt in rows if salt is None}
    assert erased in (set(), {names[ONE]}, set(names)), nth
    if (nth, "erase") in done:
        assert names[ONE] in erased, nth
    if (nth + 1, "retain") in done:
        assert erased == set(there), nth


@pytest.mark.process
@pytest.mark.skipif("TAMIS_PROVE_KILLS" not in os.environ, reason="upgrades are killed in each step by test_upgrade.py")
@pytest.mark.parametrize("kind", KINDS)
def test_upgrading(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    calm = _unpacked(request, tmp_path / "calm", kind, "postgresql")
    killed = _unpacked(request, tmp_path / "killed", kind, "other_postgresql")
    whole = _upgraded(calm)
    draw = random.Random(32)
    for _ in range(OF_UPGRADES):
        _killed(["-m", "pipelines.cli", "upgrade", "--backup-done"], draw, killed, within=0.6 * whole)
    print(f"{kind}: {OF_UPGRADES} kills of an upgrade that takes {whole:.1f} s")
    _upgraded(killed)
    told = [_content(home) for home in (calm, killed)]
    assert told[0] == told[1]
    assert sum(map(len, told[0].values())) > 10


def _unpacked(request: pytest.FixtureRequest, home: Path, kind: str, database: str) -> KeptHome:
    home.mkdir()
    return unpack(KEPT, kind, home, "" if kind == "sqlite" else str(request.getfixturevalue(database)))


def _environment(kept: KeptHome) -> dict[str, str]:
    settings = kept.settings
    return {**os.environ, "TAMIS_HOME": str(settings.home), "TAMIS_STORE": settings.store}


def _upgraded(kept: KeptHome) -> float:
    """Upgrade a home, which verifies it too; seconds that it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pipelines.cli", "upgrade", "--backup-done"]
    ended = subprocess.run(command, env=_environment(kept), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return time.monotonic() - began


def _content(kept: KeptHome) -> dict[str, list[Any]]:
    store = open_store(kept.settings)
    with store.reading() as connection:
        told = {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(sa.select(*_without_keys(table))))
            for table in (CALLS, DECISIONS, DECLARATIONS, OUTCOMES)
        }
    assert verify_record(store, kept.settings.checkpoints, kept.settings.keys).faults == []
    store.close()
    return told


def _without_keys(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that are the same in every home: hashes are keyed by each with a key of its own."""
    return [column for column in table.c if column.name not in ("stated", "card", "network", "body", "basis")]


def _killed(
    words: list[str], draw: random.Random, kept: KeptHome | None = None, *, after: int = 0, within: float
) -> list[str]:
    """Run a command, kill it within so many seconds after its first line and so many more, and return the lines."""
    environment = dict(os.environ) if kept is None else _environment(kept)
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(1 + after)]
    time.sleep(draw.uniform(0, within))
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.read().splitlines()
    process.wait()
    return lines
