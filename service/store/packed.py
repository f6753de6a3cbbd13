"""JSON content as rows keep it: compressed with a dictionary that ships with the product.

Declarations, decisions and rows as scored are small and alike: their field names and usual values stand in the
dictionary, so that each takes a fifth of its text. A packed content names the dictionary that it was packed with; one
that has shipped is never changed and never taken away (RFC 8878, 3.1.1.1.3 and 5).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard

from features.fault import Fault

FOLDER = Path(__file__).with_name("packing")
DICTIONARY = 1  # that new content is packed with: FOLDER / "1.zdict"
LEVEL = 1  # higher ones gain a twentieth and take half as long again


class Unreadable:
    """Stands for content that is not what was packed: it says nothing, and equals nothing that was ever written."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __getattr__(self, name: str) -> Any:
        """Refuse to be read: raises Fault."""
        raise Fault("the content of a row on record was changed and cannot be read; `tamis verify` names the row")

    def __getitem__(self, name: str) -> Any:
        """Refuse to be read: raises Fault."""
        return getattr(self, str(name))

    def __iter__(self) -> Iterator[Any]:
        """Refuse to be read: raises Fault."""
        return iter(self.items())


class PackedJson(sa.types.TypeDecorator[Any]):
    """The type of a column of JSON content, packed; None is NULL. What cannot be read comes back as Unreadable."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> bytes | None:  # noqa: ARG002 - as its base
        """Pack a content on its way into the database."""
        return packed_or_null(value)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002 - as its base
        """Unpack a content on its way out."""
        return None if value is None else unpack(value)


def pack(content: Any) -> bytes:
    """Pack content that JSON can say."""
    packed: bytes = _packer().compress(orjson.dumps(content))
    return packed


def packed_or_null(content: Any) -> bytes | None:
    """Pack content; None stays None."""
    return None if content is None else pack(content)


def unpack(packed: bytes) -> Any:
    """Return the content; Unreadable where these bytes are not what was packed."""
    try:
        return orjson.loads(_unpacker(zstandard.get_frame_parameters(packed).dict_id).decompress(packed))
    except (zstandard.ZstdError, orjson.JSONDecodeError, FileNotFoundError):
        return Unreadable(bytes(packed))


class _Packers(threading.local):
    """Compressors of one thread: none may be used by two at once."""

    def __init__(self) -> None:
        self.packer = zstandard.ZstdCompressor(LEVEL, dict_data=_dictionary(DICTIONARY))
        self.unpackers: dict[int, zstandard.ZstdDecompressor] = {}


_PACKERS = cache(_Packers)  # made when the first content is packed, not when this module is read


def _packer() -> zstandard.ZstdCompressor:
    return _PACKERS().packer


def _unpacker(number: int) -> zstandard.ZstdDecompressor:
    known = _PACKERS().unpackers
    if number not in known:
        known[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number))
    return known[number]


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """Read a dictionary; raises FileNotFoundError for one that never shipped."""
    read = zstandard.ZstdCompressionDict((FOLDER / f"{number}.zdict").read_bytes())
    if number == DICTIONARY:
        read.precompute_compress(LEVEL)
    return read
