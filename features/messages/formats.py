"""Which format some bytes are in, told from the bytes themselves, and the reader for it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pyarrow as pa

from features.choices import FORMATS, FORMATS_IN_WORDS, FormatName
from features.messages.bounds import OF_A_FILE, Bounds
from features.messages.file_kinds import foreign_kind
from features.messages.format import Format, Opening
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.raw import Raw, UnreadableFile
from features.messages.workbook import is_workbook

PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
REFUSED = {b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "a zip archive", b"7z\xbc\xaf": "a 7z archive"}
PIECE = 1 << 20


def _declared(name: FormatName) -> Format:
    """Return what the module of a format's name declares; raises TypeError where it declares none."""
    module = f"features.messages.{name.replace('-', '_')}"
    declared = getattr(import_module(module), "FORMAT", None)
    if not isinstance(declared, Format) or declared.name != name:
        raise TypeError(f"format {name} needs FORMAT = Format({name!r}, recognises=…, read=…) in {module}")
    return declared


BY_NAME: dict[FormatName, Format] = {name: _declared(name) for name in FORMATS}
ASKED_IN_TURN = sorted(BY_NAME.values(), key=lambda declared: declared.is_fallback)


def read_file(path: Path, mapping: Mapping = UNMAPPED, format: FormatName | None = None) -> Raw:
    """Read a file in whatever format it is, or in the one that is named; raises UnreadableFile."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    return read_content(content, path.name, mapping, format)


def read_content(
    content: bytes,
    name: str,
    mapping: Mapping = UNMAPPED,
    format: FormatName | None = None,
    bounds: Bounds = OF_A_FILE,
) -> Raw:
    """Read the rows of a message or file that is within bounds.

    Raises UnreadableFile, which says `name` and the remedy and nothing of the content.
    """
    content = unpacked(content, name, bounds)
    return BY_NAME[format or format_of(content, name, mapping)].read(content, name, mapping, bounds)


def format_of(content: bytes, name: str, mapping: Mapping = UNMAPPED) -> FormatName:
    """Recognise the format of unpacked bytes; raises UnreadableFile where they are XML or JSON of an unknown kind."""
    opening = Opening(content)
    for declared in ASKED_IN_TURN:
        if declared.recognises(opening, mapping):
            if declared.is_fallback and not is_workbook(content) and (foreign := foreign_kind(content)):
                raise UnreadableFile(f"{name}: {foreign}")
            return declared.name
    if foreign := foreign_kind(content):
        raise UnreadableFile(f"{name}: {foreign}")
    if opening.is_json:
        raise UnreadableFile(f"{name}: JSON of an unknown kind; postal items are read, and POST /v1/consignments")
    raise UnreadableFile(f"{name}: XML of an unknown kind; send one of: {FORMATS_IN_WORDS}")


def unpacked(content: bytes, name: str, bounds: Bounds) -> bytes:
    """Unpack a gzip or zstd file, and return any other bytes as they are; raises UnreadableFile.

    What unpacks to more than the bounds is refused before it is all unpacked; so are archives of several files.
    """
    if is_workbook(content):
        return content
    for magic, what in REFUSED.items():
        if content.startswith(magic) and (document := foreign_kind(content)):
            raise UnreadableFile(f"{name}: {document}")
        if content.startswith(magic):
            raise UnreadableFile(f"{name}: {what} is not accepted; send the file itself, or packed with gzip or zstd")
    packing = next((kind for magic, kind in PACKED.items() if content.startswith(magic)), None)
    if packing is None:
        return content
    found = bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(content), packing) as stream:
            while piece := stream.read(PIECE):
                found += piece
                bounds.check_unpacked(len(found), name)
    except (OSError, pa.ArrowException) as fault:
        raise UnreadableFile(f"{name}: a damaged {packing} file; pack it again") from fault
    if any(found.startswith(magic) for magic in (*PACKED, *REFUSED)):
        raise UnreadableFile(f"{name}: packed within a packed file; pack it once")
    return bytes(found)
