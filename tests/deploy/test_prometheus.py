"""The alarms that are shipped: each rests on metrics that the service has, and the how-to says what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "deploy" / "prometheus" / "tamis.rules.yml"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    listed: list[dict[str, Any]] = group["rules"]
    return listed


def test_each_alarm_rests_on_metrics_that_the_service_has() -> None:
    page = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(tamis_\w+)`", page, flags=re.MULTILINE))
    for rule in rules():
        used = set(re.findall(r"tamis_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert {name.removesuffix("_bucket") for name in used} <= known, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_the_how_to_says_what_to_do_about_each() -> None:
    how_to = (REPOSITORY / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in how_to] == []
