"""What a reader of a page sees: its text, block by block, and the links that can be followed."""

from __future__ import annotations

from typing import Any

from lxml import etree

from features.identifiers.visible import visible

BLOCKS = (
    "address", "article", "aside", "blockquote", "br", "button", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "img", "input", "label", "li", "main", "nav", "ol",
    "option", "p", "pre", "section", "table", "td", "th", "tr", "ul",
)  # fmt: skip
UNSEEN = (
    "script", "style", "noscript", "template", "svg", "head", "textarea", "select", "object", "iframe",
)  # fmt: skip
HIDDEN = "//span[@hidden or contains(@style, 'display:none') or contains(@style, 'display: none')]"  # a trap for robots
WIDE: dict[int, int | str] = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0x3000: " "}  # full width
MOST_LINKS = 5_000
PLATFORM_OWN = ("footer", "nav")  # of a page of a platform: what the platform says of itself


def text_of(tree: Any, *, of_platform: bool = False) -> str:
    """Return the visible text of a page, with a line end between blocks, and without scripts and what is hidden.

    The tree is changed. of_platform: leave the platform's own foot and menus out.
    """
    for hidden in tree.xpath(HIDDEN):
        hidden.text = None
        for inner in list(hidden):
            hidden.remove(inner)
    etree.strip_elements(tree, *UNSEEN, *(PLATFORM_OWN if of_platform else ()), with_tail=False)
    for block in tree.iter(*BLOCKS):
        block.text = f"\n{block.text or ''}"
        block.tail = f"\n{block.tail or ''}"
    return visible_lines("".join(tree.itertext()))


def visible_lines(text: str) -> str:
    """Return a text with full-width signs as plain ones and without what nobody sees."""
    if text.isascii():
        return text
    return "\n".join(visible(line) for line in text.translate(WIDE).split("\n"))


def links_of(tree: Any) -> list[str]:
    """Return the addresses of the links of a page, each once, at most MOST_LINKS."""
    return list(dict.fromkeys(str(link).strip() for link in tree.xpath("//a/@href | //area/@href")[:MOST_LINKS]))
