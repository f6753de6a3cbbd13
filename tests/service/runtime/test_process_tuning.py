"""What a process that serves keeps for good is left alone, and threads are shared out among processes."""

from __future__ import annotations

import gc
import os
import sys

import pytest

from service.runtime.process_tuning import SELDOM, SWITCH_SECONDS, frozen_gc, quick_switches, share_cores_among


def test_what_stays_is_not_looked_over_until_the_block_ends() -> None:
    threshold, frozen = gc.get_threshold(), gc.get_freeze_count()
    with frozen_gc():
        assert gc.get_freeze_count() > frozen + 10_000
        assert gc.get_threshold() == SELDOM
        made = [[n] for n in range(1_000)]
        assert len(gc.get_objects()) < 50_000
        del made
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == threshold


@pytest.mark.parametrize(
    ("workers", "said", "threads"), [(1, None, None), (2, None, "4"), (16, None, "1"), (2, "3", "3")]
)
def test_workers_share_the_cores_unless_somebody_has_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, workers: int, said: str | None, threads: str | None
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("POLARS_MAX_THREADS", "")  # so that it is put back as it was
    monkeypatch.delenv("POLARS_MAX_THREADS")
    if said:
        monkeypatch.setenv("POLARS_MAX_THREADS", said)
    share_cores_among(workers)
    assert os.environ.get("POLARS_MAX_THREADS") == threads


def test_threads_take_turns_more_often_until_the_service_ends() -> None:
    before = sys.getswitchinterval()
    with quick_switches():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
