"""The training frame: labelled consignments with point-in-time features, as known when each was lodged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.assemble import Fits, Rows, assemble
from features.catalogue import Input
from features.consignment import Consignments
from features.fault import Fault
from features.habits import Habits, fit_habits
from features.headings import Headings, fit_headings
from features.history.facts import ENTITIES, attributed, facts_of, facts_of_outcomes, facts_registered
from features.history.named_entities import MEMBERS
from features.history.tiles import RESULT_DAYS
from features.history.totals import FactTable
from features.norms import Norms, fit_norms
from features.parties import GraphTimeline, link_with
from features.parties.graph import Graph
from features.rates import fit_rates
from features.wording import fit_wording
from pipelines.batch.archive import Archive
from pipelines.training.labels import grave, hit, teaches
from pipelines.training.results_needed import Results

REFIT = timedelta(days=7)  # norms and wording weights are refitted every week
REFERENCE_ROWS = 20_000
REFERENCE_SPAN = timedelta(days=14)
WITHDRAWN = pl.col("purpose").eq("cancellation").fill_null(False)  # not representative of goods
RETENTION = timedelta(days=RESULT_DAYS)
Assembled = Callable[[Consignments, FactTable, Fits, Sequence[Input]], Rows]


class NothingToLearn(Fault):
    """The archive lacks data that training needs; the message names it."""


@dataclass(frozen=True, slots=True)
class TrainingFrame:
    """Model rows with their labels, and rows of ordinary days without.

    rows: model rows of the labelled consignments; facts: one row each with `lodged_at`, `known_at`, `hit`, `grave`,
        `findings`, `value`, `selection`, `selection_probability` and the manifest columns.
    labelled, history: the consignments of those rows and the past that they were read against.
    ordinary: model rows of a sample of the last two weeks' consignments, inspected or not.
    """

    rows: Rows
    facts: pl.DataFrame
    labelled: Consignments
    history: FactTable
    ordinary: Rows
    fits: Fits
    consignments: int
    start: datetime
    end: datetime


def build_training_frame(
    archive: Archive,
    inputs: Sequence[Input],
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    assembled: Assembled = assemble,
) -> TrainingFrame:
    """Build a frame of everything in the archive known before `end`; labels of consignments lodged from `start` on.

    Results older than three years are neither labels nor history: by then compliant files have been deleted, and the
    remaining ones would make every old sender look guilty.
    """
    consignments = archive.consignments(None, end)
    if not len(consignments):
        raise NothingToLearn("the archive holds no consignments; run `tamis ingest` first")
    if archive.linking:
        consignments = linked(consignments, archive.meanwhile())
    last: datetime = consignments.frame["lodged_at"].max()  # type: ignore[assignment]
    first: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    outcomes = with_entities_of(_within_retention(archive.outcomes(end), end or last), consignments)
    facts = [facts_of(consignments), facts_of_outcomes(outcomes), facts_registered(archive.registered())]
    history = FactTable(pl.concat(facts), holds_all=True)
    labelled = labelled_of(consignments, outcomes, start or first)
    known = Results.of(labelled)
    if not known.can_learn():
        raise NothingToLearn(f"too few control results to learn from; {'; '.join(known.sentences())}")
    fits = fit_goods(consignments, labelled, refit_dates(first, end or last))
    chosen = consignments.where(pl.col("row").is_in(labelled["row"].implode()))
    sample = _sample(consignments, last - REFERENCE_SPAN)
    return TrainingFrame(
        rows=assembled(chosen, history, fits, inputs),
        facts=labelled.drop("row"),
        labelled=chosen,
        history=history,
        ordinary=assembled(sample, history, fits, inputs),
        fits=fits,
        consignments=len(consignments),
        start=first,
        end=end or last,
    )


def linked(consignments: Consignments, timeline: GraphTimeline | None = None) -> Consignments:
    """Attribute each consignment to the network known on the day it was lodged; linked frames are returned unchanged.

    timeline: lists, reports and judgements as they came and went.
    """
    if MEMBERS in consignments.frame.columns:
        return consignments
    return link_with(consignments, Graph(), timeline)[0]


def _within_retention(outcomes: pl.DataFrame, end: datetime) -> pl.DataFrame:
    return outcomes.filter(pl.col("known_at") >= end - RETENTION)


def with_entities_of(outcomes: pl.DataFrame, consignments: Consignments) -> pl.DataFrame:
    """Add to outcomes the entities of the consignment version inspected."""
    return attributed(outcomes, consignments.frame.select("consignment_id", "version", "lodged_at", *ENTITIES))


def labelled_of(consignments: Consignments, outcomes: pl.DataFrame, start: datetime) -> pl.DataFrame:
    """Return one row for each consignment with a result, in the order of the consignments; its last result counts."""
    results = (
        outcomes.filter(teaches())
        .unique("consignment_id", keep="last", maintain_order=True)
        .select(
            "consignment_id",
            "known_at",
            hit(),
            grave(),
            "findings",
            pl.col("selection").fill_null("unknown"),
            "selection_probability",
        )
    )
    declared = consignments.frame.filter(pl.col("lodged_at") >= start, ~WITHDRAWN)
    first_versions = declared.unique("consignment_id", keep="first", maintain_order=True)
    main_line = consignments.goods.unique("row", keep="first", maintain_order=True)
    lines = main_line.select("row", "description", "hs_code", "goods_origin_country", "net_mass_kg")
    joined = first_versions.join(results, on="consignment_id", how="inner", maintain_order="left")
    return joined.join(lines, on="row", how="left", maintain_order="left").with_columns(
        pl.col("value_eur").fill_null(0.0).alias("value")
    )


def refit_dates(first: datetime, end: datetime) -> list[datetime]:
    """Return every refit from the second week on, the last at `end`, so that what serves next is up to date."""
    dates = [first + REFIT * n for n in range(1, int((end - first) / REFIT) + 1)]
    return [date for date in dates if date < end] + [end]


def fit_goods(consignments: Consignments, labelled: pl.DataFrame, dates: Sequence[datetime]) -> Fits:
    goods = consignments.goods.join(consignments.frame.select("row", "lodged_at"), on="row", how="left")
    norms = fit_norms(goods, dates)
    inspected = consignments.goods.select("row", "description").join(
        labelled.select("row", "hit", "known_at"), on="row", how="inner"
    )
    headings, habits = fit_headings(goods, dates), fit_habits(consignments.frame, dates)
    return Fits(norms, fit_wording(inspected, dates), fit_rates(labelled, dates), headings, habits)


def goods_so_far(archive: Archive) -> tuple[Norms, Headings, Habits] | None:
    """Return norms of all goods that are archived, what their words suggest, and habits of senders: without results.

    None where nothing is archived.
    """
    consignments = archive.consignments()
    if not len(consignments):
        return None
    first, last = consignments.frame["lodged_at"].min(), consignments.frame["lodged_at"].max()
    goods = consignments.goods.join(consignments.frame.select("row", "lodged_at"), on="row", how="left")
    dates = refit_dates(first, last)  # type: ignore[arg-type]  # there is one
    return fit_norms(goods, dates), fit_headings(goods, dates), fit_habits(consignments.frame, dates)


def _sample(consignments: Consignments, since: datetime) -> Consignments:
    recent = consignments.frame.filter(pl.col("lodged_at") >= since, ~WITHDRAWN)["row"].to_numpy()
    chosen = np.random.default_rng(0).permutation(recent)[:REFERENCE_ROWS]
    return consignments.where(pl.col("row").is_in(pl.Series(np.sort(chosen)).implode()))
