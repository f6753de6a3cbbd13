"""Image and compose file as shipped: what they name is there, and where Docker runs they are built and started."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from service.settings import Settings
from tests.certificates import certify
from tests.deploy.test_prometheus import is_a_command
from tests.service.processes import free_port

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
NAME = "tamis.example"


def docker_runs() -> bool:
    """Whether Docker can start what a compose file describes."""
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return shutil.which("docker") is not None and all(
        subprocess.run(words, capture_output=True, check=False).returncode == 0 for words in asked
    )


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    described: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return described


def test_the_image_holds_what_serves_and_runs_a_command_of_ours() -> None:
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    copied = [words[:-1] for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.M) if (words := line.split())]
    assert all((ROOT / path).exists() for paths in copied for path in paths)
    assert {"features", "service", "pipelines"} <= {path for paths in copied for path in paths}
    assert "libgomp1" in text.rsplit("FROM", 1)[1]  # LightGBM loads it where it serves, not where it is installed
    (command,) = re.findall(r'^CMD \["(\w+)"', text, re.M)
    assert is_a_command([command])
    assert re.search(r"^USER tamis$", text, re.M)


def test_the_compose_file_names_settings_and_files_that_are_there(services: dict[str, Any]) -> None:
    served = services["service"]
    known = {f"TAMIS_{name.upper()}" for name in Settings.model_fields}
    assert set(served["environment"]) <= known
    assert is_a_command([word for word in served["command"] if word == "serve" or word.startswith("--")])
    example = dict(re.findall(r"^(\w+)=(.+)$", (CONTAINER / "example.env").read_text(encoding="utf-8"), re.M))
    asked = set(re.findall(r"\$\{(\w+)[:}]", (CONTAINER / "compose.yaml").read_text(encoding="utf-8")))
    assert asked - {"TAMIS_HTTP", "TAMIS_HTTPS"} == set(example)
    mounted = [volume.split(":")[0] for volume in services["web"]["volumes"] if volume.startswith("../")]
    assert mounted
    assert all((CONTAINER / path).is_file() for path in [*mounted, example["TAMIS_NGINX"]])


def test_nobody_reaches_the_service_but_through_nginx(services: dict[str, Any]) -> None:
    served = services["service"]
    assert "ports" not in served
    assert "ports" not in services["database"]
    assert served["network_mode"] == "service:web"
    assert served["command"][served["command"].index("--host") + 1] == "127.0.0.1"
    assert served["cap_drop"] == ["ALL"]


@pytest.mark.process
@pytest.mark.skipif(not docker_runs(), reason="Docker with compose does not run here")
def test_it_is_built_and_answers_through_nginx(tmp_path: Path) -> None:
    port = free_port()
    certify(tmp_path / "tls", NAME)
    environment = os.environ | {
        "TAMIS_DATABASE_PASSWORD": "a-password-of-the-test", "TAMIS_PUBLIC_URL": f"https://{NAME}:{port}",
        "TAMIS_TLS": str(tmp_path / "tls"), "TAMIS_HTTP": str(free_port()), "TAMIS_HTTPS": str(port),
    }  # fmt: skip
    compose = ["docker", "compose", "--project-name", f"tamis-{os.getpid()}", "--file", str(CONTAINER / "compose.yaml")]

    def run(*words: str) -> None:
        subprocess.run([*compose, *words], env=environment, check=True, timeout=1_800)

    try:
        run("up", "--detach", "--build")
        run("run", "--rm", "service", "promote", "--rules", "--by", "A. Martin", "--reason", "first day")
        run("restart", "service")
        assert _ready(port)
    finally:
        run("down", "--volumes", "--timeout", "60")


def _ready(port: int, seconds: float = 180) -> bool:
    """Ask nginx until the service behind it is ready."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{port}/readyz", headers={"Host": NAME})
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(request, context=context, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    return False
