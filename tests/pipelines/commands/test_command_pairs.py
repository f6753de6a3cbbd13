"""Every pair of commands that write, at the same moment, each in a process of its own: both end well or in one line."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.fault import Fault
from pipelines.training.promotion import promote
from service.history.stored_history import StoredHistory
from service.parties.linking_switch import LinkingSwitch
from service.runtime.batch_lease import changing_bundles
from service.serving.policy_activation import activate_policy
from service.settings import Settings
from service.store.database import open_store
from tests.service.quick import quick_home

REPOSITORY = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
HEAD = "message_id,consignment_id,stream,lodged_at,office,consignor_name,consignor_country,description,value,currency"
SAID = ["--by", "ana", "--reason", "tests"]


@dataclass(slots=True)
class Home:
    """A home, two processes that run commands in it, and a number that makes each file of theirs another one."""

    settings: Settings
    folder: Path
    processes: list[subprocess.Popen[str]]
    number: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self, name: str) -> str:
        return str(self.folder / f"{name}{next(self.number)}")

    def file(self, head: str, *rows: str) -> str:
        path = self.folder / f"{next(self.number)}.csv"
        path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
        return str(path)

    def manifest(self) -> str:
        message = next(self.number)
        return self.file(
            HEAD,
            *(
                f"M{message},C{message}-{n},express,2026-03-01T08:{n:02d}:00Z,FRCDG1,Sender {n},CN,shirts,12,EUR"
                for n in range(20)
            ),
        )

    def results(self) -> str:
        return self.file("consignment_id,known_at,result", f"C1-{next(self.number)},2026-03-01T12:00:00Z,compliant")


COMMANDS: dict[str, Any] = {
    "ingest": lambda home: ["ingest", home.manifest()],
    "score": lambda home: ["score", home.manifest(), "--out", home.fresh("out"), "--no-expectations"],
    "outcomes": lambda home: ["outcomes", home.results()],
    "lists import": lambda home: ["lists", "import", "bad", home.file("name", "Sender 1"), "--by", "ana"],
    "link": lambda _: ["link"],
    "roll-back": lambda _: ["bundles", "roll-back", *SAID],
    "backup": lambda home: ["backup", "--to", home.fresh("backup")],
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("pairs")
    settings = Settings(home=quick_home(folder / "home"))
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOW)
    text = (settings.serving / "policy.toml").read_text(encoding="utf-8")
    store = open_store(settings)
    activate_policy(settings, store, f"{text}\n# another\n", "ana", "tests", NOW)  # so that there is one to go back to
    store.close()
    command = [sys.executable, "-m", "tests.pipelines.commands.pair_worker"]
    environment = {**os.environ, "TAMIS_HOME": str(settings.home)}
    processes = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    yield Home(settings, folder, processes)
    for process in processes:
        process.communicate()


def together(home: Home, *commands: list[str]) -> list[dict[str, Any]]:
    """How commands ended that were begun at the same moment."""

    def run(process: subprocess.Popen[str], arguments: list[str]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        ended: dict[str, Any] = json.loads(process.stdout.readline())
        return ended

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, home.processes, commands))


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations_with_replacement(COMMANDS, 2)))
def test_two_commands_at_once_end_well_or_in_one_line(home: Home, one: str, other: str) -> None:
    for ended in together(home, COMMANDS[one](home), COMMANDS[other](home)):
        assert "Traceback" not in ended["err"], ended["err"]
        assert ended["code"] in (0, 1), ended["err"]
        if ended["code"]:
            assert ended["err"].startswith("tamis: ")
            assert len(ended["err"].splitlines()) == 1, ended["err"]
            assert one == other == "roll-back" or "locked by another" in ended["err"], ended["err"]


def test_after_all_of_it_the_record_holds_and_nothing_is_counted_twice(home: Home) -> None:
    (verified,) = together(home, ["verify"])
    assert verified["code"] == 0, verified["err"]
    store, again = open_store(home.settings), home.folder / "again"
    counted = StoredHistory(store).running()
    store.close()
    shutil.copytree(home.settings.home, again)
    opened = open_store(Settings(home=again))
    assert StoredHistory(opened).running().equals(counted)
    opened.close()


def test_a_promotion_beside_another_says_so(home: Home) -> None:
    before = home.settings.serving
    with changing_bundles(home.settings.home), pytest.raises(Fault, match="just changing which bundle serves"):
        promote(1, "ana", "tests", home.settings, NOW)
    assert home.settings.serving == before
    with changing_bundles(home.settings.home):
        (ended,) = together(home, COMMANDS["roll-back"](home))
    assert ended["code"] == 1
    assert ended["err"].startswith("tamis: another command or officer is just changing which bundle serves")
    assert len(ended["err"].splitlines()) == 1
