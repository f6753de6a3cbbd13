"""Alarms and dashboard as shipped: they rest on metrics that the service has, and each alarm has a runbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.main import get_command

from pipelines.cli import app
from service.settings import Settings

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "deploy" / "prometheus" / "tamis.rules.yml"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "tamis.json"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    listed: list[dict[str, Any]] = group["rules"]
    return listed


def queries() -> list[str]:
    """What the dashboard asks, with its variables as one chooses them."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"].replace("$job", ".*") for panel in panels for target in panel["targets"]]


def _known() -> set[str]:
    page = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(tamis_\w+)`", page, flags=re.MULTILINE))


def test_each_alarm_rests_on_metrics_that_the_service_has() -> None:
    known = _known()
    for rule in rules():
        used = set(re.findall(r"tamis_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert {name.removesuffix("_bucket") for name in used} <= known, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_each_alarm_has_a_runbook_with_commands_that_exist() -> None:
    written = (REPOSITORY / "docs" / "how-to" / "runbooks.md").read_text(encoding="utf-8")
    head, *sections = re.split(r"^## ", written, flags=re.MULTILINE)
    alarms = {rule["alert"]: rule for rule in rules()}
    assert [section.splitlines()[0] for section in sections] == list(alarms)
    for section in sections:
        name = section.splitlines()[0]
        assert alarms[name]["annotations"]["runbook"] == f"docs/how-to/runbooks.md#{name.lower()}"
        assert f"*{alarms[name]['labels']['severity']}.*" in section, name
        assert all(f"**{part}" in section for part in ("First look:", "Remedy:", "Over when")), name
    commands = re.findall(r"`tamis ([a-z][^`]*)`", head + "".join(sections))
    assert len(commands) > 15
    assert [command for command in commands if not is_a_command(command.split())] == []


def is_a_command(words: list[str]) -> bool:
    """Whether a command line names commands and options that Tamis has."""
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        command, words = command.commands.get(words[0]), words[1:]
        if command is None:
            return False
    options = {option for parameter in command.params for option in parameter.opts}
    return set(words) <= options


def test_the_runbooks_name_metrics_and_settings_that_exist() -> None:
    written = (REPOSITORY / "docs" / "how-to" / "runbooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(tamis_\w+)`", written)) <= _known()
    assert set(re.findall(r"`TAMIS_(\w+)`", written)) <= {name.upper() for name in Settings.model_fields}


def test_every_query_of_the_dashboard_rests_on_metrics_that_the_service_has() -> None:
    used = {name for query in queries() for name in re.findall(r"tamis_\w+", query)}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in used} == _known()  # none of which is shown nowhere


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_itself_reads_the_alarms_and_every_query_of_the_dashboard(tmp_path: Path) -> None:
    shown = [{"record": f"shown:{place}", "expr": query} for place, query in enumerate(queries())]
    file = tmp_path / "dashboard.rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": shown}]}), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES), str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(shown)} rules found" in done.stdout
