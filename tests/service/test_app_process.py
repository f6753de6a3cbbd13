"""The service as it runs: started by its command, killed without warning, started again, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from service.settings import Settings
from tests.service.building import MODEL_ID, as_it_stands, body, declared, outcome
from tests.service.processes import REPOSITORY, serving


def test_an_acknowledged_decision_survives_kill_9(home: Settings, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with serving(home, log) as (process, client):
        assert client.get("/readyz").json()["model_id"] == MODEL_ID
        answered = client.post("/v1/consignments", json=body(declared(1)))
        assert answered.status_code == 200
        noted = client.post("/v1/outcomes", json={"outcomes": [outcome(1)]})
        assert noted.json() == {"recorded": 1, "repeated": 0, "superseding": 0, "unknown_consignments": 0}
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    with serving(home, log) as (process, client):
        found = client.get("/v1/consignments/HAWB000000001")
        assert found.json()["decisions"] == [as_it_stands(one) for one in answered.json()["decisions"]]
        again = client.post("/v1/consignments", json=body(declared(1)))
        assert again.headers["Idempotent-Replay"] == "true"
        assert again.json() == answered.json()
        repeated = client.post("/v1/outcomes", json={"outcomes": [outcome(1)]})
        assert repeated.json() == {"recorded": 0, "repeated": 1, "superseding": 0, "unknown_consignments": 0}
        process.terminate()
        assert process.wait(20) in (0, -signal.SIGTERM)
    assert "Marie Durand" not in log.read_text(encoding="utf-8")


def test_without_a_bundle_the_command_names_the_fault_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", "1"]
    environment = {**os.environ, "TAMIS_HOME": str(tmp_path / "nothing")}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "nothing is promoted yet" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
