"""Units as shipped: systemd reads them, they are closed, and a service tells its manager when it answers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from service.settings import Settings
from tests.deploy.test_prometheus import is_a_command
from tests.service.processes import serving

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = DEPLOY / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("*.service"))
EXPOSURE = 20  # of 100, as `systemd-analyze security` adds it up; an unconfined service has 96
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder of their own, with a program where they look for one."""
    program = tmp_path / "opt" / "bin" / "tamis"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    units = tmp_path / "units"
    shutil.copytree(UNITS, units)
    for unit in units.glob("*.service"):
        unit.write_text(unit.read_text(encoding="utf-8").replace("/opt/tamis", str(tmp_path / "opt")), encoding="utf-8")
    return units


@needs_systemd
def test_systemd_reads_every_unit_without_a_word(installed: Path) -> None:
    units = [str(path) for path in sorted(installed.iterdir()) if path.suffix in (".service", ".timer")]
    read = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{installed}:"},
    )  # fmt: skip
    named = [line for line in read.stderr.splitlines() if "tamis" in line]
    assert (read.returncode, named) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", NAMES)
def test_no_unit_is_open(unit: str, installed: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(installed, root / "etc" / "systemd" / "system")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--root={root}", f"--threshold={EXPOSURE}", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-200:] + judged.stderr


def test_each_unit_calls_a_command_that_exists_and_each_task_has_a_timer() -> None:
    for name in NAMES:
        text = (UNITS / name).read_text(encoding="utf-8")
        called = re.findall(r"/opt/tamis/bin/tamis ([a-z][^\n']*)", text)
        assert called, name
        for words in called:
            typed = [word for word in words.split() if word.startswith("--")]
            assert is_a_command([words.split()[0], *typed]), words
    tasks = {Path(name).stem for name in NAMES} - {"tamis-serve"}
    assert tasks == {path.stem for path in UNITS.glob("*.timer")}


@pytest.mark.process
def test_a_manager_is_told_when_the_service_answers(quick_home: Path, tmp_path: Path) -> None:
    shutil.copytree(quick_home, tmp_path / "home")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        with serving(Settings(home=tmp_path / "home"), tmp_path / "log", NOTIFY_SOCKET=str(tmp_path / "notify")):
            assert manager.recv(100) == b"READY=1"


def test_the_settings_that_are_installed_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(UNITS / "tamis.toml", tmp_path / "tamis.toml")
    monkeypatch.delenv("TAMIS_HOME", raising=False)
    monkeypatch.setenv("TAMIS_SETTINGS", str(tmp_path / "tamis.toml"))
    assert Settings().home == Path("/var/lib/tamis")
