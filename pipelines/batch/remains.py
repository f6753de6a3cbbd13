"""What an erasure cannot reach or does not touch: files that still hold a consignment, named with the remedy."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from pipelines.batch.archive import Archive
from pipelines.batch.published_folders import published_folders
from pipelines.batch.refused_rows import about
from service.settings import Settings
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS

TELLING = tuple(
    f"{party}_{what}" for party in ("consignor", "consignee") for what in ("name", "address", "phone", "email", "id")
)
SHORTEST = 5  # letters of a value that is searched for; shorter ones stand everywhere
MOST_SEARCHED = 1_000  # consignments whose values are searched for in every file
SEARCHED = ("reports", "artifacts", "bundles")  # folders of the home that hold figures and models, and should no names
PUBLISHED = "delete it, or publish the day again without the consignment"
BACKUP = "a backup holds what was on record when it was made: delete it once it is not needed"
LEARNED = "it was made when the consignment was on record: delete it, or make it anew"


@dataclass(frozen=True, slots=True)
class Remaining:
    """A file or folder that still holds what was erased, and what to do about it."""

    path: Path
    remedy: str


def telling_values(store: Store, archive: Archive, ids: Sequence[str]) -> set[str]:
    """Return what consignments declare that tells who they are of; to be asked before they are erased."""
    found: set[str] = set()
    if not 0 < len(ids) <= MOST_SEARCHED:
        return found
    with store.reading() as connection:
        for batch in in_lists(list(ids)):
            query = sa.select(DECLARATIONS.c.body).where(DECLARATIONS.c.consignment_id.in_(batch))
            for body in connection.execute(query.where(DECLARATIONS.c.body.is_not(sa.null()))).scalars():
                found |= {str(body[name]) for name in TELLING if body.get(name)}
        for row in declared_of(connection, ["body"], list(ids)):
            body = row["body"] or {}  # nothing of what was erased before
            found |= {str(body[name]) for name in TELLING if body.get(name)}
    for file in sorted(archive.folder.glob("manifest/day=*/*.parquet")):
        rows = pl.scan_parquet(file).filter(pl.col("consignment_id").is_in(list(ids))).select(TELLING).collect()
        found |= {str(value) for name in TELLING for value in rows[name].drop_nulls()}
    return {value for value in found if len(value) >= SHORTEST}


def remaining(settings: Settings, ids: Sequence[str], telling: Iterable[str]) -> list[Remaining]:
    """List what still holds these consignments, or a value that tells who they were of."""
    found = [Remaining(Path(folder), PUBLISHED) for folder in published_folders(settings) if _holds(Path(folder), ids)]
    forms = {form.encode() for value in telling for form in (value, json.dumps(value)[1:-1], _as_page(value))}
    files = (path for name in SEARCHED for path in sorted((settings.home / name).rglob("*")) if path.is_file())
    if forms:
        found += [Remaining(path, LEARNED) for path in files if _tells(path, forms)]
    backups = sorted((settings.home / "backups").glob("[!.]*"))
    return [*found, *(Remaining(path, BACKUP) for path in backups)] if ids else []


def _as_page(value: str) -> str:
    """Write a value as the template engine does in a page."""
    return html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _holds(folder: Path, ids: Sequence[str]) -> bool:
    """Whether a published folder holds one of these consignments, decided or refused."""
    orientations, refused = folder / "orientations.parquet", folder / "quarantine.parquet"
    asked_for = pl.col("consignment_id").is_in(list(ids))
    if orientations.exists() and not pl.scan_parquet(orientations).filter(asked_for).head(1).collect().is_empty():
        return True
    return bool(ids) and refused.exists() and not pl.read_parquet(refused).filter(about(ids)).is_empty()


def _tells(path: Path, forms: set[bytes]) -> bool:
    content = path.read_bytes() if path.suffix != ".parquet" else "\n".join(_texts(path)).encode()
    return any(form in content for form in forms)


def _texts(path: Path) -> Iterator[str]:
    frame = pl.read_parquet(path)
    for name, dtype in frame.schema.items():
        if dtype in (pl.String, pl.Categorical):
            yield from frame[name].cast(pl.String).drop_nulls().unique()
