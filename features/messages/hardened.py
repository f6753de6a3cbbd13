"""Hardened reading of XML from untrusted sources: within limits, refused before it can do harm."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from lxml import etree

from features.messages.bounds import Bounds
from features.messages.raw import UnreadableFile

Element: TypeAlias = etree._Element
LONGEST_TEXT = 1_000_000  # characters between two tags
ANY_SPACE = "{*}"
ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]")
SKIPPED = re.compile(rb"<\?.*?\?>|<!--.*?-->", re.DOTALL)


def read_xml(
    content: bytes,
    name: str,
    bounds: Bounds,
    each: Mapping[str, Callable[[Element], None]],
    within: Collection[str] = (),
) -> Element:
    """Read an XML document; pass every element of the given local names to its callback when complete, then drop it.

    The document without those elements is returned, so that memory is bounded by what the callbacks keep. Elements
    inside one named in `within` are kept until that one is complete. Raises UnreadableFile for a document that is not
    well-formed, too large or too deep, in an unusual encoding, or declares a type.
    """
    _fit_to_parse(content, name, bounds)
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


def _fit_to_parse(content: bytes, name: str, bounds: Bounds) -> None:
    bounds.check_size(len(content), name)
    bounds.check_signs(content.count(b"<") + content.count(b"="), name)  # of elements and attributes, and of some text
    declared = DECLARED_ENCODING.search(content[:1000])
    if (declared and declared.group(1).decode("ascii").lower() not in ENCODINGS) or b"\x00" in content[:1000]:
        raise UnreadableFile(f"{name}: an encoding that is not accepted; send it as UTF-8")
    if FORBIDDEN.search(content):
        raise UnreadableFile(f"{name}: {NO_TYPE}")


def root_name(content: bytes) -> str:
    """Return the local name of the outermost element, read from the first bytes without parsing; empty if none."""
    match = ROOT.search(SKIPPED.sub(b"", content[:20_000]))
    return match.group(1).decode("ascii", "replace") if match else ""


def forget(element: Element) -> None:
    """Release an element that was read."""
    tail = element.tail
    element.clear()
    element.tail = tail
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace: senders choose or omit prefixes freely."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element | None, name: str) -> Iterator[Element]:
    """Yield the direct children of that local name, in order."""
    return element.iterchildren(ANY_SPACE + name) if element is not None else iter(())


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first element along a path of local names."""
    for name in path:
        element = next(children(element, name), None)
        if element is None:
            return None
    return element


def text(element: Element | None, *path: str) -> str | None:
    """Return the text of the first element along a path, without surrounding spaces; None where absent or empty."""
    target = child(element, *path)
    if target is None or target.text is None or len(target.text) > LONGEST_TEXT:
        return None
    return " ".join(target.text.split()) or None
