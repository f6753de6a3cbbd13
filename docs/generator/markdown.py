"""Put tables and pages into Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `make docs-reference` from the code. Change the code, not this page. -->"


def page(title: str, *parts: str) -> str:
    """Return a page: its note, its title, and its parts."""
    return "\n\n".join((NOTE, f"# {title}", *(part.strip("\n") for part in parts if part))) + "\n"


def section(title: str, *parts: str) -> str:
    """Return a section below the title of a page."""
    return "\n\n".join((f"## {title}", *(part for part in parts if part)))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; what would end a cell or begin a tag is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell(value) for value in line)} |" for line in lines)


def cell(value: object) -> str:
    """Return one cell of a table."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;").replace("\\&lt;", "&lt;")


def code(value: object) -> str:
    """Return a word set as code; nothing where there is none."""
    return f"`{value}`" if str(value) else ""
