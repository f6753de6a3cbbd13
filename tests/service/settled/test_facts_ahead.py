"""Facts that are written to a file before the transaction of their message come to what they come to within it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from service.desk import Desk
from service.history import posting
from service.history.posting import segments_listed
from service.record import settling
from service.scoring import Model
from service.targeting import target
from tests.service.building import declared, message
from tests.service.quick import desk_of
from tests.service.settled.messages import goods, large, sender, store_with_files

NEVER = 10**9


def told(folder: Path, model: Model, *, meanwhile: bool, ahead: bool) -> tuple[pl.DataFrame, int, int]:
    """Return what history holds after two messages, how many files count for it, and how many there are.

    meanwhile: a consignment of the second comes by itself, just before the second is recorded.
    """
    folder.mkdir()
    desk = desk_of(store_with_files(folder), model)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(posting, "MANY", 1 if ahead else NEVER)
        target(large(), desk)
        if meanwhile:
            patched.setattr("service.recording.settle_quiet", _late(desk, patched))
        target(large(101, "M2"), desk)
    with desk.journal.store.reading() as connection:
        counting = len(segments_listed(connection))
    files = desk.journal.store.segments.folder
    return desk.journal.history.running(), counting, len(list(files.glob("*.arrow"))) if files.exists() else 0


def _late(desk: Desk, patched: pytest.MonkeyPatch) -> Any:
    settle = settling.settle_quiet

    def late(*given: Any) -> Any:
        settled = settle(*given)
        if settled is not None:
            patched.setattr("service.recording.settle_quiet", settle)
            beside = desk_of(desk.journal.store, desk.model)
            target(message(declared(105, consignor=sender(105), **goods(105)), message_id="M2"), beside)
        return settled

    return late


def test_history_is_the_same(tmp_path: Path, model: Model) -> None:
    within, _, none = told(tmp_path / "within", model, meanwhile=False, ahead=False)
    ahead, counting, files = told(tmp_path / "ahead", model, meanwhile=False, ahead=True)
    assert within.height > 0
    assert within.equals(ahead)
    assert (none, counting) == (0, files)
    assert counting >= 2


def test_what_was_posted_meanwhile_is_not_posted_again(tmp_path: Path, model: Model) -> None:
    within, *_ = told(tmp_path / "within", model, meanwhile=True, ahead=False)
    ahead, counting, files = told(tmp_path / "ahead", model, meanwhile=True, ahead=True)
    assert within.equals(ahead)
    assert files == counting + 1, "the file that was written ahead counts for nothing"
