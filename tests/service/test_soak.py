"""Minutes of calls while bundles are swapped and lists are imported: no error, and memory that stays where it was."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.parties.linking_switch import LinkingSwitch
from service.parties.watch_lists import import_list
from service.serving.serving_bundle import serve
from service.settings import Settings
from service.store.database import open_store
from tests.service.building import MODEL_ID
from tests.service.processes import serving
from tests.service.serving.bundles import OTHER, Load, another

SECONDS = float(os.environ.get("TAMIS_SOAK_SECONDS", "0"))
MOST_GROWN = 1.25  # times the memory after the first fifth
EVERY = 10.0  # seconds from one swap to the next


def resident_mb(pid: int) -> float:
    """Memory of a process that is in use, not shared with others' files."""
    told = Path(f"/proc/{pid}/status").read_text().split("RssAnon:")[1].split()[0]
    return int(told) / 1024


@pytest.mark.skipif(SECONDS == 0, reason="soaked by `make prove`: TAMIS_SOAK_SECONDS")
def test_memory_stays_flat_through_swaps_and_lists(home: Settings, tmp_path: Path) -> None:
    """TAMIS_SOAK_SECONDS: how long."""
    another(home)
    LinkingSwitch(home.linking).turn_on("tests", "nobody here exists", datetime.now(UTC))
    with serving(home, tmp_path / "serve.log") as (process, client):
        loads = [Load(str(client.base_url), 10_000_000 * n) for n in range(2)]
        for load in loads:
            load.start()
        began, taken, turn = time.monotonic(), [], 0
        store = open_store(home)
        while time.monotonic() < began + SECONDS:
            time.sleep(EVERY)
            turn += 1
            serve(home, OTHER if turn % 2 else MODEL_ID)
            listed = f"id,schema,name,country\nx{turn % 3},Company,Shady Goods {turn % 3} Ltd,CN\n".encode()
            now = int(time.time() * 1e6)
            import_list(store, f"watch-{turn % 4}", listed, source="tests", by="Ada", at=now)
            taken.append(resident_mb(process.pid))
        for load in loads:
            load.stop()
        store.close()
        settled = client.get("/readyz").json()
    calls = sum(len(load.decided) for load in loads)
    failed = [fault for load in loads for fault in load.failed]
    early, late = max(taken[: max(1, len(taken) // 5)]), max(taken[-3:])
    print(f"{calls:,} calls in {SECONDS:.0f} s, {turn} swaps and imports, {early:.0f} MB, at the end {late:.0f} MB")
    assert failed == []
    assert settled["mode"] == "full"
    assert {d["model_id"] for load in loads for d in load.decided} == {MODEL_ID, OTHER}
    assert late < early * MOST_GROWN, taken
