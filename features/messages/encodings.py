"""How the bytes of a text table are encoded: read by their mark or as stated, and told, never read, by a likeness."""

from __future__ import annotations

import codecs

import chardetng_py

from features.messages.raw import UnreadableFile

MARKS = (  # the longer ones first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
OF_WINDOWS = {"shift_jis": "cp932", "euc_kr": "cp949", "big5": "cp950"}  # what is written under these names
SAMPLE = 65_536  # bytes by which an encoding is told
SEEMS = "it seems to be "


def encoding_of(start: bytes, stated: str) -> str:
    """The encoding of a text by its mark, and the one that was stated where it has none."""
    return next((encoding for mark, encoding in MARKS if start.startswith(mark)), stated)


def is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def in_utf8(content: bytes, name: str, stated: str) -> bytes:
    """The content of a text file in UTF-8 without a mark; what is stated to be UTF-8 comes as it is.

    Raises UnreadableFile where it is not in the encoding of its mark, or in the one that was stated.
    """
    encoding = encoding_of(content, stated)
    if is_utf8(encoding):
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except (UnicodeError, LookupError) as fault:
        raise UnreadableFile(f"{name}: not written in {encoding}{_or_in(content)}; {remedy('')}") from fault


def check_text(content: bytes, name: str) -> None:
    """Refuse bytes that are no text in UTF-8 from their beginning on; raises UnreadableFile, which tells the encoding.

    A few bytes that are none further on are damage, and cost their record alone.
    """
    if b"\x00" in content[:4096]:
        raise UnreadableFile(f"{name}: not UTF-8 text{_or_in(content)}; {remedy(likely(content))}")
    header = content.split(b"\n", 1)[0]
    try:
        header.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise UnreadableFile(f"{name}: its header is not UTF-8{_or_in(content)}; {remedy(likely(content))}") from fault


def remedy(encoding: str) -> str:
    """What to do about a file that is not in UTF-8, and seems to be in an encoding."""
    key = encoding or "cp1252"
    stated = f'state its encoding (--encoding {key}, or in a mapping: [file] encoding = "{key}")'
    return f"save the file as UTF-8, or {stated}"


def likely(content: bytes) -> str:
    """The encoding that some bytes seem to be in, by its Python name; empty where none decodes them."""
    if wide := _wide(content[:4096]):
        return wide
    lines = [line for line in content[: 16 * SAMPLE].splitlines(keepends=True) if not line.isascii()]
    sample = b"".join(lines)[:SAMPLE]
    if not sample or b"\x00" in sample:
        return ""
    try:
        name = codecs.lookup(chardetng_py.detect(sample)).name
    except LookupError:
        return ""
    name = OF_WINDOWS.get(name, name)
    return "" if name == "utf-8" or "\ufffd" in _decoded(sample, name) else name


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: text of which every second byte is mostly zero."""
    pairs = len(start) // 2
    low, high = start[0::2].count(0), start[1::2].count(0)
    if pairs < 4 or max(low, high) < pairs / 2 or min(low, high) > pairs / 8:
        return ""
    return "utf-16-le" if high > low else "utf-16-be"


def _decoded(sample: bytes, encoding: str) -> str:
    """The sample, its last characters left out, which may be cut."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample[:-8] if len(sample) == SAMPLE else sample)


def _or_in(content: bytes) -> str:
    encoding = likely(content)
    return f" ({SEEMS}{encoding})" if encoding else ""
