"""Which format some bytes are in, told from the bytes themselves, and the reader for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pyarrow as pa

from features.messages.cargo_imp import begins, read_cargo_imp
from features.messages.cargo_xml import ROOTS, read_cargo_xml
from features.messages.flat import read_csv, read_parquet
from features.messages.hardened import first_keys, root_name
from features.messages.ics2 import ROOT, read_ics2
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.postal import is_postal, read_postal_json, read_postal_xml
from features.messages.raw import Raw, UnreadableFile
from features.words import FormatName

FORMATS: tuple[FormatName, ...] = get_args(FormatName)
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
REFUSED = {b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "a zip archive", b"7z\xbc\xaf": "a 7z archive"}
LARGEST_FLAT = 4 * 1024**3  # bytes of a flat file once unpacked
PIECE = 1 << 20
ICS2_KIND = re.compile(r"^IE\d[A-Z]\d{2}$")
TOLD = "one of: a flat CSV or Parquet file (gzip and zstd too), ICS2 IE4R05, Cargo-XML, FHL, postal XML or JSON"


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
    at_most: int = LARGEST_FLAT,
) -> Raw:
    """Rows of a message or file that unpacks to `at_most` bytes.

    Raises UnreadableFile, which says `name` and the remedy and nothing of the content.
    """
    content = unpacked(content, name, at_most)
    return READERS[format or format_of(content, name, mapping)](content, name, mapping)


def format_of(content: bytes, name: str, mapping: Mapping = UNMAPPED) -> FormatName:
    """The format of unpacked bytes; raises UnreadableFile where they are XML or JSON of a kind that is not known."""
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return _of_xml(root_name(content), name, mapping)
    if start.startswith((b"{", b"[")):
        if is_postal(first_keys(content), mapping.postal):
            return "postal"
        raise UnreadableFile(f"{name}: JSON of an unknown kind; postal items are read, and POST /v1/consignments")
    return "cargo-imp" if begins(content) else "flat"


def _of_xml(root: str, name: str, mapping: Mapping) -> FormatName:
    if root == ROOT:
        return "ics2"
    if root in ROOTS:
        return "cargo-xml"
    if is_postal([root], mapping.postal):
        return "postal"
    if ICS2_KIND.match(root):
        raise UnreadableFile(f"{name}: an ICS2 message that declares nothing; IE4R05 is read")
    raise UnreadableFile(f"{name}: XML of an unknown kind; send {TOLD}")


def unpacked(content: bytes, name: str, at_most: int = LARGEST_FLAT) -> bytes:
    """The content of a gzip or zstd file, and any other bytes as they are; raises UnreadableFile.

    What unpacks to more than `at_most` bytes is refused before it is all unpacked; so are archives of several files.
    """
    for magic, what in REFUSED.items():
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
                if len(found) > at_most:
                    raise UnreadableFile(f"{name}: unpacks to more than {at_most:,} bytes; split it")
    except (OSError, pa.ArrowException) as fault:
        raise UnreadableFile(f"{name}: a damaged {packing} file; pack it again") from fault
    if any(found.startswith(magic) for magic in (*PACKED, *REFUSED)):
        raise UnreadableFile(f"{name}: packed within a packed file; pack it once")
    return bytes(found)


def _flat(content: bytes, name: str, mapping: Mapping) -> Raw:
    if content[:4] == b"PAR1":
        return read_parquet(content, name)
    return read_csv(content, name, separator=mapping.separator)


def _postal(content: bytes, name: str, mapping: Mapping) -> Raw:
    if content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return read_postal_xml(content, name, mapping.postal)
    return read_postal_json(content, name, mapping.postal)


READERS: dict[FormatName, Callable[[bytes, str, Mapping], Raw]] = {
    "flat": _flat,
    "ics2": lambda content, name, _: read_ics2(content, name),
    "cargo-xml": lambda content, name, _: read_cargo_xml(content, name),
    "cargo-imp": lambda content, name, _: read_cargo_imp(content, name),
    "postal": _postal,
}
