"""A day's manifests scored in bulk: the same `target()` as a call, published as files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.consignment import VERSION_KEY, Consignments
from features.messages import Message
from features.messages.flat import read_flat
from features.messages.mapping import UNMAPPED, Mapping
from pipelines.archive import Archive
from pipelines.expectations import Judgement, judge
from pipelines.report import Report, write_report
from service.orientation import Decisions
from service.orientation.decisions import frame_of
from service.targeting import Desk, target

FORMULA = r"^[=+\-@\t\r]"  # a spreadsheet would compute a cell that begins so
SUCCESS = "_SUCCESS"


@dataclass(frozen=True, slots=True)
class Scored:
    """The account of one run: `received == accepted + refused.height`, always."""

    orientations: pl.DataFrame
    declared: pl.DataFrame
    refused: pl.DataFrame
    received: int
    accepted: int
    judgement: Judgement | None

    def summary(self, desk: Desk) -> dict[str, Any]:
        """The figures of `summary.json`."""
        lanes = self.orientations["clearance"].value_counts(sort=True).rows()
        selections = self.orientations["selection"].value_counts(sort=True).rows()
        return {
            "rows_received": self.received,
            "rows_accepted": self.accepted,
            "rows_quarantined": self.refused.height,
            "consignments": self.orientations.height,
            "lanes": dict(sorted(lanes)),
            "selections": dict(sorted(selections)),
            "manifest_held": None if self.judgement is None else self.judgement.held,
            "model_id": desk.model.model_id,
            "model_sha256": desk.model.sha256,
            "feature_fingerprint": desk.model.fingerprint,
            "policy_id": desk.policy.policy_id,
        }


def score(
    files: Sequence[Path],
    desk: Desk,
    archive: Archive,
    now: datetime,
    *,
    mapping: Mapping = UNMAPPED,
    expectations: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Scored:
    """Orient every consignment of some manifests; each file is one message whose consignments compete."""
    decided, refused, accepted = [], [], []
    received = 0
    for file in files:
        raw = read_flat(file, separator=mapping.separator)
        message = Message(raw.rows, file.name, now, competing="message", complete=False, mapping=mapping)
        decisions = target(message, desk)
        decided.append(decisions)
        refused += [raw.broken, decisions.refused]
        received += raw.received
        if decisions.declared is not None:
            flat = decisions.declared.flat()
            accepted.append(flat)
            archive.keep_manifest(flat)
        desk.journal.settle()
        say(f"{file.name}: {len(decisions.rows)} consignments decided")
    return Scored(
        orientations=frame_of(row for decisions in decided for row in decisions.rows),
        declared=_declared(decided),
        refused=pl.concat(refused).sort("line", maintain_order=True),
        received=received,
        accepted=sum(flat.height for flat in accepted),
        judgement=judge(pl.concat(accepted, how="diagonal")) if expectations and accepted else None,
    )


DECLARED = (*VERSION_KEY, "stream", "office", "dispatch_country", "consignor_name", "value_eur", "gross_mass_kg")


def _declared(decided: Sequence[Decisions]) -> pl.DataFrame:
    """What the report shows of each consignment: some of its own columns, and the wording of its dearest line."""
    return pl.concat([_shown(d.declared) for d in decided if d.declared is not None] or [_shown(None)])


def _shown(declared: Consignments | None) -> pl.DataFrame:
    if declared is None:
        return pl.DataFrame(schema=[*DECLARED, "description"])
    main = declared.goods.sort("line_value_eur", descending=True, nulls_last=True, maintain_order=True)
    lines = main.unique("row", keep="first", maintain_order=True).select("row", "description")
    beside = declared.frame.join(lines, on="row", how="left", maintain_order="left")
    return beside.select(*DECLARED, "description")


def publish(scored: Scored, desk: Desk, out: Path, now: datetime, title: str) -> dict[str, Any]:
    """Write all files of a run into `out`, the mark of success last; the summary."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SUCCESS).unlink(missing_ok=True)
    summary = scored.summary(desk)
    ordered = scored.orientations.sort(["risk", "decision_id"], descending=[True, False])
    _whole(out / "orientations.parquet", ordered.write_parquet)
    _whole(out / "orientations.csv", for_spreadsheet(ordered).write_csv)
    _whole(out / "quarantine.parquet", scored.refused.write_parquet)
    _whole(out / "summary.json", lambda path: path.write_text(json.dumps(summary, indent=1), encoding="utf-8"))
    report = Report(
        title=title,
        made_at=now,
        orientations=ordered,
        declared=scored.declared,
        received=scored.received,
        quarantine=scored.refused,
        judgement=scored.judgement,
        model={**desk.model.facts, "policy_id": desk.policy.policy_id},
    )
    _whole(out / "report.html", lambda path: write_report(path, report))
    _whole(out / SUCCESS, lambda path: path.write_text("", encoding="utf-8"))
    return summary


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place, sync it, then put it there: nobody ever reads half of it."""
    temporary = path.with_name(f".{path.name}.writing")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def for_spreadsheet(orientations: pl.DataFrame) -> pl.DataFrame:
    """The decisions as plain cells; text that a spreadsheet would take for a formula is quoted."""
    sentences = pl.col("reasons").list.eval(pl.element().struct.field("text")).list.join("; ")
    problems = pl.col("data_problems").list.eval(
        pl.format("{}: {}", pl.element().struct.field("field"), pl.element().struct.field("problem"))
    )
    flat = orientations.with_columns(
        sentences.alias("reasons"),
        problems.list.join("; ").alias("data_problems"),
        pl.col("degraded_reasons").list.join("; "),
    )
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    return flat.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
