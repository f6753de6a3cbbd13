"""`tamis what-if`: what service.officers.what_if makes of the record, as a table."""

from __future__ import annotations

from rich.table import Table

from pipelines import show
from service.officers.what_if import ALL, WhatIf

LEAST_SHOWN = 0.5  # findings


def tell(estimate: WhatIf, office: str) -> None:
    """Print what would change."""
    show.line(sentence(estimate, office))
    table = Table(box=None, pad_edge=False)
    for name in ("finding", "found", "would change by", "(95 %)", "one would see (95 %)"):
        table.add_column(name, justify="left" if name == "finding" else "right")
    for kind in estimate.found:
        if not estimate.found[kind] and kind != ALL:
            continue
        change = estimate.change[kind]
        bounds = f"{change.low:+.0f} to {change.high:+.0f}", f"{change.least:+.0f} to {change.most:+.0f}"
        table.add_row(kind, _found(estimate, kind), f"{change.mean:+.1f}", *bounds)
    show.CONSOLE.print(table)


def _found(estimate: WhatIf, kind: str) -> str:
    """Word what was found, and how much of it is expected of checks whose results are still out."""
    awaited = estimate.awaited[kind]
    return f"{estimate.found[kind]:,.0f}" + (f" ({awaited:,.0f} awaited)" if awaited >= LEAST_SHOWN else "")


def sentence(estimate: WhatIf, office: str) -> str:
    """Say in one sentence what was done and what would have been done otherwise."""
    checks = (
        f"Office {office} made {estimate.checks:.1f} physical checks a day over {show.counted(estimate.days, 'day')}."
    )
    consignments = show.counted(estimate.moved, "consignment")
    if not estimate.moved:
        return f"{checks} With {estimate.other:,} a day, the same consignments would have been opened."
    if estimate.other < estimate.checks:
        return f"{checks} With {estimate.other:,} a day, {consignments} that were opened would have been left closed."
    return f"{checks} With {estimate.other:,} a day, {consignments} more would have been opened."
