"""How much of what can be known a ranking knows: later days judged by the truth, from chance to full information.

Open loop: every rung learns from the results of one historical regime and ranks the same days, each on what was known
the day before; the truth of the synthetic world judges them all and teaches nobody but the ceiling.
"""

from pipelines.ladder.climb import COLUMNS, climb, closed, over_seeds, table, write_figures

__all__ = ["COLUMNS", "climb", "closed", "over_seeds", "table", "write_figures"]
