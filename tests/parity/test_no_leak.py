"""No fact that became known when or after a consignment was lodged can change one of its features."""

from __future__ import annotations

import polars as pl

from features.assemble import assemble
from features.catalogue import INPUTS
from features.history.facts import FACTS, facts_of, facts_of_outcomes
from features.history.totals import FactTable
from pipelines.batch.archive import Archive
from pipelines.training.training_frame import build_training_frame
from tests.worlds import SmallWorld, consignments_of


def test_permuting_or_deleting_later_facts_changes_no_feature(small_world: SmallWorld) -> None:
    consignments = consignments_of(small_world.manifests)
    outcomes = Archive(small_world.home / "archive").outcomes()
    keys = [c for c in consignments.frame.columns if c.endswith("_entity")]
    of_outcomes = outcomes.join(consignments.frame.select("consignment_id", *keys), on="consignment_id")
    facts = pl.concat([facts_of(consignments), facts_of_outcomes(of_outcomes)])
    moments = consignments.frame["lodged_at"].unique().sort()
    moment = moments[len(moments) // 2]
    now = consignments.where(pl.col("lodged_at") == moment)
    fits = small_world.trained.model.fits

    def rows(of: pl.DataFrame) -> pl.DataFrame:
        return assemble(now, FactTable(of, holds_all=True), fits, INPUTS).frame

    later = facts.filter(pl.col("known_at") >= moment)
    before = facts.filter(pl.col("known_at") < moment)
    shuffled = later.with_columns(pl.col(FACTS).shuffle(seed=1), pl.col("entity").shuffle(seed=2))
    assert later.height > 1000
    truth = rows(facts)
    assert truth.equals(rows(before), null_equal=True)
    assert truth.equals(rows(pl.concat([before, shuffled])), null_equal=True)
    assert not truth.equals(rows(later), null_equal=True)  # the facts before do matter


def test_training_rows_are_those_of_their_own_day(small_world: SmallWorld) -> None:
    """What training assembles from the whole archive is what a desk saw that day: norms, wording and history."""
    archive = Archive(small_world.home / "archive")
    frame = build_training_frame(archive, INPUTS, end=small_world.end)
    lodged = frame.facts["lodged_at"].sort()
    moment = lodged[lodged.len() * 3 // 4]
    short = build_training_frame(archive, INPUTS, end=moment)
    both = short.facts.with_row_index("row").join(
        frame.facts.with_row_index("row_of_all"), on=["message_id", "consignment_id", "version"], how="inner"
    )
    assert both.height > 50
    one = short.rows.frame[both["row"].to_numpy()].drop("row")
    other = frame.rows.frame[both["row_of_all"].to_numpy()].drop("row")
    assert one.equals(other, null_equal=True)
