"""A process that runs commands as the shell would, one for each line that it is told, every write merged at once."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback

from pipelines.cli import main
from service.history import compaction, posting


def run(arguments: list[str]) -> dict[str, object]:
    """How a command ended: its exit code, and what it wrote."""
    sys.argv = ["tamis", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:  # noqa: BLE001 - what the shell would show is what is looked at
            code = 1
            traceback.print_exc(file=err)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    posting.MANY, compaction.ROWS_AT_MOST, compaction.FANOUT = 1, 1, 2
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()
