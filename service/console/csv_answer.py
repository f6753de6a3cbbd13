"""A list as a CSV file that a spreadsheet opens: UTF-8 with its mark, and no cell that it would evaluate."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi.responses import Response

from service.answers.spreadsheet import FORMULA, WITHIN

BEGINS, INSIDE = re.compile(FORMULA), re.compile(WITHIN)
MARK = "\ufeff"  # by which spreadsheets know UTF-8


def csv_answer(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A file of this name; numbers stay numbers, and texts are quoted where they would be taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_plain(cell) for cell in heading])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return Response((MARK + text.getvalue()).encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _plain(cell: Any) -> Any:
    """A cell as a spreadsheet may have it: the rule of service.answers.spreadsheet, for one cell."""
    if not isinstance(cell, str):
        return cell
    quoted = f"'{cell}" if BEGINS.match(cell) else cell
    return INSIDE.sub(r"\1'\2", quoted)
