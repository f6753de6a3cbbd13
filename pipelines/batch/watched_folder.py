"""A folder that files arrive in: each one is waited for, taken once, and moved on with what came of it.

A file has a folder of its own, named after it and the hash of its content, which moves as a whole: `working` while it
is scored, then `done` or `refused`. So whatever ends between, what is in `working` is scored again, which the record
answers as before, and nothing stands half in two places. What is ours in such a folder begins with `_` or a point, as
no file does that is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from service.scoring.signature import sha256_of

WORKING, DONE, REFUSED, AGAIN = "working", "done", "refused", "again"
HASHED = 16  # digits of the hash in the name of a folder
LONGEST_NAME = 120  # characters of a file's name in that of its folder
PARTIAL = (".part", ".partial", ".tmp", ".filepart", ".crdownload")  # how programs call a file that they still write
NOT_TAKEN = "._~"  # how names begin of what is ours, hidden, or somebody's lock
ANSWERS, WHY, TRIES, UNTOLD = "_answers", "_why.txt", ".tries", ".untold"
MOST_TRIES = 3  # runs that ended while they had a file, without a word


@dataclass(frozen=True, slots=True)
class Job:
    """A file that was taken: its folder, and the file within it."""

    folder: Path
    file: Path

    @property
    def answers(self) -> Path:
        """Where what came of it is published."""
        return self.folder / ANSWERS

    def begin(self) -> int:
        """Count one more try, on disk before it begins; return how many there were before."""
        count = self.folder / TRIES
        before = int(count.read_text(encoding="ascii")) if count.exists() else 0
        count.write_text(str(before + 1), encoding="ascii")
        return before

    def wait(self) -> None:
        """Forget the tries: this one ended with a reason that is not the file's."""
        (self.folder / TRIES).unlink(missing_ok=True)


@dataclass(slots=True)
class WatchedFolder:
    """The folder, and what was seen of the files in it: size and time of change, and since when these stand still."""

    root: Path
    seen: dict[str, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def make(self) -> None:
        """Make the folders in which files go on."""
        for name in (WORKING, DONE, REFUSED, AGAIN):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def complete(self, now: float, settle: float) -> list[Path]:
        """Return the files that have not changed for `settle` seconds as far as was seen, the oldest first.

        now: seconds by a clock that only goes on. What still changes, and what is called a part, waits.
        """
        whole: list[tuple[int, Path]] = []
        present: dict[str, tuple[tuple[int, int], float]] = {}
        for path in self._arrived():
            state = path.stat()
            form = state.st_size, state.st_mtime_ns
            before = self.seen.get(path.name)
            since = before[1] if before is not None and before[0] == form else now
            present[path.name] = form, since
            if now - since >= settle:
                whole.append((state.st_mtime_ns, path))
        self.seen = present
        return [path for _, path in sorted(whole)]

    def waits(self) -> bool:
        """Whether a file is there that is not complete yet."""
        return any(True for _ in self._arrived())

    def _arrived(self) -> Iterator[Path]:
        for path in self.root.iterdir():
            partial = path.name[0] in NOT_TAKEN or path.suffix.lower() in PARTIAL
            if not partial and path.is_file() and not path.is_symlink():
                yield path

    def take(self, path: Path) -> Job | None:
        """Take a complete file: move it into a folder of its own; none where its content was taken before.

        That one is moved to `again`, where it says which folder has it.
        """
        sha256 = sha256_of(path)[:HASHED]
        name = f"{path.name[:LONGEST_NAME]}-{sha256}"
        if before := self._with_content(sha256):
            folder = self.root / AGAIN / name
            folder.mkdir(exist_ok=True)
            write_whole(folder / WHY, f"the same content was taken before: {before.relative_to(self.root)}\n")
            path.replace(folder / path.name)
            return None
        folder = self.root / WORKING / name
        folder.mkdir(exist_ok=True)
        path.replace(folder / path.name)
        return Job(folder, folder / path.name)

    def _with_content(self, sha256: str) -> Path | None:
        for name in (WORKING, DONE, REFUSED):
            found = [folder for folder in (self.root / name).glob(f"*-{sha256}") if _file_in(folder) is not None]
            if found:
                return found[0]
        return None

    def begun(self) -> list[Job]:
        """Return the files that a run had when it ended; a folder that has none yet is removed."""
        jobs = []
        for folder in sorted((self.root / WORKING).iterdir()):
            file = _file_in(folder)
            if file is not None:
                jobs.append(Job(folder, file))
            elif not any(folder.iterdir()):
                folder.rmdir()
        return jobs

    def finish(self, job: Job) -> Path:
        """Move a file and its answers to `done`; return the folder."""
        return self._moved(job, DONE)

    def refuse(self, job: Job, why: str, *, tell: bool) -> Path:
        """Move a file to `refused` with the reason beside it; return the folder. tell: somebody is to be told."""
        write_whole(job.folder / WHY, f"{why}\n")
        if tell:
            write_whole(job.folder / UNTOLD, "")
        return self._moved(job, REFUSED)

    def untold(self) -> list[Path]:
        """Return the refused folders that nobody was told of yet."""
        return [mark.parent for mark in sorted((self.root / REFUSED).glob(f"*/{UNTOLD}"))]

    def _moved(self, job: Job, name: str) -> Path:
        (job.folder / TRIES).unlink(missing_ok=True)
        goal = self.root / name / job.folder.name
        job.folder.rename(goal)
        _sync(goal.parent)
        return goal


def _file_in(folder: Path) -> Path | None:
    """The file that a folder was made for."""
    return next((path for path in folder.iterdir() if path.is_file() and path.name[0] not in NOT_TAKEN), None)


def write_whole(path: Path, text: str) -> None:
    """Write a small file that is whole or absent."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
