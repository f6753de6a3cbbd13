"""The report in a real browser on a closed network: it shows, it asks nobody for anything, and nothing in it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.batch.expectations import Expectation, Judgement
from pipelines.batch.report import Report, write_report
from pipelines.batch.verdicts import keep
from tests.pipelines.batch.reports import HOSTILE, NOW, declaring

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps",
]  # fmt: skip


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which .ci/run installs")


def opened(page: Path, folder: Path) -> tuple[str, bool]:
    """The page as the browser holds it, and whether the browser looked for the host that hostile text names."""
    log = folder / f"{page.stem}-net.json"
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    profile = f"--user-data-dir={folder / page.stem}"
    command = [str(CHROMIUM), *root, *QUIET, profile, f"--log-net-log={log}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout, "evil.example" in log.read_text(encoding="utf-8", errors="replace")


def test_the_report_asks_nobody_and_runs_nothing_it_was_sent(report: Report, tmp_path: Path) -> None:
    hostile = ("<script>document.title = 'taken over'</script>", "<img src='https://evil.example/a.png'>", *HOSTILE)
    write_report(tmp_path / "report.html", declaring(report, hostile))
    shown, asked = opened(tmp_path / "report.html", tmp_path)
    assert "Reason 0-0" in shown
    assert "<title>Monday" in shown
    assert not asked


def test_the_page_of_expectations_opens_without_a_network(tmp_path: Path) -> None:
    failing = Expectation("Between 95 and 100 % of the lines name the sender", False, "3.0 %")
    page = keep(tmp_path, HOSTILE, Judgement(False, (failing,)), {}, NOW)
    shown, asked = opened(page, tmp_path)
    assert "What is expected of every manifest" in shown
    assert shown.count(failing.what) == 3, "in the suite, among what fails, and of the manifest"
    assert "3.0 %" in shown
    assert not asked


def test_the_browser_would_have_told(tmp_path: Path) -> None:
    page = tmp_path / "control.html"
    script = "<script>document.title = 'taken over'</script>"
    page.write_text(f"<title>Monday</title>{script}<img src='https://evil.example/a.png'>", encoding="utf-8")
    shown, asked = opened(page, tmp_path)
    assert "<title>taken over" in shown
    assert asked
