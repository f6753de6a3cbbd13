"""What is written is for its owner alone: the files hold personal data, the record and keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOR_OTHERS = 0o077  # the permissions of group and others


@contextmanager
def private_files() -> Iterator[None]:
    """Let what this process, or one that it starts, makes be its owner's alone, until the block ends."""
    before = os.umask(FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_home(home: Path) -> None:
    """Make the home folder where it is not there, and close it to others; what lies in it is closed with it.

    Who does not own the folder may read it as far as its owner lets him, and changes nothing.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() in (0, home.stat().st_uid):
        _close(home)


def close_to_others(home: Path) -> int:
    """Take all permissions of group and others from a folder and all below it; return how many had any.

    Links are left as they are, and what they lead to.
    """
    changed = int(_close(home))
    for folder, folders, files in os.walk(home):
        changed += sum(_close(Path(folder, name)) for name in (*folders, *files))
    return changed


def _close(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
        if path.is_symlink() or not mode & FOR_OTHERS:
            return False
        path.chmod(mode & 0o7777 & ~FOR_OTHERS)
    except FileNotFoundError:  # a file of a moment, gone since it was listed
        return False
    return True
