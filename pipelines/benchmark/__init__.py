"""Benchmark: rankings from chance to full information, evaluated on later days by the planted truth.

Open loop: every rung is trained on the results of the same historical regime and ranks the same days, each on what was
known the day before; the truth of the synthetic world evaluates them all and trains only the ceiling.
"""

from pipelines.benchmark.benchmark_run import (
    COLUMNS,
    LINKING,
    OF_LINKING,
    Figures,
    climb,
    closed,
    over_seeds,
    table,
    worst,
    write_figures,
)
from pipelines.benchmark.benchmark_worlds import worlds_of

__all__ = [
    "COLUMNS",
    "LINKING",
    "OF_LINKING",
    "Figures",
    "climb",
    "closed",
    "over_seeds",
    "table",
    "worlds_of",
    "worst",
    "write_figures",
]
