"""The log of a service: JSON, one line each, of its own words and of the libraries'; never a value of what was sent."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal

import structlog

LogForm = Literal["json", "text"]
EVENT = "event"
DEEPEST = 12  # places of an exception that are written, the last ones
SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,  # the number of the request
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)


class Lines(logging.Formatter):
    """How lines of the standard library's loggers are written: as those of the service itself."""

    def __init__(self, form: LogForm = "json") -> None:
        super().__init__()
        self._write = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_colours, _written(form)],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; of an exception its kind and places, not its words, which can hold what was sent."""
        return self._write.format(_without_words(record))


def log_lines(form: LogForm) -> None:
    """Let structlog and the warnings of libraries write to the standard error stream in this form."""
    structlog.configure(
        processors=[*SHARED, _written(form)],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(True)


def logging_of(form: LogForm) -> dict[str, Any]:
    """Return the configuration of the standard library's logging, for the server and each of its workers."""
    logger = {"handlers": ["lines"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "service.runtime.log_lines.Lines", "form": form}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {"uvicorn": {**logger, "level": "INFO"}, "uvicorn.error": {**logger, "level": "INFO"}},
    }


def _written(form: LogForm) -> structlog.typing.Processor:
    if form == "text":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_as_json)


def _as_json(line: MutableMapping[str, Any], **_: Any) -> str:
    head = {name: line[name] for name in ("at", "level", EVENT) if name in line}
    return json.dumps({**head, **line}, ensure_ascii=False, default=str)


def _without_colours(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out uvicorn's second writing of a message, with colours for a terminal."""
    line.pop("color_message", None)
    return line


def _without_words(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record that names an exception by its kind and where it passed."""
    if not record.exc_info or record.exc_info[0] is None:
        return record
    kind, _, raised = record.exc_info
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(raised)[-DEEPEST:]]
    shown = logging.makeLogRecord(vars(record) | {"exc_info": None, "exc_text": None, "stack_info": None})
    shown.msg, shown.args = f"{record.getMessage().strip()}: {kind.__name__} at {' > '.join(frames)}", None
    return shown
