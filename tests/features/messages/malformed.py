"""Lines of which one is damaged."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.features.conftest import GOOD

NAMES = list(GOOD)
Cells = dict[str, str]


def cell(name: str, value: str) -> Callable[[Cells], str]:
    return lambda cells: ",".join({**cells, name: value}[column] for column in NAMES)


KINDS: dict[str, tuple[str, Callable[[Cells], str]]] = {
    "no number": ("consignment_id", cell("consignment_id", "")),
    "no description": ("description", cell("description", "")),
    "no time": ("lodged_at", cell("lodged_at", "yesterday")),
    "no zone": ("lodged_at", cell("lodged_at", "2026-03-01T08:15:00")),
    "a time of another century": ("lodged_at", cell("lodged_at", "1926-03-01T08:15:00Z")),
    "another stream": ("stream", cell("stream", "pigeon")),
    "another nature": ("nature", cell("nature", "bribe")),
    "a mass that is none": ("gross_mass_kg", cell("gross_mass_kg", "heavy")),
    "a negative value": ("value", cell("value", "-1")),
    "an infinite quantity": ("quantity", cell("quantity", "1e999")),
    "half a line number": ("line_no", cell("line_no", "1.5")),
    "a control character": ("consignor_name", cell("consignor_name", "Sun\x07rise")),
    "a cell too many": ("record", lambda cells: ",".join([*(cells[n] for n in NAMES), "more"])),
    "a cell too few": ("record", lambda cells: ",".join(cells[n] for n in NAMES[:-1])),
    "a name too long": ("consignor_name", cell("consignor_name", "x" * 300)),
}


def written(path: Path, rows: int) -> dict[int, str]:
    """Write so many lines, a hundredth of them malformed; the field at fault by the number of its line."""
    draw, expected = random.Random(5), dict[int, str]()
    kinds = list(KINDS)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(NAMES) + "\n")
        for number in range(rows):
            cells = {**{k: str(v) for k, v in GOOD.items()}, "consignment_id": f"C{number:08d}"}
            if draw.random() < 0.01:
                kind = kinds[len(expected) % len(kinds)]
                field, spoilt = KINDS[kind]
                expected[number + 2] = field
                file.write(spoilt(cells) + "\n")
            else:
                file.write(",".join(cells[name] for name in NAMES) + "\n")
    return expected
