"""XML and JSON from strangers: read within limits, and refused before they can do harm."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from lxml import etree

from features.messages.raw import UnreadableFile

Element: TypeAlias = etree._Element
LARGEST = 256 * 1024**2  # bytes of one XML or JSON message
DEEPEST = 100  # elements or brackets within one another
LONGEST_TEXT = 1_000_000  # characters between two tags
ANY_SPACE = "{*}"
ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
SKIPPED = re.compile(rb"<\?.*?\?>|<!--.*?-->", re.DOTALL)


def read_xml(
    content: bytes, name: str, each: Mapping[str, Callable[[Element], None]], within: Collection[str] = ()
) -> Element:
    """Read an XML document; hand over every element of the given local names as soon as it is whole, then forget it.

    The document without those elements is given back, so that memory is bounded by what they are made into. What
    stands in an element of a name in `within` is kept until that element is whole.
    Raises UnreadableFile on what is not well-formed, too large or too deep, in an odd encoding, or declares a type.
    """
    _fit_to_parse(content, name)
    tags = [f"{{*}}{local}" for local in each]
    options: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    events = etree.iterparse(
        io.BytesIO(content), events=("end",), tag=tags, remove_comments=True, remove_pis=True, **options
    )
    try:
        for _, element in events:
            each[local_name(element)](element)
            kept = within and any(local_name(above) in within for above in element.iterancestors())
            if element.getparent() is not None and not kept:
                forget(element)
        root: Element | None = events.root
    except etree.XMLSyntaxError as fault:
        raise UnreadableFile(
            f"{name}: line {fault.lineno or 1}: not well-formed XML within the limits; send it again whole"
        ) from None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableFile(f"{name}: {NO_TYPE}")
    return root


NO_TYPE = "the XML declares a document type or an entity, which is never accepted; leave it out"


def _fit_to_parse(content: bytes, name: str) -> None:
    if len(content) > LARGEST:
        raise UnreadableFile(f"{name}: more than {LARGEST // 1024**2} MB in one message; split it")
    declared = DECLARED.search(content[:1000])
    if (declared and declared.group(1).decode("ascii").lower() not in ENCODINGS) or b"\x00" in content[:1000]:
        raise UnreadableFile(f"{name}: an encoding that is not accepted; send it as UTF-8")
    if FORBIDDEN.search(content):
        raise UnreadableFile(f"{name}: {NO_TYPE}")


def root_name(content: bytes) -> str:
    """The local name of the outermost element, told from the first bytes without parsing; empty where there is none."""
    found = ROOT.search(SKIPPED.sub(b"", content[:20_000]))
    return found.group(1).decode("ascii", "replace") if found else ""


def forget(element: Element) -> None:
    """Let go of an element that was read."""
    tail = element.tail
    element.clear()
    element.tail = tail
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def local_name(element: Element) -> str:
    """The name of an element without its namespace: senders write prefixes as they like, or leave them out."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The direct children of that local name, in order."""
    return element.iterchildren(ANY_SPACE + name) if element is not None else iter(())


def child(element: Element | None, *path: str) -> Element | None:
    """The first element along a path of local names."""
    for name in path:
        element = next(children(element, name), None)
        if element is None:
            return None
    return element


def text(element: Element | None, *path: str) -> str | None:
    """The text of the first element along a path, without spaces around it; None where it is absent or empty."""
    found = child(element, *path)
    if found is None or found.text is None or len(found.text) > LONGEST_TEXT:
        return None
    return " ".join(found.text.split()) or None


def read_json(content: bytes, name: str) -> Any:
    """Read a JSON document, numbers as they were written.

    Raises UnreadableFile on what is none, too large or too deep, or names a key twice.
    """
    if len(content) > LARGEST:
        raise UnreadableFile(f"{name}: more than {LARGEST // 1024**2} MB in one message; split it")
    if _deepest(content) > DEEPEST:
        raise UnreadableFile(f"{name}: brackets within brackets more than {DEEPEST} deep")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=str,
            parse_int=str,
        )
    except (ValueError, RecursionError) as fault:
        reason = str(fault) if isinstance(fault, _Twice) else "not valid JSON in UTF-8"
        raise UnreadableFile(f"{name}: {reason}; send it again") from None


def first_keys(content: bytes) -> list[str]:
    """Names of keys near the beginning of a JSON document, told without parsing it."""
    return [found.decode("ascii", "replace") for found in KEY.findall(content[:20_000])[:50]]


class _Twice(ValueError):
    """An object that names a key twice: two readers would read two different declarations."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise _Twice("an object names the same key twice")
    return told


def _no_constant(_: str) -> None:
    raise ValueError("not a number")


KEY = re.compile(rb'"([A-Za-z_][\w.-]{0,60})"\s*:')
BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]')


def _deepest(content: bytes) -> int:
    """How many brackets stand within one another, strings left out."""
    depth = deepest = 0
    for found in BRACKETS.finditer(content):
        sign = found.group()
        if sign in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in b"]}":
            depth -= 1
    return deepest
