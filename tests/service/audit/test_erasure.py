"""What an erasure takes of a declaration, when its facts still wait, and what becomes of one that is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from features.contract import no_quarantine
from pipelines.batch.ingest import keep_quarantine
from pipelines.batch.published_folders import note_published, published_folders
from pipelines.batch.refused_rows import erase_refused
from pipelines.batch.remains import BACKUP, LEARNED, PUBLISHED, Remaining, remaining
from service.audit.erasure import erase
from service.history.stored_history import StoredHistory
from service.record.consignment_versions import Gone
from service.recording import Recorder
from service.settings import Settings
from service.store.database import Store
from service.store.tables import DECISIONS, DECLARATIONS, ERASED
from service.targeting import Desk, target
from tests.service.building import NOON, consignments, declared, message

ONE, OTHER = (f"HAWB{number:09d}" for number in (1, 2))


def kept(store: Store, consignment_id: str) -> tuple[Any, ...]:
    """The hash, the statement and the content on record of a declaration."""
    columns = (DECLARATIONS.c.content_sha256, DECLARATIONS.c.stated, DECLARATIONS.c.body)
    with store.reading() as connection:
        found = connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id == consignment_id))
        return tuple(found.one())


def test_facts_that_wait_are_posted_before_what_they_are_made_of_goes(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "_facts", lambda *_: (None, None))  # history cannot be read
        target(message(declared(1)), desk)
    erase(store, [ONE], "anna", "asked for", NOON)
    sha256, stated, body = kept(store, ONE)
    assert (sha256, body) == (ERASED, None)
    assert stated["consignor_entity"] is not None
    assert desk.journal.catch_up() == 1
    assert kept(store, ONE) == (ERASED, None, None)
    assert StoredHistory(store).running()["consignments"].sum() > 0


def test_an_amendment_after_an_erasure_counts_nothing_twice(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    before = StoredHistory(store).running()
    erase(store, [ONE], "anna", "asked for", NOON)
    target(message(declared(1, version=2, lodged_at=NOON + timedelta(hours=1)), message_id="M2"), desk)
    sums = StoredHistory(store).running().group_by("entity").agg(pl.col("consignments", "lines", "value").last())
    former = before.group_by("entity").agg(pl.col("consignments", "lines", "value").last())
    assert sums.sort("entity").equals(former.sort("entity"))


def test_of_a_decision_its_network_goes_too(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    with store.writing() as connection:
        connection.execute(sa.update(DECISIONS).values(network="N-0000000000000007"))
    erase(store, [ONE], "anna", "asked for", NOON)
    with store.reading() as connection:
        assert connection.execute(sa.select(DECISIONS.c.network)).scalars().all() == [None]


def test_what_was_never_decided_and_is_sent_again_after_its_erasure_is_gone(desk: Desk, store: Store) -> None:
    ingested = consignments(message(declared(1)))
    assert desk.journal.remember(ingested) == 1
    erase(store, [ONE], "anna", "asked for", NOON)
    with pytest.raises(Gone):
        target(message(declared(1)), desk)
    assert desk.journal.remember(ingested) == 0
    assert kept(store, ONE) == (ERASED, None, None)


def refused(rows: Sequence[tuple[int, str | None]]) -> pl.DataFrame:
    """Refused rows of these lines, as they were received."""
    said = [(line, "stream", "not a stream", "correct it", "stream: not a stream", row) for line, row in rows]
    return pl.DataFrame(said, schema=no_quarantine().schema, orient="row")


def test_refused_rows_go_by_their_number_and_where_none_can_be_read_by_their_text(tmp_path: Path) -> None:
    rows = [
        (1, f'{{"consignment_id": "{ONE}", "consignor_name": "Ann"}}'),
        (2, f'{{"consignment_id": "{ONE}7", "consignor_name": "Bob"}}'),
        (3, f'{{"consignor_name": "Cat of {ONE}"}}'),
        (4, f"a broken line {ONE};Dan"),
        (5, None),
    ]
    keep_quarantine(refused(rows), tmp_path, "a")
    keep_quarantine(refused(rows[:1]), tmp_path, "b")
    assert erase_refused(tmp_path, [ONE], dry_run=True) == 4
    assert pl.read_parquet(tmp_path / "a.quarantine.parquet").height == 5
    assert erase_refused(tmp_path, [ONE]) == 4
    assert pl.read_parquet(tmp_path / "a.quarantine.parquet")["line"].to_list() == [2, 5]
    text = (tmp_path / "a.quarantine.csv").read_text(encoding="utf-8")
    assert [name in text for name in ("Ann", "Bob", "Cat", "Dan")] == [False, True, False, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.quarantine.csv", "a.quarantine.parquet"]
    assert erase_refused(tmp_path, []) == 0


def test_what_still_holds_a_consignment_is_named(tmp_path: Path) -> None:
    settings, nothing = Settings(home=tmp_path / "home"), no_quarantine()
    decided, broken, other, gone = (tmp_path / name for name in ("decided", "broken", "other", "gone"))
    for folder, numbers, rows in ((decided, [ONE], nothing), (broken, [], refused([(1, f"x {ONE}")])),
                                  (other, [OTHER], nothing), (gone, None, nothing)):  # fmt: skip
        note_published(settings, folder)
        note_published(settings, folder)
        if numbers is not None:
            folder.mkdir()
            schema = {"consignment_id": pl.String}
            pl.DataFrame({"consignment_id": numbers}, schema=schema).write_parquet(folder / "orientations.parquet")
            rows.write_parquet(folder / "quarantine.parquet")
    assert published_folders(settings) == [str(folder) for folder in (decided, broken, other, gone)]
    for name, content in (
        ("reports/r.html", "Ann&#39;s"),
        ("artifacts/a.json", '"\\u00c9va Quill"'),
        ("bundles/b", "-"),
    ):
        path = settings.home / name
        path.parent.mkdir()
        path.write_text(content, encoding="utf-8")
    pl.DataFrame({"x": [1.0], "who": ["Éva Quill"]}).write_parquet(settings.home / "bundles" / "golden.parquet")
    (settings.home / "backups" / "schema-2-then").mkdir(parents=True)
    found = remaining(settings, [ONE], {"Ann's", "Éva Quill"})
    assert found == [
        Remaining(decided, PUBLISHED), Remaining(broken, PUBLISHED),
        *(Remaining(settings.home / name, LEARNED) for name in ("reports/r.html", "artifacts/a.json",
                                                                "bundles/golden.parquet")),
        Remaining(settings.home / "backups" / "schema-2-then", BACKUP),
    ]  # fmt: skip
    assert remaining(settings, [], set()) == []
