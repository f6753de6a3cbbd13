"""Lines of libraries: JSON as the service's, and of an exception where it passed, never what it says."""

from __future__ import annotations

import json
import logging
import sys

from service.runtime.log_lines import Lines

CANARY = "Zephyrine Quillfeather"


def _record() -> logging.LogRecord:
    try:
        raise ValueError(CANARY)
    except ValueError:
        raised = sys.exc_info()
    return logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "Exception in %s", ("ASGI",), raised)


def test_an_exception_is_named_by_its_kind_and_place() -> None:
    line = json.loads(Lines().format(_record()))
    assert (line["level"], line["logger"]) == ("error", "uvicorn.error")
    assert line["event"].startswith("Exception in ASGI: ValueError at test_log_lines.py:")
    assert CANARY not in str(line)


def test_text_is_one_line_for_the_eye() -> None:
    written = Lines("text").format(logging.LogRecord("uvicorn.error", logging.INFO, __file__, 1, "started", (), None))
    assert "started" in written
    assert "\n" not in written
