"""An export of an installation: which rows, as whom, and each table written as its rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from features.catalogue import INPUTS
from features.choices import TableName
from features.fault import Fault
from features.moments import iso, micros
from pipelines.batch.archive import Archive
from pipelines.export.export_tables import DECISIONS, DECLARATIONS, LABELS, RESULTS, ExportTable, training_table
from pipelines.export.table_file import TableFile
from pipelines.training.training_frame import NothingToLearn, build_training_frame
from service.access.principal import Principal
from service.access.redaction import columns_shown_to, shown_to
from service.calls.decision_changes import changes_since, comes_before, place_at
from service.officers.offices import unseen
from service.orientation.decisions import frame_of
from service.runtime.installed_version import installed_version
from service.store.database import Store

Rows = Iterator[pl.DataFrame]
TABLES = (DECISIONS, DECLARATIONS, RESULTS, training_table(INPUTS))
BY_NAME: Mapping[TableName, ExportTable] = {table.name: table for table in TABLES}


class ExportFault(Fault):
    """An export that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: tables of a store and its archive, from a moment until before another, for somebody.

    principal: as whom: the role says what is shown, the offices whose consignments.
    """

    store: Store
    archive: Archive
    principal: Principal
    start: datetime | None
    end: datetime

    def refuse(self, tables: Sequence[TableName], folder: Path) -> None:
        """Raise ExportFault for a table that the role does not get, or a folder that holds one already."""
        for name in tables:
            if self.principal.role not in BY_NAME[name].roles:
                raise ExportFault(
                    f"{name} are not for the role {self.principal.role}: {', '.join(BY_NAME[name].roles)}"
                )
            if (folder / f"{name}.parquet").exists():
                raise ExportFault(f"the folder already holds {name}.parquet; name another, or move the file away")

    def write(self, tables: Sequence[TableName], folder: Path) -> dict[TableName, int]:
        """Write these tables, one file each; how many rows each has."""
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"version": installed_version(), "role": self.principal.role, "until": iso(self.end)}
        facts |= {"from": iso(self.start)} if self.start else {}
        sources: Mapping[TableName, Callable[[], Rows]] = {
            "decisions": self._decisions,
            "declarations": lambda: self._archived("manifest", "lodged_at"),
            "results": lambda: self._archived("outcomes", "known_at"),
            "training": self._training,
        }
        written: dict[TableName, int] = {}
        for name in tables:
            with TableFile(folder, BY_NAME[name], facts) as file:
                for rows in sources[name]():
                    file.add(rows)
            written[name] = file.rows
        return written

    def _decisions(self) -> Rows:
        """Read what came to count in the order of the audit log, some hundreds at a time."""
        place = place_at(self.store, micros(self.start)) if self.start else 0
        until = place_at(self.store, micros(self.end))
        more = comes_before(place, until)
        while more:
            changes = changes_since(self.store, self.principal, place, until=until)
            place, more = changes.next, comes_before(changes.next, until)
            if changes.decisions:
                shown = shown_to(self.principal, changes.decisions)
                yield pl.concat([frame_of(shown), _standing(shown)], how="horizontal")

    def _archived(self, kind: str, time: str) -> Rows:
        """Read the archive a day at a time."""
        for rows in self.archive.days(kind, time, self.start, self.end):
            yield columns_shown_to(self.principal, self._seen(rows), self.store.pseudonyms)

    def _training(self) -> Rows:
        """Read the rows that training learns from; they stand in memory whole, as for `tamis train`."""
        try:
            frame = build_training_frame(self.archive, INPUTS, self.start, self.end)
        except NothingToLearn as fault:
            raise ExportFault(f"there is no training frame: {fault}") from fault
        labels = frame.facts.select(column.name for column in LABELS)
        yield self._seen(pl.concat([labels, frame.rows.frame.select(i.name for i in INPUTS)], how="horizontal"))

    def _seen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep the rows of consignments of which every part is of an office that is seen."""
        if self.principal.sees_all:
            return rows
        hidden = unseen(self.store, self.principal, rows["consignment_id"].unique().to_list())
        of_others = pl.col("consignment_id").is_in(list(hidden))
        if "office" in rows.columns:
            of_others |= ~pl.col("office").is_in([*self.principal.offices]).fill_null(False)
        return rows.filter(~of_others)


def _standing(decisions: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return the columns of what stands after each change."""
    rows = []
    for decision in decisions:
        in_force = decision["override"]
        override: Mapping[str, object] = in_force if isinstance(in_force, Mapping) else {}
        rows.append(
            {
                **{name: decision[name] for name in ("standing_clearance", "change", "at_entry")},
                **{f"override_{name}": override.get(name) for name in ("clearance", "new_information", "by", "reason")},
                "override_at": datetime.fromisoformat(str(override["at"])) if override else None,
            }
        )
    return pl.DataFrame(rows, schema={c.name: c.kind for c in DECISIONS.columns if c.name in rows[0]})
