"""Frames of features that earlier code made of a kept archive: what is said to compute the same does, bit for bit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from features.assemble import assemble
from features.catalogue import EVERY_INPUT
from features.compatible import REVISED_SINCE, SAME_FEATURES_AS
from features.fingerprint import code_fingerprint
from features.history.facts import facts_of, facts_of_outcomes, facts_registered
from features.history.totals import FactTable
from pipelines.batch.archive import Archive
from pipelines.training.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of
from tests.kept.kept_homes import FOLDERS, unpack_home

FRAMES = [frame for folder in FOLDERS for frame in sorted(folder.glob("features*.parquet"))]


def features_of(home: Path) -> pl.DataFrame:
    """Every input of every archived consignment, as today's code computes it."""
    archive = Archive(home / "archive", linking=True)
    consignments = linked(archive.consignments(None, None), archive.meanwhile())
    outcomes = with_entities_of(archive.outcomes(None), consignments)
    facts = [facts_of(consignments), facts_of_outcomes(outcomes), facts_registered(archive.registered())]
    times: list[datetime] = consignments.frame["lodged_at"].to_list()
    first, last = min(times), max(times)
    labelled = labelled_of(consignments, outcomes, first)
    fits = fit_goods(consignments, labelled, refit_dates(first, last))
    rows = assemble(consignments, FactTable(pl.concat(facts), holds_all=True), fits, EVERY_INPUT)
    named = consignments.frame.select("message_id", "consignment_id", "version", "row")
    return named.join(rows.frame, on="row", maintain_order="left").drop("row")


def code_over(frame: Path) -> str:
    """The hash of today's code over those of today's inputs that the earlier code had, as its bundles are judged."""
    had = pl.read_parquet_schema(frame)
    return code_fingerprint([item for item in EVERY_INPUT if item.name in had])


def different_columns(kept: pl.DataFrame, now: pl.DataFrame) -> list[str]:
    """Columns of a kept frame that are not there any more, or not alike bit for bit; what was added is none of its."""
    return [name for name in kept.columns if name not in now or _bits(kept[name]) != _bits(now[name])]


def _bits(column: pl.Series) -> list[object]:
    if column.dtype == pl.Float64:
        return [None if value is None else value.hex() for value in column]
    return column.cast(pl.String).to_list()


@pytest.fixture(scope="module", params=FRAMES, ids=lambda frame: f"{frame.parent.name}/{frame.stem}")
def frame(request: pytest.FixtureRequest) -> Path:
    """A kept frame."""
    return Path(request.param)


def test_what_is_said_to_compute_the_same_does(frame: Path, tmp_path: Path) -> None:
    learned = frame.with_suffix(".fingerprint").read_text(encoding="utf-8").strip()
    unpack_home(frame.with_name("sqlite.tar.xz"), tmp_path)
    differ = different_columns(pl.read_parquet(frame), features_of(tmp_path))
    now = code_over(frame)
    if learned == now:
        assert differ == [], "the same code computes something else"
    elif any(learned in same for same in SAME_FEATURES_AS.values()):
        assert differ == [], "these features changed: take the fingerprint out of features/compatible.py"
        assert learned in SAME_FEATURES_AS.get(now, ()), (
            f"the code changed, the features did not: write {now} in compatible.py"
        )
    elif any(learned in revised for revised in REVISED_SINCE.values()):
        kinds = REVISED_SINCE.get(now, {}).get(learned)
        assert kinds is not None, f"the code changed: write {now} in compatible.py if these alone differ: {differ}"
        assert [name for name in differ if not name.startswith(tuple(f"{kind}_" for kind in kinds))] == []
        assert {kind for kind in kinds if any(name.startswith(f"{kind}_") for name in differ)} == set(kinds)
    else:
        assert differ, "nothing changed: name the fingerprint in features/compatible.py, and its bundles serve"


def test_the_comparison_sees_one_bit(frame: Path) -> None:
    kept = pl.read_parquet(frame)
    value = pl.col("value_eur")
    nudged = kept.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(value * (1 + 2**-52)).otherwise(value))
    assert different_columns(kept, nudged) == ["value_eur"]
    assert different_columns(kept, kept.drop("value_eur")) == ["value_eur"]
    assert different_columns(kept.drop("value_eur"), kept) == [], "an input that was added"


def test_nothing_is_listed_as_the_same_and_as_revised() -> None:
    for now, same in SAME_FEATURES_AS.items():
        assert not same & REVISED_SINCE.get(now, {}).keys()


def test_only_today_s_code_is_listed() -> None:
    assert {*SAME_FEATURES_AS, *REVISED_SINCE} <= {code_over(folder) for folder in FRAMES}, (
        "an entry of code that is no more: take it away"
    )
