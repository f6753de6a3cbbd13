"""`tamis what-if`: what service.whatif makes of the record, as a table."""

from __future__ import annotations

from rich.table import Table

from pipelines import show
from service.whatif import ALL, KINDS, WhatIf


def tell(told: WhatIf, office: str) -> None:
    """Print what would change."""
    verb = "fewer" if told.other < told.checks else "more"
    show.line(
        f"{office}: {told.checks:.1f} physical checks a day over {told.days} days; {told.other} a day is {verb}: "
        f"{told.moved:,} consignments"
    )
    table = Table(box=None, pad_edge=False)
    for name in ("finding", "found", "would change by", "(95 %)", "one would see (95 %)"):
        table.add_column(name, justify="left" if name == "finding" else "right")
    for kind in KINDS:
        if not told.found[kind] and kind != ALL:
            continue
        change = told.change[kind]
        bounds = f"{change.low:+.0f} to {change.high:+.0f}", f"{change.least:+.0f} to {change.most:+.0f}"
        table.add_row(kind, f"{told.found[kind]:,}", f"{change.mean:+.1f}", *bounds)
    show.CONSOLE.print(table)
