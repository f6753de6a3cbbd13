"""The hyper-parameters of the trees: standard values, which of them may be chosen and within what."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.fault import Fault

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 20.0,
    "max_cat_threshold": 16,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 2026,
    "verbosity": -1,
}
OF_THE_MACHINE = ("verbosity", "num_threads", "force_row_wise", "deterministic")
# What inspectors looked at comes back as what they found: where results come from a selection, trees that split on it
# repeat it and miss what is new. What was found, and how grave it is, they may tell apart.
REPEATING = ("stream", "nature", "hs_chapter")
A_SELECTION = 0.5  # of the consignments: with more results than that, few were left out, and there is nothing to repeat
# Findings are few: only inputs on the goods are used, as danger lies there, and the severity of earlier findings with
# the same identifiers and in the same network; other inputs on the sender add noise (tests/bench/track.py).
WHAT_IT_IS = ("value", "gross", "mass", "pieces", "goods_", "wording", "identifiers_grave", "network_grave")
SEVERITY_PARAMETERS: dict[str, Any] = {
    "num_leaves": 4,
    "min_data_in_leaf": 10,
    "lambda_l2": 20.0,
    "cat_smooth": 5.0,
    "min_data_per_group": 5,
}
ONE_THREAD_UP_TO = 100_000  # rows; below it threads wait longer than they work


class ParameterFault(Fault):
    """A hyper-parameter that cannot be; the message names it and says what it takes, never its value."""


@dataclass(frozen=True, slots=True)
class HyperParameter:
    """A number that may be chosen, by LightGBM's name.

    least, most: what it may be; searched: where a search looks, lowest and highest; none where it does not.
    on_logs: whether a search looks as closely between 0.01 and 0.02 as between 0.1 and 0.2.
    """

    name: str
    whole: bool
    least: float
    most: float
    meaning: str
    searched: tuple[float, float] | None = None
    on_logs: bool = False

    @property
    def takes(self) -> str:
        """Say what it takes."""
        return f"a {'whole ' if self.whole else ''}number from {self.least:g} to {self.most:g}"

    def read(self, value: object) -> float | int:
        """Take a value as a program or a file has it; raises ParameterFault for any other."""
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and self.least <= value <= self.most:
            return int(value) if self.whole else float(value)
        raise ParameterFault(f"{self.name} takes {self.takes}")


CHOSEN = (
    HyperParameter("learning_rate", False, 0.005, 0.5, "how far each tree goes", (0.01, 0.15), True),
    HyperParameter("num_leaves", True, 2, 255, "leaves of a tree", (3, 31), True),
    HyperParameter("max_depth", True, -1, 64, "levels of a tree; -1: no limit"),
    HyperParameter("min_data_in_leaf", True, 1, 10_000, "least results in a leaf", (5, 100), True),
    HyperParameter("min_gain_to_split", False, 0, 100, "least gain for a split"),
    HyperParameter("feature_fraction", False, 0.05, 1, "share of inputs that each tree sees", (0.1, 1.0)),
    HyperParameter("bagging_fraction", False, 0.1, 1, "share of results that each tree sees", (0.5, 1.0)),
    HyperParameter("bagging_freq", True, 0, 100, "trees until results are drawn anew; 0: never"),
    HyperParameter("lambda_l1", False, 0, 1_000, "how values of leaves are drawn to nought, by amount"),
    HyperParameter(
        "lambda_l2", False, 0, 1_000, "how values of leaves are drawn to nought, by share", (0.1, 100.0), True
    ),
    HyperParameter("path_smooth", False, 0, 1_000, "how far a leaf follows the branch that it hangs on"),
    HyperParameter(
        "cat_smooth", False, 0, 1_000, "how far rare words of a category count as the rest", (1.0, 100.0), True
    ),
    HyperParameter("cat_l2", False, 0, 1_000, "as lambda_l2, for splits by category"),
    HyperParameter("max_cat_threshold", True, 1, 256, "words of a category on one side of a split"),
    HyperParameter("seed", True, 0, 2**31 - 1, "of the draws of inputs and results"),
)
BY_NAME = {parameter.name: parameter for parameter in CHOSEN}


def read_parameters(given: Sequence[str]) -> dict[str, float | int]:
    """Read `name=value` texts and TOML files of such, the later ones over the earlier; raises ParameterFault."""
    chosen: dict[str, float | int] = {}
    for place, text in enumerate(given, start=1):
        name, equals, value = text.partition("=")
        chosen |= checked({name.strip(): _number(value)}) if equals else _of_file(Path(text), place)
    return chosen


def checked(parameters: Mapping[str, object]) -> dict[str, float | int]:
    """Check names and values; raises ParameterFault with every mistake in one line."""
    faults, chosen = [], {}
    for place, (name, value) in enumerate(parameters.items(), start=1):
        try:
            chosen[name] = _known(name, place).read(value)
        except ParameterFault as fault:
            faults.append(str(fault))
    if faults:
        raise ParameterFault("; ".join(faults))
    return chosen


def _known(name: str, place: int) -> HyperParameter:
    if name not in BY_NAME:
        raise ParameterFault(f"hyper-parameter {place} is unknown; there are {', '.join(BY_NAME)}")
    return BY_NAME[name]


def _of_file(path: Path, place: int) -> dict[str, float | int]:
    try:
        return checked(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise ParameterFault(
            f"hyper-parameters {place} are neither name=value nor a TOML file that can be read"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ParameterFault(f"the file of hyper-parameters {place} is no TOML; it takes lines name = number") from None


def _number(text: str) -> object:
    """Read a number; any other text is left as it is, for the check to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def as_toml(parameters: Mapping[str, float | int]) -> str:
    """Write hyper-parameters as a file that `read_parameters` takes."""
    return "".join(f"{name} = {value!r}  # {BY_NAME[name].meaning}\n" for name, value in parameters.items())
