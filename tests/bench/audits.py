"""How many of the first ten importers of the list for audits undervalue, beside a ranking by parcels.

python -m tests.bench.audits [SEEDS]
"""

from __future__ import annotations

import sys

import polars as pl
from rich.console import Console
from rich.table import Table

from service.oversight.operators import operators_of
from service.oversight.rates import load_rates
from tests.service.oversight.test_operators import FIRST, NOTHING_FOUND, planted, precision


def compared(seed: int) -> tuple[float, float]:
    """Return the precision of the first ten by what is at stake, and by parcels."""
    lines, cheats = planted(seed)
    by_stake = [one.name for one in operators_of(lines, NOTHING_FOUND, load_rates(), "importer", FIRST)]
    parcels = lines.group_by("importer").agg(pl.col("consignment_id").n_unique())
    by_parcels = parcels.sort("consignment_id", "importer", descending=[True, False])["importer"].to_list()
    return precision(by_stake, cheats), precision(by_parcels, cheats)


def main(seeds: int) -> None:
    """Print a line for each world."""
    table = Table("world", "by what is at stake", "by parcels", box=None)
    for seed in range(1, seeds + 1):
        of_stake, of_parcels = compared(seed)
        table.add_row(f"{seed}", f"{of_stake:.1f}", f"{of_parcels:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
