"""How tests call the command: through `main()`, as the shell does, in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pipelines.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str


@contextmanager
def _arguments(*arguments: str) -> Iterator[None]:
    before, sys.argv = sys.argv, ["tamis", *arguments]
    try:
        yield
    finally:
        sys.argv = before


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Run the command as the shell would and say how it ended."""
    capsys.readouterr()
    with _arguments(*arguments), pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return Ended(code, out, err)


def line_of(ended: Ended) -> str:
    """The one line that a refused call leaves on stderr."""
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("tamis: ")
    assert "Traceback" not in ended.out
    return lines[0]
