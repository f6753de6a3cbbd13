"""The judge of advisories: `pip-audit` says "no known vulnerabilities" too where it reached no source at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """An exit code, and the lines that say why."""

    code: int
    lines: tuple[str, ...]


def judge(report: Mapping[str, Any]) -> Judged:
    """Judge a report of `pip-audit --format json`: what was not audited is never taken for clean."""
    packages = report.get("dependencies", [])
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [_line_of(one, advisory) for one in packages for advisory in one.get("vulns", [])]
    if found:
        return Judged(VULNERABLE, (f"{len(found)} known vulnerabilities", *found, *_not_audited(packages, skipped)))
    if skipped or not packages:
        return Judged(NOT_AUDITED, _not_audited(packages, skipped))
    return Judged(CLEAN, (f"{len(packages)} packages audited, no known vulnerability",))


def _line_of(package: Mapping[str, Any], advisory: Mapping[str, Any]) -> str:
    mended = ", ".join(advisory["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}"


def _not_audited(packages: list[Any], skipped: list[str]) -> tuple[str, ...]:
    if not skipped and packages:
        return ()
    said = f"NOT AUDITED: {len(skipped)} of {len(packages)} packages; no source of advisories knows them or was reached"
    return (said, *skipped[:SHOWN], *(["…"] if len(skipped) > SHOWN else []))


def main() -> None:
    """Say what a report means and exit accordingly: `python -m deploy.supply.advisories REPORT`."""
    try:
        report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    except ValueError:
        report = {}  # pip-audit ended before it wrote any: its own message stands above
    judged = judge(report)
    print("\n".join(judged.lines))
    sys.exit(judged.code)


if __name__ == "__main__":
    main()
