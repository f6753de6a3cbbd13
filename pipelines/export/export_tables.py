"""The tables of an export: their columns with types and meanings, and which roles get which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from features.catalogue import Input
from features.choices import Role, TableName
from features.consignment import COLUMNS, TIME
from features.outcome import OUTCOME_COLUMNS
from service.orientation.decision_fields import MEANINGS
from service.orientation.decisions import FLAT

KINDS = {"number": pl.Float64(), "category": pl.String()}


@dataclass(frozen=True, slots=True)
class ExportedColumn:
    """A column of an exported table."""

    name: str
    kind: pl.DataType
    meaning: str


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A table of an export: a row of what, the moment that `--from` and `--to` choose by, its columns, who gets it."""

    name: TableName
    row: str
    chosen_by: str
    columns: tuple[ExportedColumn, ...]
    roles: tuple[Role, ...]

    @property
    def schema(self) -> pl.Schema:
        """The types of its columns."""
        return pl.Schema({column.name: column.kind for column in self.columns})


AS_IT_STANDS = (
    ExportedColumn(
        "standing_clearance", pl.String(), "the lane that counted after this row, by an officer's word or not"
    ),
    ExportedColumn("override_clearance", pl.String(), "the lane of the override in force; empty where there is none"),
    ExportedColumn("override_at", TIME, "when it was said"),
    ExportedColumn("override_new_information", pl.Boolean(), "whether a later assessment asks for a stricter lane"),
    ExportedColumn("override_by", pl.String(), "who said it; for analysts and auditors"),
    ExportedColumn("override_reason", pl.String(), "why; for analysts and auditors"),
    ExportedColumn("change", pl.String(), "why the row is here: `decided`, `overridden` or `transferred`"),
    ExportedColumn(
        "at_entry", pl.Int64(), "its place on the audit log; of several rows of a consignment the last counts"
    ),
)
LABELS = (
    ExportedColumn("message_id", pl.String(), "the message that carried the declaration"),
    ExportedColumn("consignment_id", pl.String(), "the consignment"),
    ExportedColumn("version", pl.Int64(), "the version of the declaration"),
    ExportedColumn("office", pl.String(), "the office of destination"),
    ExportedColumn("lodged_at", TIME, "when the declaration reached customs; inputs hold what was known then"),
    ExportedColumn("known_at", TIME, "when the result became known"),
    ExportedColumn("hit", pl.Boolean(), "the label: whether something non-compliant was found"),
    ExportedColumn("grave", pl.Boolean(), "whether what was found was dangerous or criminal; empty where not recorded"),
    ExportedColumn("value", pl.Float64(), "declared value in euro; nought where unknown"),
    ExportedColumn("selection", pl.String(), "why it was inspected"),
    ExportedColumn("selection_probability", pl.Float64(), "the chance with which it was selected"),
)
DECISIONS = ExportTable(
    "decisions", "what came to count of a consignment: a decision, an override, another office",
    "the moment it came to count",
    (*(ExportedColumn(name, kind, MEANINGS[name]) for name, kind in FLAT.items()), *AS_IT_STANDS),
    ("data_scientist", "analyst", "auditor", "clearance"),
)  # fmt: skip
DECLARATIONS = ExportTable(
    "declarations", "a goods line of a declared version", "`lodged_at`",
    tuple(ExportedColumn(column.name, column.dtype, column.meaning) for column in COLUMNS),
    ("data_scientist", "analyst", "auditor"),
)  # fmt: skip
RESULTS = ExportTable(
    "results", "a control result", "`known_at`",
    tuple(ExportedColumn(column.name, column.dtype, column.meaning) for column in OUTCOME_COLUMNS),
    ("data_scientist", "analyst", "auditor"),
)  # fmt: skip


def training_table(inputs: Sequence[Input]) -> ExportTable:
    """Return the table of labelled consignments with these inputs of a model."""
    of_inputs = (ExportedColumn(item.name, KINDS[item.kind], item.meaning) for item in inputs)
    return ExportTable(
        "training", "a consignment with a result, as `tamis train` learns from it", "`lodged_at`",
        (*LABELS, *of_inputs), ("data_scientist", "analyst", "auditor"),
    )  # fmt: skip
