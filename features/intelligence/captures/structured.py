"""What a page says of itself for search engines (JSON-LD): contacts and profiles of the shop, brands and prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST_SCRIPTS, MOST_NODES = 40, 2_000
CONTACTS = {"email": "email", "telephone": "phone", "vatID": "id", "taxID": "id"}
PROFILES = "sameAs"
OTHERS = ("review", "author", "publisher", "reviewedBy", "manufacturer", "brand", "creator")  # nodes of other parties


def structured_of(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield properties and texts; profiles as `link`. What authors, reviewers and makers state is not the shop's."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:MOST_SCRIPTS]:
        try:
            waiting = [json.loads(script)]
        except (ValueError, RecursionError):
            continue
        number = 0
        while waiting and number < MOST_NODES:
            number += 1
            node = waiting.pop(0)
            if isinstance(node, list):
                waiting += node[:MOST_NODES]
            elif isinstance(node, dict):
                yield from _of_node(node)
                waiting += [
                    value for name, value in node.items() if name not in OTHERS and isinstance(value, dict | list)
                ]


def _of_node(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, prop in CONTACTS.items():
        yield from ((prop, text.removeprefix("mailto:").strip()) for text in _texts(node.get(name)))
    yield from (("link", text) for text in _texts(node.get(PROFILES)))
    brand = node.get("brand")
    yield from (("brand", text) for text in _texts(brand.get("name") if isinstance(brand, dict) else brand))
    price = node.get("price")
    yield from (("price", str(price)),) if isinstance(price, int | float | str) and not isinstance(price, bool) else ()


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)][:40]
