"""A tree of hashes over the decisions of a file: one entry of the audit log vouches for them all, each by a short way.

As RFC 6962, 2.1 has it: a leaf is hashed with 0x00 before it, two nodes with 0x01, and the left side of a node holds
the largest power of two of leaves that is less than all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF, NODE = b"\x00", b"\x01"
EMPTY = hashlib.sha256(b"").digest()
Step = tuple[str, str]  # the side on which a sibling stands, `left` or `right`, and its hash


def root_of(leaves: Sequence[str]) -> str:
    """Return the root over contents (hexadecimal hashes), hexadecimal."""
    nodes = [_leaf(leaf) for leaf in leaves]
    while len(nodes) > 1:
        nodes = _above(nodes)
    return (nodes[0] if nodes else EMPTY).hex()


def way_of(leaves: Sequence[str], place: int) -> list[Step]:
    """Return the siblings on the way from a leaf to the root."""
    nodes, way = [_leaf(leaf) for leaf in leaves], []
    while len(nodes) > 1:
        beside = place ^ 1
        if beside < len(nodes):
            way.append(("left" if beside < place else "right", nodes[beside].hex()))
        nodes, place = _above(nodes), place // 2
    return way


def root_by(leaf: str, way: Sequence[Step]) -> str:
    """Return the root that a leaf comes to by its way."""
    node = _leaf(leaf)
    for side, sibling in way:
        other = bytes.fromhex(sibling)
        node = _node(other, node) if side == "left" else _node(node, other)
    return node.hex()


def _above(nodes: Sequence[bytes]) -> list[bytes]:
    """Return the nodes of the next level; one without a sibling stands there as it is."""
    pairs = [_node(nodes[at], nodes[at + 1]) for at in range(0, len(nodes) - 1, 2)]
    return pairs if len(nodes) % 2 == 0 else [*pairs, nodes[-1]]


def _leaf(content: str) -> bytes:
    return hashlib.sha256(LEAF + bytes.fromhex(content)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
