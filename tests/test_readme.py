"""What the README tells a newcomer to type works, and what it must name it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.api import messages, routes
from service.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def test_every_setting_is_documented() -> None:
    missing = [name for name in Settings.model_fields if f"`TAMIS_{name.upper()}`" not in README]
    assert missing == []


def test_every_route_is_documented() -> None:
    paths = {
        getattr(route, "path", "").replace("{consignment_id:path}", "{id}")
        for route in (*routes.router.routes, *messages.router.routes)
    }
    assert [path for path in sorted(paths) if path not in README] == []


def test_every_command_is_documented() -> None:
    from pipelines.cli import app

    names = [c.name or c.callback.__name__ for c in app.registered_commands if c.callback]
    names += [str(group.name) for group in app.registered_groups]
    assert [name for name in names if f"tamis {name}" not in README and f"make {name}" not in README] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_work_from_an_empty_folder(tmp_path: Path) -> None:
    script = "set -euo pipefail\nset -m\n" + "\n".join(BLOCKS)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TAMIS_HOME": str(tmp_path / "var"), "TAMIS_ACCESS": "keys"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    assert (tmp_path / "orientations" / "_SUCCESS").exists()
    assert '"status":"ready"' in done.stdout
    assert '"clearance":' in done.stdout
    assert '"recorded":1' in done.stdout
    assert '"SHA7700123"' in done.stdout
