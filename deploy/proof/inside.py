"""A fresh Debian with nothing but `deploy/`, a wheel and Python: install, serve, do the nightly work, watch, restore.

Called by `fresh-debian.sh`, as root, within the fresh system: `python3 inside.py WHEEL`. No systemd runs in it: what
its units start is started as they say, by the user that they name, with the environment that they give, and not closed
in as they are; `systemd-analyze` judges the units and reads the timers.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restore_drill import DrillFault, Load, call, drill, run

DEPLOY = Path(__file__).resolve().parents[1]
UNITS = Path("/etc/systemd/system")
HOME, BACKUPS, CACHE = Path("/var/lib/tamis"), Path("/var/lib/tamis-backups"), Path("/var/cache/tamis")
SERVICE, PROMETHEUS = "http://127.0.0.1:8000", "http://127.0.0.1:9090"
TASKS = ("backup", "verify", "monitor", "retain")
AS_TAMIS = ("runuser", "-u", "tamis", "--", "env", f"NUMBA_CACHE_DIR={CACHE}")
TAMIS = (*AS_TAMIS, "/opt/tamis/bin/tamis")
STARTS_WITHIN = 180  # seconds: the first start compiles
EXPOSURE = "20"


def say(words: str) -> None:
    """Print a step that was done, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def started_by(unit: str) -> list[list[str]]:
    """Return the command lines that a unit starts, as systemd would read them."""
    text = (UNITS / unit).read_text(encoding="utf-8").replace("%%", "%")
    return [shlex.split(line) for line in re.findall(r"^ExecStart(?:Post)?=(.*)$", text, flags=re.MULTILINE)]


@contextmanager
def serving() -> Iterator[None]:
    """Run what the unit of the service starts, until it answers; killed hard at the end."""
    (command,) = started_by("tamis-serve.service")
    with Path("/var/log/tamis.log").open("ab") as log:
        process = subprocess.Popen([*AS_TAMIS, *command], stdout=log, stderr=log, start_new_session=True, cwd="/")
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not _answers(f"{SERVICE}/readyz"):
            if time.monotonic() > until or process.poll() is not None:
                raise DrillFault(f"the service did not start: {Path('/var/log/tamis.log').read_text()[-1000:]}")
            time.sleep(0.5)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def make_folder(folder: Path) -> None:
    """Make a folder of the service's user, as systemd and `install.sh` do."""
    run(["install", "-d", "-m", "700", "-o", "tamis", "-g", "tamis", str(folder)])


def judge_units() -> None:
    """Let systemd read every unit and timer, and add up how open each is."""
    units = sorted(str(path) for path in UNITS.glob("tamis-*") if path.suffix in (".service", ".timer"))
    run(["systemd-analyze", "verify", "--man=no", *units])
    for path in UNITS.glob("tamis-*.service"):
        run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", path.name])
    for path in UNITS.glob("tamis-*.timer"):
        run(["systemd-analyze", "calendar", *re.findall(r"^OnCalendar=(.*)$", path.read_text(), flags=re.MULTILINE)])
    say(f"systemd reads {len(units)} units and timers, none more open than {EXPOSURE} of 100")


def do_nightly_work() -> None:
    """Do what the timers start, by the user of the units; a monitor that finds too little to judge is no fault."""
    for task in TASKS:
        for command in started_by(f"tamis-{task}.service"):
            run([*AS_TAMIS, *command])
        say(f"tamis-{task}: done")


@contextmanager
def prometheus() -> Iterator[None]:
    """Run Prometheus with the alarms as shipped, reading the service each second."""
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(DEPLOY / "prometheus" / "tamis.rules.yml")],
        "scrape_configs": [{"job_name": "tamis", "static_configs": [{"targets": ["127.0.0.1:8000"]}]}],
    }
    file = Path("/tmp/prometheus.yml")  # noqa: S108 - of a system that lives for minutes
    file.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    command = [
        "prometheus",
        f"--config.file={file}",
        "--storage.tsdb.path=/tmp/tsdb",
        "--web.listen-address=127.0.0.1:9090",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(f"{PROMETHEUS}/-/ready"):
            time.sleep(0.5)
        yield
    finally:
        process.kill()
        process.wait()


def asked(query: str) -> int:
    """Return how many series Prometheus answers a query with; raises where it cannot."""
    answer = call(f"{PROMETHEUS}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
    if answer["status"] != "success":
        raise DrillFault(f"Prometheus cannot answer {query}")
    return len(answer["data"]["result"])


def watch() -> None:
    """Let Prometheus evaluate every alarm and answer every query of the dashboard."""
    dashboard = json.loads((DEPLOY / "grafana" / "tamis.json").read_text(encoding="utf-8"))
    queries = [target["expr"].replace("$job", "tamis") for panel in dashboard["panels"] for target in panel["targets"]]
    with prometheus():
        until = time.monotonic() + 60
        while not asked('tamis_store_up{job="tamis"} == 1'):
            if time.monotonic() > until:
                raise DrillFault("Prometheus reads nothing of the service")
            time.sleep(1)
        time.sleep(5)  # rates need two looks
        answered = sum(1 for query in queries if asked(query))
        (group,) = call(f"{PROMETHEUS}/api/v1/rules")["data"]["groups"]
    unwell = [rule["name"] for rule in group["rules"] if rule["health"] != "ok"]
    if unwell:
        raise DrillFault(f"Prometheus cannot evaluate {', '.join(unwell)}")
    say(
        f"Prometheus evaluates {len(group['rules'])} alarms and answers {len(queries)} queries, {answered} with figures"
    )


def main(wheel: str) -> None:
    """Do all of it; ends with the words of the first fault."""
    run([str(DEPLOY / "install.sh"), wheel])
    for folder in (BACKUPS, CACHE):  # which systemd would make
        make_folder(folder)
    say("installed: " + run([*TAMIS, "--version"]).strip())
    judge_units()
    run([*TAMIS, "promote", "--rules", "--by", "the drill", "--reason", "a fresh machine"])
    key = run([*TAMIS, "keys", "make", "drill", "--purpose", "a drill", "--by", "the drill", "--days", "1"]).split()
    secret = max(key, key=len)
    world = HOME / "world"
    run([*TAMIS, "synth", "--days", "3", "--per-day", "200", "--end", time.strftime("%Y-%m-%d"), "--out", str(world)])
    run([*TAMIS, "ingest", *sorted(map(str, (world / "manifests").iterdir()))])
    say("three days of a synthetic world are ingested")
    with serving():
        ready = call(f"{SERVICE}/readyz")
        say(f"the service answers: version {ready['version']}, schema {ready['schema']}, mode {ready['mode']}")
        with Load(SERVICE, secret) as load:
            load.wait_for(10)
            watch()
    do_nightly_work()
    figures = drill(TAMIS, HOME, BACKUPS / "drill.tar.gz", serving, SERVICE, secret, wipe=lambda: make_folder(HOME))
    say(f"restore drill: {figures['before']} decisions acknowledged before the copy, {figures['beside']} beside it; "
        f"destroyed, put back in {figures['seconds']} s, verified, each found again, replayed")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
