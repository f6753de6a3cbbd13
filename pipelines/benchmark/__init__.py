"""Benchmark: rankings from chance to full information, evaluated on later days by the planted truth.

Open loop: every rung is trained on the results of the same historical regime and ranks the same days, each on what was
known the day before; the truth of the synthetic world evaluates them all and trains only the ceiling.
"""

from pipelines.benchmark.benchmark_run import COLUMNS, climb, closed, over_seeds, table, write_figures

__all__ = ["COLUMNS", "climb", "closed", "over_seeds", "table", "write_figures"]
