"""Read the documents: their pages, the shell blocks in reading order, and the words set as code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the text of the README and of every page of the site by its path below the root."""
    files = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files if "_build" not in file.parts
    }


def reading_order() -> list[Path]:
    """Return the tutorial and the how-to guides in the order in which the index lists them."""
    index = (DOCS / "how-to" / "index.md").read_text(encoding="utf-8")
    names = re.search(r"^```\{toctree\}\n:hidden:\n\n(.*?)^```", index, flags=re.DOTALL | re.MULTILINE)
    assert names is not None, "docs/how-to/index.md has no toctree"
    return [DOCS / "tutorial.md", *(DOCS / "how-to" / f"{name}.md" for name in names.group(1).split())]


def shell_blocks(page: Path) -> list[str]:
    """Return the blocks of a page that are meant to be run as they stand."""
    return [body for language, body in FENCE.findall(page.read_text(encoding="utf-8")) if language == "sh"]


def without_blocks(text: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", text)
