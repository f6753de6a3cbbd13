"""The signing key of an installation: made once, whoever asks for it first."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from service.scoring.signature import PRIVATE, sign, signing_key, verify


def test_of_two_processes_that_make_a_key_at_once_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    signing_key(theirs)

    link = os.link

    def late(source: Path, target: Path) -> None:
        shutil.copytree(theirs, target.parent, dirs_exist_ok=True)  # another process was faster
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    made = signing_key(ours)
    assert (ours / PRIVATE).read_bytes() == (theirs / PRIVATE).read_bytes()
    assert verify(sign({"a": 1}, made), theirs) == {"a": 1}
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())
    assert (ours / PRIVATE).stat().st_mode & 0o777 == 0o600
