"""What a reader declares of its format: what it is called, by what it is recognised, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from features.choices import FORMAT_TITLES, FormatName, FormatTitle
from features.messages.bounds import Bounds
from features.messages.hardened import root_name
from features.messages.mapping import Mapping
from features.messages.raw import Raw
from features.messages.strict_json import first_keys

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Opening:
    """The beginning of unpacked bytes, as formats are recognised by it."""

    content: bytes

    @cached_property
    def start(self) -> bytes:
        return self.content[:4096].removeprefix(BYTE_ORDER_MARK).lstrip()

    @property
    def is_xml(self) -> bool:
        return self.start.startswith(b"<")

    @property
    def is_json(self) -> bool:
        return self.start.startswith((b"{", b"["))

    @cached_property
    def root(self) -> str:
        """The local name of the outermost element; empty where it is no XML."""
        return root_name(self.content) if self.is_xml else ""

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Names of keys near the beginning; none where it is no JSON."""
        return tuple(first_keys(self.content)) if self.is_json else ()


@dataclass(frozen=True, slots=True)
class Format:
    """A format of messages.

    recognises: whether bytes that begin so are of this format.
    read: rows of unpacked bytes within bounds, of which `name` is said in a refusal; raises UnreadableFile.
    is_fallback: it is asked last, for bytes of another format could be of this one too.
    """

    name: FormatName
    recognises: Callable[[Opening, Mapping], bool]
    read: Callable[[bytes, str, Mapping, Bounds], Raw]
    is_fallback: bool = False

    @property
    def title(self) -> FormatTitle:
        return FORMAT_TITLES[self.name]
