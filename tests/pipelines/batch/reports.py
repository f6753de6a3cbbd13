"""A report of a day, and texts that would harm its reader if they were more than texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from features.contract import gate_manifest
from pipelines.batch.expectations import Expectation, Judgement
from pipelines.batch.report import Report
from service.orientation.decisions import SCHEMA, frame_of

NOW = datetime(2026, 3, 2, 6, 15, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></table><iframe src='https://evil.example/'></iframe>",
    "\"'><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% include 'report.css.j2' %}",
    "</style><style>*{display:none}</style>",
)
LANES = ("red", "yellow", "blue", "green")


def decision(i: int, **given: Any) -> dict[str, Any]:
    lane = LANES[min(i // 3, 3)]
    reasons = [] if lane == "green" else [{"code": f"r{k}", "text": f"Reason {i}-{k}"} for k in range(5)]
    return {
        **dict.fromkeys(SCHEMA),
        "decision_id": f"d{i}", "message_id": "M1", "consignment_id": f"CX{i:09d}CN", "version": 1,
        "lodged_at": NOW, "decided_at": NOW, "office": f"FRCDG{i % 3}", "risk": 0.9 / (i + 1), "rank": i + 1, "of": 40,
        "pre_arrival": "no_risk", "clearance": lane, "post_clearance": "none", "track": "none",
        "selection": "risk" if lane in ("red", "yellow") else "none", "selection_probability": 1.0,
        "reasons": reasons, "data_problems": [{"field": "hs_code", "problem": "missing"}] if i == 0 else [],
        "mode": "full", "degraded_reasons": [], "model_id": "model-7", "policy_id": "standard-1", **given,
    }  # fmt: skip


def declaration(i: int, **given: Any) -> dict[str, Any]:
    return {
        "message_id": "M1", "consignment_id": f"CX{i:09d}CN", "version": 1, "stream": "postal", "office": "FRCDG1",
        "dispatch_country": "CN", "consignor_name": f"Sender {i}", "value_eur": 12.5 * i, "gross_mass_kg": 0.4,
        "description": f"goods number {i}", **given,
    }  # fmt: skip


def refused() -> pl.DataFrame:
    raw = pl.DataFrame(
        {
            "consignment_id": ["A", "B", "C"],
            "stream": ["postal", "postal", "rail"],
            "lodged_at": ["2026-03-02T05:00:00Z"] * 3,
            "description": ["shoes", None, "shirt"],
        }
    )
    return gate_manifest(raw, "file").refused


def report_of_a_day() -> Report:
    """A report of forty consignments and three refused lines."""
    held = (Expectation("The manifest has at least one line", True, "43 lines"),)
    failed = (Expectation("Between 50 and 100 % of the lines state an HS code", False, "12.0 %"),)
    return Report(
        title="Monday",
        made_at=NOW,
        orientations=frame_of([decision(i) for i in range(40)]),
        declared=pl.DataFrame([declaration(i) for i in range(40)]),
        received=43,
        quarantine=refused(),
        judgement=Judgement(False, held + failed),
        model={"trained_to": "2026-02-28", "metrics": {"precision_at_1%": 0.42, "auc": float("nan")}},
    )


def declaring(report: Report, texts: tuple[str, ...]) -> Report:
    rows = [declaration(i, description=text, consignor_name=text) for i, text in enumerate(texts)]
    return replace(report, declared=pl.DataFrame(rows))
