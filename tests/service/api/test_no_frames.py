"""A call makes no frame: polars takes for one of a row what columns take for a whole call, and wakes threads for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.parties.linking_switch import LinkingSwitch
from service.settings import Settings
from tests.service.building import NOON, body, declared


def test_a_call_computes_no_frame(sealed_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=shutil.copytree(sealed_home, tmp_path / "home"))
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOON)
    computed: list[str] = []

    def noting(name: str) -> Callable[..., Any]:
        collect = getattr(pl.LazyFrame, name)

        def noted(frame: pl.LazyFrame, *given: Any, **named: Any) -> Any:
            computed.append(frame.explain(optimized=False))
            return collect(frame, *given, **named)

        return noted

    def at(number: int, **stated: Any) -> dict[str, Any]:
        return declared(number, lodged_at=NOON + timedelta(minutes=number), **stated)

    line = at(1)["goods"][0]
    changed = at(5, gross_mass_kg=0.25) | {"consignment_id": at(2)["consignment_id"], "version": 2}
    calls = {
        "read once a process": [at(1)],
        "one consignment": [at(2)],
        "several lines": [at(3, goods=[line, line | {"line_no": 2, "hs_code": "420221"}])],
        "several consignments": [at(4), at(6)],
        "an amendment": [changed],
    }
    with TestClient(create(settings)) as client:
        for name, sent in calls.items():
            answer = client.post("/v1/consignments", json=body(*sent, message_id=name))
            assert [decision["mode"] for decision in answer.json()["decisions"]] == ["full"] * len(sent), answer.text
            again = client.post("/v1/consignments", json=body(*sent, message_id=name))
            assert again.json() == answer.json()
            assert computed == [], name
            if name == "read once a process":
                for way in ("collect", "_collect_eager"):  # the latter is what a frame's own methods call
                    monkeypatch.setattr(pl.LazyFrame, way, noting(way))
