"""What a file is that nobody reads here, told from its first bytes by the list of kinds, and what to send instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from features.messages.hardened import root_name
from features.messages.workbook import OLE, ZIP, names_in_zip, names_of_streams

KINDS = Path(__file__).with_name("file_kinds.toml")
START = 4096
LINE = 200  # characters of a first line that are looked at
PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
KEY = re.compile(rb'"(@?[A-Za-z_][\w.-]{0,60})"\s*:')
UNPRINTED = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # bytes that text does not have
Kind = Mapping[str, Any]


def foreign_kind(content: bytes) -> str | None:
    """What a file is that is no table and no message that is read, with the remedy; None where nothing tells it."""
    start = content[:START].removeprefix(b"\xef\xbb\xbf").lstrip()
    found = _archived(content) or _magic(content)
    if found is None and start.startswith(b"<"):
        found = _of("xml", root_of(content))
    if found is None and start.startswith((b"{", b"[")):
        found = _of_json(content[:START])
    return found or _line(start)


def root_of(content: bytes) -> str:
    """The local name of the outermost element, for a page of the web whatever its first element is."""
    start = content[:START].removeprefix(b"\xef\xbb\xbf").lstrip()
    return "html" if PAGE.match(start) else root_name(content)


@cache
def kinds() -> Mapping[str, Sequence[Kind]]:
    """The kinds of files by what they are known by."""
    listed = tomllib.loads(KINDS.read_text(encoding="utf-8"))
    return {by: found for by, found in listed.items() if isinstance(found, list)}


def _sentence(kind: Kind) -> str:
    return f"{kind['is']}; send {kind['send']}"


def _magic(content: bytes) -> str | None:
    for kind in kinds()["magic"]:
        magic = bytes.fromhex(kind["bytes"])
        if content.startswith(magic, kind.get("at", 0)) and (kind.get("is_text") or _is_binary(magic, content)):
            return _sentence(kind)
    return None


def _is_binary(magic: bytes, content: bytes) -> bool:
    """Whether bytes cannot be a table whose first column happens to be called so."""
    return not magic.isascii() or UNPRINTED.search(content[:START]) is not None


def _archived(content: bytes) -> str | None:
    if content.startswith(OLE):
        streams = names_of_streams(content, [kind["stream"] for kind in kinds()["ole"]])
        return next((_sentence(kind) for kind in kinds()["ole"] if kind["stream"] in streams), None)
    if not content.startswith(ZIP):
        return None
    names = names_in_zip(content)
    return next(
        (_sentence(kind) for kind in kinds()["zip"] if any(_within(kind["name"], name) for name in names)), None
    )


def _within(wanted: str, name: str) -> bool:
    return name.startswith(wanted) if wanted.endswith("/") else name == wanted


def _of(by: str, root: str) -> str | None:
    return next((_sentence(kind) for kind in kinds()[by] if root in kind["root"]), None)


def _of_json(start: bytes) -> str | None:
    keys = {key.decode("ascii", errors="replace") for key in KEY.findall(start)}
    return next((_sentence(kind) for kind in kinds()["json"] if keys.issuperset(kind["keys"])), None)


def _line(start: bytes) -> str | None:
    line = re.split(rb"[\r\n]", start[: 4 * LINE], maxsplit=1)[0][:LINE].decode("utf-8", errors="replace").rstrip()
    return next((_sentence(kind) for kind in kinds()["line"] if re.match(kind["like"], line)), None)
