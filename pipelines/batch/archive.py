"""The archive: every accepted declaration and every outcome as Parquet, the ground that models learn from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, VERSION_KEY, Consignments, fold
from features.history.facts import REGISTRY, with_entities
from features.outcome import OUTCOME_COLUMNS
from features.parties import GraphTimeline
from features.parties.graph_timeline import JUDGED, LISTED
from service.parties.replayed_lists import ADDRESSED, ReplayedLists
from service.store.pseudonyms import Pseudonyms, pseudonyms_of

KEYED: dict[str, tuple[str, ...]] = {  # files with hashes, and which of their columns these are: keyed on the disk
    "listed.keyed.parquet": ("entity", "values"),
    "judged.keyed.parquet": ("one", "other"),
    "registered.keyed.parquet": ("entity",),
    "addressed.keyed.parquet": ("entity", "values"),
}
LISTED_FILE, JUDGED_FILE, REGISTERED_FILE, ADDRESSED_FILE = KEYED
MANIFEST_COLUMNS = [c.name for c in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS)]


class Archive:
    """A folder of Parquet files by day; a file is named by its content, so that the same rows are kept once."""

    def __init__(self, folder: Path, *, linking: bool = False) -> None:
        """linking: whether consignments may be attributed to those who stand behind them."""
        self.folder, self.linking = folder, linking

    def keep_manifest(self, flat: pl.DataFrame) -> None:
        """Keep accepted manifest rows, by the day they were lodged."""
        extras = [c for c in flat.columns if c.startswith(EXTRA)]
        self._keep("manifest", flat.select(*MANIFEST_COLUMNS, *extras), "lodged_at")

    def keep_outcomes(self, outcomes: pl.DataFrame) -> None:
        """Keep accepted outcomes, by the day they became known."""
        self._keep("outcomes", outcomes.select(c.name for c in OUTCOME_COLUMNS), "known_at")

    def keep_listed(self, listed: pl.DataFrame) -> None:
        """Keep what lists ever told (LISTED), in the place of what was kept of them before."""
        self._replace(LISTED_FILE, listed)

    def keep_judged(self, judged: pl.DataFrame) -> None:
        """Keep what officers ever said of pairs of cards (JUDGED), in the place of what was kept of it before."""
        self._replace(JUDGED_FILE, judged)

    def meanwhile(self) -> GraphTimeline:
        """What changed the graph beside declarations: lists, reports and officers' words, each in its time."""
        return GraphTimeline(self._kept(LISTED_FILE, LISTED), self._kept(JUDGED_FILE, JUDGED))

    def keep_addressed(self, addressed: pl.DataFrame) -> None:
        """Keep by what lists ever compared addressees (ADDRESSED), in the place of what was kept of it before."""
        self._replace(ADDRESSED_FILE, addressed)

    def lists(self) -> ReplayedLists:
        """What lists and officers ever said, for a replay that applies each in its time."""
        listed, judged = self._kept(LISTED_FILE, LISTED), self._kept(JUDGED_FILE, JUDGED)
        return ReplayedLists(listed, judged, self._kept(ADDRESSED_FILE, ADDRESSED))

    def keep_registered(self, registered: pl.DataFrame) -> None:
        """Keep what right holders have registered (REGISTRY), in the place of what was kept of it before."""
        self._replace(REGISTERED_FILE, registered)

    def registered(self) -> pl.DataFrame:
        """What right holders have registered (REGISTRY)."""
        return self._kept(REGISTERED_FILE, REGISTRY)

    @cached_property
    def _pseudonyms(self) -> Pseudonyms:
        return pseudonyms_of(self.folder.parent / "keys")

    def _kept(self, name: str, schema: pl.Schema) -> pl.DataFrame:
        file = self.folder / name
        if not file.exists():
            return schema.to_frame()
        return self._pseudonyms.plain_columns(pl.read_parquet(file), *KEYED[name])

    def _replace(self, name: str, content: pl.DataFrame) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"writing-{os.getpid()}"
        self._pseudonyms.keyed_columns(content, *KEYED[name]).write_parquet(temporary)
        temporary.replace(self.folder / name)

    def delete_plain(self) -> None:
        """Delete the files of before hashes were keyed; the next training writes them anew."""
        for name in KEYED:
            (self.folder / name.replace(".keyed", "")).unlink(missing_ok=True)

    def consignments(self, start: datetime | None = None, end: datetime | None = None) -> Consignments:
        """All consignment versions lodged from `start` until before `end`, in order of time, each once."""
        flat = self._read("manifest", "lodged_at", start, end)
        if flat is None:
            flat = pl.DataFrame(schema={c.name: c.dtype for c in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS)})
        newer = [c for c in CONSIGNMENT_COLUMNS if c.name not in flat.columns]  # than the files that are kept
        flat = flat.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in newer)
        flat = flat.unique([*VERSION_KEY, "line_no"], keep="first", maintain_order=True)
        return with_entities(fold(flat.sort("lodged_at", *VERSION_KEY, "line_no")))

    def outcomes(self, end: datetime | None = None) -> pl.DataFrame:
        """All outcomes known before `end`, in order of time, each once."""
        found = self._read("outcomes", "known_at", None, end)
        if found is None:
            return pl.DataFrame(schema={c.name: c.dtype for c in OUTCOME_COLUMNS})
        return found.unique(maintain_order=True).sort("known_at", "consignment_id")

    def days(
        self, kind: str, time: str, start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[pl.DataFrame]:
        """Read rows of `manifest` or `outcomes` a day at a time, from `start` until before `end`, each once.

        A goods line of a version is kept once; columns that are newer than a file are lacking in its day.
        """
        for folder in sorted((self.folder / kind).glob("day=*")):
            day = folder.name.removeprefix("day=")
            if (start is not None and day < f"{start:%Y-%m-%d}") or (end is not None and day > f"{end:%Y-%m-%d}"):
                continue
            files = sorted(folder.glob("*.parquet"))
            if not files:
                continue
            rows = pl.concat([pl.read_parquet(file) for file in files], how="diagonal")
            if start is not None:
                rows = rows.filter(pl.col(time) >= start)
            if end is not None:
                rows = rows.filter(pl.col(time) < end)
            key = [*VERSION_KEY, "line_no"] if kind == "manifest" else None
            order = [time, *VERSION_KEY, "line_no"] if kind == "manifest" else [time, "consignment_id"]
            yield rows.unique(key, keep="first", maintain_order=True).sort(order)

    def erase(self, consignment_ids: Sequence[str], *, dry_run: bool = False) -> int:
        """Take the rows of these consignments out of the archive; how many there were, or would be."""
        gone = pl.col("consignment_id").is_in(list(consignment_ids))
        count = 0
        for file in sorted(self.folder.glob("*/day=*/*.parquet")):
            rows = pl.read_parquet(file)
            kept = rows.filter(~gone)
            if kept.height == rows.height:
                continue
            count += rows.height - kept.height
            if dry_run:
                continue
            if kept.height:
                temporary = file.with_name(f"writing-{os.getpid()}")
                kept.write_parquet(temporary)
                temporary.replace(file)
            else:
                file.unlink()
        return count

    def _keep(self, kind: str, rows: pl.DataFrame, time: str) -> None:
        for (day,), part in rows.group_by(pl.col(time).dt.date(), maintain_order=True):
            folder = self.folder / kind / f"day={day}"
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f"writing-{os.getpid()}"
            part.write_parquet(temporary)
            name = hashlib.sha256(temporary.read_bytes()).hexdigest()[:32]
            temporary.replace(folder / f"{name}.parquet")

    def _read(self, kind: str, time: str, start: datetime | None, end: datetime | None) -> pl.DataFrame | None:
        files = sorted((self.folder / kind).glob("day=*/*.parquet"))
        if not files:
            return None
        rows = pl.concat([pl.scan_parquet(file) for file in files], how="diagonal")
        if start is not None:
            rows = rows.filter(pl.col(time) >= start)
        if end is not None:
            rows = rows.filter(pl.col(time) < end)
        return rows.collect()
