"""Elements that the law asks for at a stage, and the rows of a message that lack them (`required_elements.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.algebra.tables import Table
from features.algebra.text import distinct_pairs

TABLE = Path(__file__).with_name("required_elements.toml")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what a decision says where an element is lacking, by which law, and the problems that mean it.

    lacking: pairs of field and problem.
    """

    name: str
    orientation: str
    source: str
    lacking: frozenset[tuple[str, str]]


@lru_cache(maxsize=1)
def stages() -> tuple[Stage, ...]:
    """Return the stages in the order of the table."""
    written: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["stage"]
    return tuple(
        Stage(
            stage["name"],
            stage["orientation"],
            stage["source"],
            frozenset((element["field"], problem) for element in stage["elements"] for problem in element["lacking"]),
        )
        for stage in written
    )


def is_lacking(field: str, problem: str) -> str | None:
    """Return the orientation that a data problem leads to; None where no stage asks for more than is there."""
    return next((stage.orientation for stage in stages() if (field, problem) in stage.lacking), None)


def rows_lacking(problems: Table, orientation: str) -> npt.NDArray[np.int64]:
    """Return the rows whose problems (`row`, `field`, `problem`) lead to an orientation, each once, in order."""
    row, lacking = problems.whole("row").values, _that_lead_to(orientation)
    if not len(row):
        return row
    field, problem = problems.text("field"), problems.text("problem")
    kinds, of_row = distinct_pairs(field.codes, problem.codes, len(problem.words))
    lacks = np.array([(field.words[one], problem.words[other]) in lacking for one, other in kinds], np.bool_)
    return np.unique(row[lacks[of_row]])


@lru_cache(maxsize=16)
def _that_lead_to(orientation: str) -> frozenset[tuple[str, str]]:
    return frozenset(pair for stage in stages() if stage.orientation == orientation for pair in stage.lacking)
