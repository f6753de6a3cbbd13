"""Second places for checkpoints: a folder on another machine's disk, or an HTTP address that takes files.

A place is written once: a checkpoint that lies there is never replaced by another of the same number. Over HTTP a
checkpoint is sent with `PUT ADDRESS/NUMBER.json` and read with GET; `GET ADDRESS/` lists names as JSON, a list of names
or of objects with a `name` (nginx: `autoindex_format json`).
"""

from __future__ import annotations

import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from features.fault import Fault

SECONDS = 10.0  # for the place to answer
NAMES = "[0-9]*.json"


class PlaceFault(Fault):
    """A place that cannot be reached, or that does not take or give what it should."""


class Place(ABC):
    """Where copies of checkpoints lie."""

    @abstractmethod
    def names(self) -> list[str]:
        """List the names of the checkpoints there, in order; raises PlaceFault."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Read a checkpoint; None where there is none of this name; raises PlaceFault."""

    @abstractmethod
    def _write(self, name: str, content: bytes) -> None:
        """Write a checkpoint that is not there; raises PlaceFault."""

    def send(self, name: str, content: bytes) -> None:
        """Put a checkpoint there durably; one that is there already must be the same. Raises PlaceFault."""
        present = self.read(name)
        if present is None:
            self._write(name, content)
        elif present != content:
            raise PlaceFault(
                f"another checkpoint {name} lies in the second place: compare with `tamis verify --against`"
            )

    def signed(self) -> Iterator[tuple[str, Any]]:
        """Yield each checkpoint by name, as its JSON has it; None for one that is no JSON."""
        for name in self.names():
            try:
                yield name, json.loads(self.read(name) or b"")
            except ValueError:
                yield name, None


class FolderPlace(Place):
    """A folder, such as a drive of another machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """List the names of the checkpoints there, in order."""
        if not self._folder.is_dir():
            raise PlaceFault("the folder of the second place is not there")
        return sorted(path.name for path in self._folder.glob(NAMES))

    def read(self, name: str) -> bytes | None:
        """Read a checkpoint; None where there is none of this name."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise PlaceFault(f"the second place cannot be read: {fault.strerror}") from fault

    def _write(self, name: str, content: bytes) -> None:
        try:
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".") as partial:
                with (Path(partial) / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                (Path(partial) / name).replace(self._folder / name)
        except OSError as fault:
            raise PlaceFault(f"the second place cannot be written: {fault.strerror}") from fault


class HttpPlace(Place):
    """An HTTP address below which files are put."""

    def __init__(self, address: str, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._address, self._client = address.rstrip("/"), httpx.Client(timeout=SECONDS, headers=headers)

    def names(self) -> list[str]:
        """List the names of the checkpoints there, in order."""
        listed = self._asked("GET", "").content
        try:
            names = [one["name"] if isinstance(one, dict) else str(one) for one in json.loads(listed)]
        except (ValueError, KeyError, TypeError) as fault:
            raise PlaceFault("the second place does not list its checkpoints as JSON") from fault
        return sorted(name for name in names if name[:1].isdigit() and name.endswith(".json"))

    def read(self, name: str) -> bytes | None:
        """Read a checkpoint; None where there is none of this name."""
        answer = self._asked("GET", name, HTTPStatus.NOT_FOUND)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else answer.content

    def _write(self, name: str, content: bytes) -> None:
        self._asked("PUT", name, content=content)

    def _asked(self, method: str, name: str, *also: int, content: bytes | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, f"{self._address}/{name}", content=content)
        except httpx.HTTPError as fault:
            raise PlaceFault(f"the second place does not answer: {type(fault).__name__}") from fault
        if not answer.is_success and answer.status_code not in also:
            raise PlaceFault(f"the second place answers {answer.status_code}")
        return answer


def place_of(name: str, token_file: Path | None = None) -> Place:
    """Give the place that a setting or an option names: an address that begins with http, or else a folder."""
    if name.startswith(("https://", "http://")):
        return HttpPlace(name, token_file.read_text(encoding="utf-8").strip() if token_file else None)
    return FolderPlace(Path(name))
