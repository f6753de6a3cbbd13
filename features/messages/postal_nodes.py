"""Postal messages as nodes: names without case and punctuation, XML and JSON alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from features.messages.hardened import Element, local_name
from features.messages.postal_map import Steps, plain

TEXT = ""  # the key of a node's own text
Node = dict[str, Any]  # name → list of nodes; TEXT → text


def tree_of(element: Element) -> Node:
    """Turn an element into a node: attributes and children by name, its own text."""
    node: Node = {}
    for key, value in element.attrib.items():
        node.setdefault(plain(str(key).rpartition("}")[2]), []).append({TEXT: str(value).strip()})
    for child in element:
        if isinstance(child.tag, str):
            node.setdefault(plain(local_name(child)), []).append(tree_of(child))
    if text := " ".join((element.text or "").split()):
        node[TEXT] = text
    return node


def node_of(value: Any) -> Node:
    """Turn a JSON value into a node."""
    if isinstance(value, dict):
        node: Node = {}
        for key, member_or_list in value.items():
            members = member_or_list if isinstance(member_or_list, list) else [member_or_list]
            node.setdefault(plain(key) or "unnamed", []).extend(node_of(member) for member in members)
        return node
    if isinstance(value, list):
        return {"unnamed": [node_of(member) for member in value]}
    if value is None or value == "":
        return {}
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return {TEXT: text.encode("utf-8", "replace").decode()}  # half a character is none


def first_at(node: Node, path: Steps) -> Node | None:
    """Return the first node along a path of names."""
    for step in path:
        found = node.get(step)
        if not found:
            return None
        node = found[0]
    return node


def texts_at(node: Node, path: Steps) -> Iterator[str]:
    """Find all texts along a path of names, lists within lists too."""
    if not path:
        if node.get(TEXT):
            yield node[TEXT]
        for member in node.get("unnamed", ()):
            yield from texts_at(member, ())
        return
    for member in node.get(path[0], ()):
        yield from texts_at(member, path[1:])


def everywhere(node: Node, names: frozenset[str], outside: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Find all nodes of those names, or of their plural, at any depth; none within one another, nor within `outside`.

    A plural that holds nodes of the name itself is only what they stand in.
    """
    for key, members in node.items():
        if key == TEXT or _is_one_of(key, outside):
            continue
        for member in members:
            if key in names or (key.removesuffix("s") in names and not any(name in member for name in names)):
                yield member
            else:
                yield from everywhere(member, names, outside)


def _is_one_of(key: str, names: frozenset[str]) -> bool:
    return key in names or key.removesuffix("s") in names
