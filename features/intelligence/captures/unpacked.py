"""Bodies of pages, unpacked by their content encoding to a bound; what is longer is cut, and never made in memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import brotli
import zstandard

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
MOST_ENCODINGS = 3  # on top of one another
LARGEST_WINDOW = 128 * 1024**2  # bytes that a zstd frame may ask for
ANY_WRAPPER, RAW = 47, -15  # of zlib: gzip or zlib by its head; deflate without one


class UnknownEncoding(ValueError):
    """A body in an encoding that cannot be read."""


def unpacked(body: bytes, encodings: str, most: int) -> tuple[bytes, bool]:
    """Return a body without its content encodings (`br`, `gzip, zstd`), and whether it was cut at `most` bytes.

    What says to be packed and is plain is returned as it is, and gzip and zstd are unpacked where nothing says so.
    Raises UnknownEncoding.
    """
    named = [name.strip().lower() for name in encodings.split(",") if name.strip()][-MOST_ENCODINGS:]
    for name in reversed([name for name in named if name != "identity"]):
        if body.lstrip()[:1] != b"<":
            body = _by_name(name)(body, most + 1)
    if not named:
        body = unwrapped(body, most + 1)
    return body[:most], len(body) > most


def unwrapped(content: bytes, most: int) -> bytes:
    """Return at most so many bytes of what is packed with gzip or zstd, by its first bytes; else the content itself."""
    unpack = gunzipped if content.startswith(GZIP) else _zstd if content.startswith(ZSTD) else None
    return content if unpack is None else unpack(content, most)


def _by_name(name: str) -> Callable[[bytes, int], bytes]:
    try:
        return DECODERS[name]
    except KeyError:
        raise UnknownEncoding(name[:20]) from None


def gunzipped(content: bytes, most: int) -> bytes:
    """Return at most so many bytes of gzip members, one after another, or of zlib or deflate."""
    whole = bytearray()
    while content and len(whole) < most:
        part, rest = _inflated(content, most - len(whole))
        if part is None:
            break
        whole += part
        content = rest.lstrip(b"\x00")
    if not whole:
        raise UnknownEncoding("gzip")
    return bytes(whole)


def _inflated(content: bytes, most: int) -> tuple[bytes | None, bytes]:
    """Return what one member holds, as far as it is whole, and what follows it."""
    for wrapper in (ANY_WRAPPER, RAW):
        unpacker = zlib.decompressobj(wrapper)
        try:
            part = unpacker.decompress(content, most)
        except zlib.error:
            continue
        return part, unpacker.unused_data
    return None, b""


def _brotli(content: bytes, most: int) -> bytes:
    unpacker = brotli.Decompressor()
    whole = bytearray()
    try:
        whole += unpacker.process(content, output_buffer_limit=most)
        while len(whole) < most and not unpacker.is_finished() and not unpacker.can_accept_more_data():
            whole += unpacker.process(b"", output_buffer_limit=most - len(whole))
    except brotli.error:
        raise UnknownEncoding("br") from None
    return bytes(whole)


def _zstd(content: bytes, most: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).stream_reader(
        io.BytesIO(content), read_across_frames=True
    )
    try:
        return bytes(reader.read(most))
    except zstandard.ZstdError:
        raise UnknownEncoding("zstd") from None


DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": gunzipped, "x-gzip": gunzipped, "deflate": gunzipped, "br": _brotli, "zstd": _zstd,
}  # fmt: skip
