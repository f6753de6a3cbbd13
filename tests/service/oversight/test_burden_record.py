"""The burden report reads rows and files alike, lanes as officers left them, and says what raised a score."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from service.audit.replay import Bundles
from service.desk import Desk
from service.officers.overrides import override_lane
from service.oversight.burden import ORIGINS, SEEN
from service.oversight.burden_report import as_json, latest, report_of, write
from service.oversight.feature_gaps import explained
from service.oversight.looked_at import decided_between, results_on, seen_of
from service.scoring import Model
from service.settings import Settings
from service.store.record_tables import RECORD_SEGMENTS
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome, results
from tests.service.quick import ASKED, FEW_MARGIN, MANY_MARGIN, desk_of
from tests.service.settled.messages import LARGE, large, number, store_in_rows, store_with_files

DAY = NOON.date()


@pytest.fixture
def desks(model: Model, tmp_path: Path) -> Iterator[list[Desk]]:
    """Two that were sent the same: one settles in files, one keeps rows."""
    stores = store_with_files(tmp_path), store_in_rows(tmp_path)
    both = [desk_of(store, model) for store in stores]
    for desk in both:
        target(large(), desk)
        target(large(101, "M2"), desk)
    yield both
    for store in stores:
        store.close()


@pytest.fixture
def bundles(quick_home: Path) -> Bundles:
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def origins() -> pl.DataFrame:
    """What is declared of all that was sent: every second from another country."""
    numbers = [number(first + nth) for first in (1, 101) for nth in range(LARGE)]
    frame = pl.DataFrame({"consignment_id": numbers, **dict.fromkeys(ORIGINS, "one")})
    return frame.with_row_index().with_columns(
        pl.when(pl.col("index") % 2 == 0).then(pl.lit("CN")).otherwise(pl.lit("HK")).alias("dispatch_country")
    ).drop("index")  # fmt: skip


def test_rows_and_files_give_the_same_report(desks: list[Desk], bundles: Bundles, tmp_path: Path) -> None:
    of_files, of_rows = (desk.journal.store for desk in desks)
    with of_files.reading() as connection:
        assert connection.execute(RECORD_SEGMENTS.select()).first() is not None
    each = [decided_between(store, DAY, DAY).sort("consignment_id") for store in (of_files, of_rows)]
    assert each[0].equals(each[1])
    assert each[0].height == 2 * LARGE
    reports = [as_json(report_of(store, bundles, origins(), DAY, DAY)) for store in (of_files, of_rows)]
    assert reports[0] == reports[1]
    assert reports[0]["consignments"] == 2 * LARGE
    assert decided_between(of_files, DAY + timedelta(days=1), DAY + timedelta(days=2)).is_empty()


def test_an_officers_word_and_a_result_count(desk: Desk) -> None:
    decided = target(message(*(declared(n) for n in range(1, 4))), desk)
    (named,) = (row["decision_id"] for row in decided.rows if row["consignment_id"] == "HAWB000000001")
    store = desk.journal.store
    override_lane(store, named, "red", "chief", "seen before", NOON, "HAWB000000001")
    desk.journal.learn(results(outcome(2, result="compliant")))
    frame = pl.DataFrame({"consignment_id": [f"HAWB{n:09d}" for n in range(1, 4)], **dict.fromkeys(ORIGINS, "one")})
    seen = seen_of(frame, decided_between(store, DAY, DAY), results_on(store)).sort("consignment_id")
    assert seen["by"].to_list()[0] == "officer"
    assert seen["looked_at"].to_list()[:2] == [True, True]
    assert seen["hit"].to_list() == [None, False, None]


def test_inputs_say_what_raises_the_score_of_a_group(model: Model, bundles: Bundles, desk: Desk) -> None:
    many = [{**declared()["goods"][0], "quantity": 20}]
    sent = [declared(n, goods=many) if n % 2 else declared(n) for n in range(1, 21)]
    target(message(*sent), desk)
    seen = pl.DataFrame(
        {
            "consignment_id": [f"HAWB{n:09d}" for n in range(1, 21)],
            "dispatch_country": ["CN" if n % 2 else "HK" for n in range(1, 21)],
            "by": ["risk"] * 20,
        }
    )
    gap = explained(desk.journal.store, bundles, seen, pl.col("dispatch_country") == "CN")
    assert (gap.inputs[0].code, gap.checks, gap.sampled) == (ASKED, 10, 20)
    assert gap.inputs[0].adds == pytest.approx(MANY_MARGIN - FEW_MARGIN)
    assert all(one.adds == 0.0 for one in gap.inputs[1:])


def test_without_a_model_the_report_says_why(desk: Desk, bundles: Bundles) -> None:
    nothing = explained(desk.journal.store, bundles, SEEN.to_frame(), pl.lit(value=True))
    assert (nothing.inputs, nothing.why) == ((), "no model scored these consignments")


def test_the_latest_report_is_read_back(desks: list[Desk], bundles: Bundles, tmp_path: Path) -> None:
    assert latest(tmp_path) is None
    burden = report_of(desks[1].journal.store, bundles, origins(), DAY, DAY)
    for day in ("2026-02-01", "2026-02-03"):
        write(burden, tmp_path / "burden" / day)
    assert latest(tmp_path) == as_json(burden)
