"""The arms of a backtest: a ranker trained on what the arm itself has seen, under a policy of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import Fits, Rows
from features.catalogue import INPUTS, Input, category, history, number
from features.columns.shipper import PRIOR_WEIGHT
from features.fingerprint import fingerprint
from features.norms import SCHEMA as NORMS
from features.norms import Norms
from features.rates import BEFORE_ANY, Rates
from features.rates import SCHEMA as RATES
from features.wording import SCHEMA as WORDING
from features.wording import Wording
from pipelines.batch.archive import Archive
from pipelines.training.train import train
from pipelines.training.training_frame import build_training_frame
from service.orientation import Policy, check_inputs
from service.scoring import Model, Scores
from service.scoring.calibration import Calibration
from service.scoring.model import matrix_of, place_among, scored
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
Ranker = Callable[[Archive, datetime], Model]


@dataclass(frozen=True, slots=True)
class Arm:
    """One column of the comparison: its ranker, and what its policy adds to the checks that all arms have."""

    name: str
    ranker: Ranker
    policy: str = ""


SENDER = tuple(item for item in INPUTS if item.name == "consignor_hit_rate")
NUMBERS = ("value_eur", "gross_mass_kg", "packages", "postage", "pieces", "lines", "value_per_kg", "value_per_piece")
CATEGORIES = (
    *("stream", "nature", "hs_chapter", "main_origin", "dispatch_country"),
    *("office", "operator", "mail_class", "platform"),
)
RAW: tuple[Input, ...] = (  # declared values only: no history, no norms, no wording
    *(number(name, *[name] * 3) for name in NUMBERS),
    *(category(name, *[name] * 3) for name in CATEGORIES),
)
DATE: tuple[Input, ...] = (  # as in the preprocessing of DATE (Kim et al., KDD 2020): the same, with sender and goods
    *RAW,
    *(category(name, *[name] * 3) for name in ("main_hs6", "consignor_name")),
    *history("consignor_inspected_ever", "consignor_hits_ever", "goods_inspected_ever", "goods_hits_ever"),
    *history("route_inspected_ever", "route_hits_ever", "pair_inspected_ever", "pair_hits_ever"),
)
PROFILED: tuple[tuple[str, ...], ...] = (
    ("consignor_name",),
    ("main_hs6",),
    ("main_origin",),
    ("office",),
    ("operator",),
    ("platform",),
    ("main_hs6", "main_origin"),
    ("main_hs6", "dispatch_country"),
    ("hs_chapter", "dispatch_country", "office"),
    ("hs_chapter", "operator"),
    ("platform", "hs_chapter"),
    ("consignor_name", "hs_chapter"),
)


def tamis(archive: Archive, end: datetime) -> Model:
    """Train the product's model: all inputs, by the training that `tamis train` uses."""
    return learned(archive, INPUTS, end)


def raw_lightgbm(archive: Archive, end: datetime) -> Model:
    """Train the same model on declared columns alone, the categories among them."""
    return learned(archive, RAW, end, {"feature_contri": [1.0] * len(RAW)})


def learned(
    archive: Archive, inputs: Sequence[Input], end: datetime, parameters: Mapping[str, Any] | None = None
) -> Model:
    """Train a model on everything known before `end`; only its latest rows are held out as a test.

    parameters: of the trees, in place of the standard ones.
    """
    judged_by = [item for item in SENDER if item not in inputs]  # the baseline of every training
    frame = build_training_frame(archive, [*inputs, *judged_by], end=end)
    latest: datetime = frame.facts["lodged_at"].max()  # type: ignore[assignment]
    return train(
        frame, inputs, f"replay-{end:%Y-%m-%d}", test_from=latest, test_apart=True, parameters=parameters
    ).model


def sender_rule(_archive: Archive, _end: datetime) -> Model:
    """Rank by the sender's hit rate, shrunk while inspections are few, without any training."""
    return ranked_by("sender-rule", SENDER, _sender_rate)


def sender_rule_under(policies: Sequence[Policy]) -> Model:
    """Return the sender rule with every feature that rules may name; raises PolicyFault where a rule names another."""
    for policy in policies:
        check_inputs(policy, INPUTS)
    return ranked_by("sender-rule", INPUTS, _sender_rate)


def _sender_rate(rows: pl.DataFrame) -> Floats:
    rate: Floats = rows["consignor_hit_rate"].fill_null(BEFORE_ANY).to_numpy().astype(np.float64)
    return np.log(rate / (1.0 - rate))


@dataclass(frozen=True, slots=True)
class Ranked(Model):
    """A model whose margins are any function of the rows: an adapter for rules and other learners."""

    rank: Callable[[pl.DataFrame], Floats] = field(kw_only=True)

    def score(self, rows: Rows) -> Scores:
        """Compute margins by `rank`; risks and ranks among an ordinary day as for every model."""
        margin = self.rank(rows.frame)
        risk = self.calibration.apply(margin)
        below = place_among(self.reference, margin)
        table = scored(rows, margin, risk, below)
        return Unexplained(table, np.zeros((len(margin), len(self.inputs))), rows, self)


@dataclass(frozen=True, slots=True)
class Unexplained(Scores):
    """Scores without reasons."""

    def contributions(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
        """Return zeros."""
        return np.zeros((len(chosen), len(self.model.inputs) + 1))


def ranked_by(
    name: str, inputs: Sequence[Input], rank: Callable[[pl.DataFrame], Floats], fits: Fits | None = None
) -> Ranked:
    """Build a model from a function of rows of `inputs` to margins; all that a new arm needs."""
    return Ranked(
        model_id=name,
        sha256="",
        fingerprint=fingerprint(inputs),
        inputs=tuple(inputs),
        fits=fits or Fits(Norms(NORMS.to_frame()), Wording(WORDING.to_frame()), Rates(RATES.to_frame())),
        levels={},
        calibration=Calibration("none"),
        reference=np.zeros(1),
        trees=_idle(),
        rank=rank,
    )


@lru_cache(maxsize=1)
def _idle() -> Trees:
    """Return trees that are never evaluated: a model needs some, and a function has none."""
    return Trees.of(lgb.train({"verbosity": -1}, lgb.Dataset(np.zeros((2, 1)), np.zeros(2)), num_boost_round=1))


@dataclass(frozen=True, slots=True)
class Profiles:
    """Shrunk hit rates by entity and by combination of columns, from labelled rows."""

    overall: float
    tables: Mapping[tuple[str, ...], pl.DataFrame]

    @classmethod
    def of(cls, rows: pl.DataFrame, hit: pl.Series) -> Profiles:
        """Compute profiles from labelled rows."""
        overall, rows_with_hit = float(hit.mean()), rows.with_columns(hit.alias("hit"))  # type: ignore[arg-type]
        shrunk = (pl.col("hit").sum() + PRIOR_WEIGHT * overall) / (pl.len() + PRIOR_WEIGHT)
        return cls(overall, {key: rows_with_hit.group_by(key).agg(shrunk.alias("rate")) for key in PROFILED})

    def attach(self, rows: pl.DataFrame) -> Floats:
        """Return one column for each profile; a value never seen has the overall rate."""
        rates = [
            rows.select(key).join(table, on=key, how="left", maintain_order="left", nulls_equal=True)["rate"]
            for key, table in self.tables.items()
        ]
        return np.column_stack([rate.fill_null(self.overall).to_numpy() for rate in rates])


def date_style(archive: Archive, end: datetime) -> Model:
    """Train LightGBM on declared columns and risk profiles: target-encoded hit rates of entities and combinations.

    The profiles of a training row are made from the other fifths of the rows, so that they exclude its own label.
    """
    frame = build_training_frame(archive, DATE, end=end)
    rows, hit = frame.rows.frame, frame.facts["hit"]
    fold = np.arange(len(hit)) % 5
    profiled = np.empty((len(hit), len(PROFILED)))
    for part in range(5):
        in_fold = pl.Series(fold == part)
        profiled[fold == part] = Profiles.of(rows.filter(~in_fold), hit.filter(~in_fold)).attach(rows.filter(in_fold))
    numbers = tuple(item for item in DATE if item.kind == "number")
    booster = _boosted(np.hstack([matrix_of(frame.rows, numbers, {}), profiled]), hit.to_numpy())
    everything = Profiles.of(rows, hit)

    def rank(asked: pl.DataFrame) -> Floats:
        matrix = np.hstack([matrix_of(Rows.of_frame(asked), numbers, {}), everything.attach(asked)])
        return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)

    return ranked_by(f"date-{end:%Y-%m-%d}", DATE, rank, frame.fits)


def _boosted(matrix: Floats, hit: npt.NDArray[np.bool_]) -> lgb.Booster:
    parameters = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 20,
                  "lambda_l2": 5.0, "num_threads": 1, "verbosity": -1, "deterministic": True, "seed": 1}  # fmt: skip
    return lgb.train(parameters, lgb.Dataset(matrix, hit.astype(float)), num_boost_round=100)
