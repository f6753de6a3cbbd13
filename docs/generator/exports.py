"""The page of what `tamis export` writes, from the tables that it declares."""

from __future__ import annotations

from docs.generator.markdown import code, page, section, table
from pipelines.export.export import TABLES
from pipelines.export.export_tables import ExportTable

INTRODUCTION = """
`tamis export` writes one Parquet file a table, in row groups of 50,000 rows, compressed with zstd, of types that every
reader of Parquet knows. Times are UTC. Each column has its meaning in the metadata of its field, and the file says in
its own with which version and as whom it was made. [The guide](../how-to/export.md) has examples.
"""


def exports_page() -> str:
    """Return the page of the exported tables."""
    return page("Exported tables", INTRODUCTION, *map(_section, TABLES))


def _section(exported: ExportTable) -> str:
    rows = ([code(c.name), str(c.kind).replace("'", ""), c.meaning] for c in exported.columns)
    what = (
        f"A row is {exported.row}. `--from` and `--to` choose by {exported.chosen_by}. "
        f"For the roles {', '.join(map(code, exported.roles))}."
    )
    return section(f"`{exported.name}.parquet`", what, table(["column", "type", "meaning"], rows))
