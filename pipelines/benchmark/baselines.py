"""Baselines and ablations: the inputs of each ranking, and its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.assemble import Rows, readings_for
from features.catalogue import INPUTS, Input, category
from features.columns.identifiers import DISGUISED
from features.parties import LINKED
from pipelines.benchmark.world_evidence import Evidence
from pipelines.training.hyper_parameters import REPEATING
from pipelines.training.ranking_metrics import Floats
from pipelines.training.train import FOLDS, Integers, Learner, levels_of
from service.scoring.model import matrix_of

REFIT_DAYS = 10
RAW = (
    "value_eur", "gross_mass_kg", "pieces", "lines", "value_per_kg", "value_per_piece", "mass_per_piece",
    "net_to_gross", "postage_to_value", "has_ioss", "lodged_hour", "stream", "nature", "hs_chapter",
)  # fmt: skip
DECLARED_INPUTS = tuple(
    category(name, name, name, name)
    for name in ("dispatch_country", "consignor_country", "office", "operator", "platform", "mail_class")
)
WORDING = tuple(item.name for item in INPUTS if item.name.startswith("wording_"))
ITSELF = (  # contradictions within the declaration
    "sender_house_beyond", "sender_number_beyond", "sender_address_digits", "mailbox_name_fit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rung:
    """A ranking of the benchmark (rung).

    forget: share of the earlier rows that are also learned without history.
    weak: weight of each uninspected row as a weak negative.
    temper: power of the inverse selection probability as a weight. blind: evaluated without a readable history.
    linked: learned and evaluated on consignments whose senders were linked.
    repeats: models of different seeds whose margins are averaged.
    categories: whether trees split on stream, nature and HS chapter, which repeat what inspectors chose.
    """

    name: str
    inputs: tuple[Input, ...]
    forget: float = 0.0
    weak: float = 0.0
    temper: float = 0.0
    blind: bool = False
    linked: bool = True
    repeats: int = 1
    categories: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _only(*names: str) -> tuple[Input, ...]:
    return tuple(item for item in INPUTS if item.name in names)


def _without(*names: str) -> tuple[Input, ...]:
    return tuple(item for item in INPUTS if item.name not in names)


def _resting_on(*facts: str) -> tuple[str, ...]:
    """Return the inputs that use any reading of history of these facts."""
    return tuple(item.name for item in INPUTS if any(f"_{f}_" in r.name for r in readings_for([item]) for f in facts))


PAST = tuple(item.name for item in INPUTS if readings_for([item]))
LABELS = _resting_on("hits", "inspected", "not_presented")
OF_EACH = tuple(f"{key}_age" for key in DISGUISED)
IDENTIFIERS = tuple(item.name for item in INPUTS if item.name.startswith("identifiers_") or item.name in OF_EACH)

NETWORK = tuple(item.name for item in INPUTS if item.name.startswith("network_") or item.name in LINKED)

RAW_RUNG, OWN = "raw LightGBM", "Tamis"
RUNGS = (
    Rung(RAW_RUNG, (*_only(*RAW), *DECLARED_INPUTS), categories=True),
    Rung("Tamis without linking", _without(*NETWORK), linked=False),
    Rung(OWN, INPUTS),
)
CEILING = Rung("full information", INPUTS, categories=True)
ABLATIONS = (
    Rung("with raw declared columns", (*INPUTS, *DECLARED_INPUTS), categories=True),
    Rung("with stream, nature and HS chapter", INPUTS, categories=True),
    Rung("without the age of each identifier", _without(*OF_EACH)),
    Rung("without identifiers, the sender's name alone", _without(*IDENTIFIERS)),
    Rung("without any history", _without(*PAST)),
    Rung("history without labels", _without(*LABELS)),
    Rung("without wording", _without(*WORDING)),
    Rung("without the parcel against itself", _without(*ITSELF)),
    Rung("a tenth of the rows again without history", INPUTS, forget=0.1),
    Rung("all rows again without history", INPUTS, forget=1.0),
    Rung("history down", INPUTS, blind=True),
    Rung("history down, a tenth learned without", INPUTS, forget=0.1, blind=True),
    Rung("history down, all learned without", INPUTS, forget=1.0, blind=True),
    Rung("weak negatives at 0.06", INPUTS, weak=0.06),
    Rung("weights tempered, power 0.3", INPUTS, temper=0.3),
    Rung("weights in full, power 1", INPUTS, temper=1.0),
    Rung("31 leaves", INPUTS, parameters={"num_leaves": 31}),
    Rung("three seeds averaged", INPUTS, repeats=3),
)


def rank(rung: Rung, evidence: Evidence) -> tuple[Floats, Floats]:
    """Return margins and calibrated risks of the judged rows; trained every ten days on what was known before."""
    day, judged = evidence.frame["day"].to_numpy(), evidence.frame["judged"].to_numpy()
    margin, risk = np.full(len(day), np.nan), np.full(len(day), np.nan)
    shown = evidence.blind if rung.blind else _rows_of(rung, evidence)
    for first in range(0, int(day.max()) + 1, REFIT_DAYS):
        block = np.flatnonzero(judged & (day >= first) & (day < first + REFIT_DAYS))
        learner, rows = _learner(rung, evidence, evidence.start + timedelta(days=first))
        asked = matrix_of(Rows.of_frame(shown[block.tolist()]), rung.inputs, learner.levels)
        fitted = [learner.with_seed(seed).fit(rows) for seed in range(rung.repeats)]
        margin[block] = np.mean([model.trees.margins(asked) for model in fitted], axis=0)
        risk[block] = np.mean([model.calibration.apply(model.trees.margins(asked)) for model in fitted], axis=0)
    return margin[judged], risk[judged]


def _rows_of(rung: Rung, evidence: Evidence) -> pl.DataFrame:
    return evidence.rows if rung.linked else evidence.unlinked


def _learner(rung: Rung, evidence: Evidence, now: datetime) -> tuple[Learner, Integers]:
    """Return the data known on the morning of `now`, and its labelled rows in order of time."""
    frame = evidence.frame
    rows = (
        frame.select((pl.col("known_at") < now) & (pl.col("lodged_at") < now)).to_series().fill_null(False).arg_true()
    )
    weak = frame["weak"].arg_true() if rung.weak else pl.Series([], dtype=rows.dtype)
    earlier = rows[: round(FOLDS[0] * len(rows))]  # a copy of a row must not train the fold that the row validates
    forgotten = earlier.filter(evidence.lot[earlier] < rung.forget)
    known = _rows_of(rung, evidence)
    levels = levels_of(known[rows], rung.inputs)
    stacked = pl.concat([known[rows], evidence.blind[forgotten], known[weak]])
    hit = pl.concat([frame["hit"][rows], frame["hit"][forgotten], frame["hit"][weak]]).fill_null(False).to_numpy()
    weight = np.concatenate([_tempered(frame, rows, rung.temper), _tempered(frame, forgotten, rung.temper),
                             np.full(len(weak), rung.weak)])  # fmt: skip
    always = np.arange(len(rows), stacked.height)
    matrix = matrix_of(Rows.of_frame(stacked), rung.inputs, levels)
    unused = () if rung.categories else REPEATING
    learner = Learner(matrix, hit, rung.inputs, levels, always, weight, rung.parameters, unused=unused)
    return learner, np.arange(len(rows))


def _tempered(frame: pl.DataFrame, rows: pl.Series, power: float) -> Floats:
    chance = frame["selection_probability"][rows].fill_null(1.0).to_numpy()
    weight = chance**-power
    return np.asarray(weight / max(weight.mean(), 1e-12)) if len(weight) else np.empty(0)


def by_chance(evidence: Evidence) -> Floats:
    """Return random scores."""
    return np.random.default_rng(7).random(int(evidence.frame["judged"].sum()))


def by_sender(evidence: Evidence) -> Floats:
    """Return the sender's past hit rate, with random ties."""
    rate = evidence.rows.filter(evidence.frame["judged"])["consignor_hit_rate"].fill_null(0.0).to_numpy()
    return np.asarray(rate + 1e-9 * by_chance(evidence))
