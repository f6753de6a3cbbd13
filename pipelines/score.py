"""A day's manifests scored in bulk: the same `target()` as a call, published as files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.consignment import VERSION_KEY, Consignments
from features.messages.formats import read_file
from features.messages.mapping import UNMAPPED
from features.messages.mapping import Mapping as ColumnMapping
from features.words import AnswerKind, FormatName
from pipelines.archive import Archive
from pipelines.expectations import Judgement, judge
from pipelines.report import Report, write_report
from service.answers import ENDINGS, AnswerCodes, answer, for_spreadsheet
from service.orientation import Decisions
from service.orientation.decisions import FLAT
from service.receiving import message_of, stow
from service.scoring.signature import sha256_of
from service.targeting import Desk, target

SHARES = 0.35, 0.85  # of the time that a manifest takes: when recording begins and ends (tests/bench/batch.py)
SUCCESS = "_SUCCESS"  # names every file of the run and its hash, and comes last
PUBLISHED = ("orientations.parquet", "orientations.csv", "quarantine.parquet", "summary.json", "report.html")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one file asked, by which an answer to it is written."""

    file: str
    format: FormatName
    header: Mapping[str, str]
    decisions: Decisions


@dataclass(frozen=True, slots=True)
class Scored:
    """The account of one run: `received == accepted + refused.height`, always."""

    orientations: pl.DataFrame
    declared: pl.DataFrame
    refused: pl.DataFrame
    received: int
    accepted: int
    judgement: Judgement | None
    messages: tuple[Answered, ...] = ()

    @property
    def decided_at(self) -> datetime | None:
        """When the last of its decisions was given."""
        latest: datetime | None = self.orientations["decided_at"].max()  # type: ignore[assignment]
        return latest

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
    mapping: ColumnMapping = UNMAPPED,
    format: FormatName | None = None,
    expectations: bool = True,
    say: Callable[[str], None] = lambda _: None,
    part: Callable[[float], None] = lambda _: None,
) -> Scored:
    """Orient every consignment of some manifests; each file is one message whose consignments compete.

    say: told of each file when it is done; part: of the share of the present one that is, from 0 to 1.
    """
    before, after = SHARES
    desk = replace(desk, journal=desk.journal.telling(lambda share: part(before + (after - before) * share)))
    decided, refused, accepted = [], [], []
    messages: list[Answered] = []
    received = 0
    for file in files:
        raw = read_file(file, mapping, format)
        stow(raw, desk.journal.store, now)
        message = message_of(
            raw, desk.journal.store, file.name, now, competing="message", complete=False, mapping=mapping
        )
        decisions = target(message, desk)
        decided.append(decisions)
        messages.append(Answered(file.name, raw.format, raw.header, decisions))
        refused += [raw.broken, decisions.refused]
        received += raw.received
        if decisions.declared is not None:
            flat = decisions.declared.flat()
            accepted.append(flat)
            archive.keep_manifest(flat)
        desk.journal.settle()
        say(f"{file.name}: {len(decisions.rows)} consignments decided")
    return Scored(
        orientations=pl.concat([decisions.as_frame() for decisions in decided] or [FLAT.to_frame()]),
        declared=_declared(decided),
        refused=pl.concat(refused).sort("line", maintain_order=True),
        received=received,
        accepted=sum(flat.height for flat in accepted),
        judgement=judge(pl.concat(accepted, how="diagonal")) if expectations and accepted else None,
        messages=tuple(messages),
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
        made_at=scored.decided_at or now,  # a run that only repeats decisions writes the same bytes
        orientations=ordered,
        declared=scored.declared,
        received=scored.received,
        quarantine=scored.refused,
        judgement=scored.judgement,
        model={**desk.model.facts, "policy_id": desk.policy.policy_id},
    )
    _whole(out / "report.html", lambda path: write_report(path, report))
    published = {name: sha256_of(out / name) for name in PUBLISHED}
    _whole(out / SUCCESS, lambda path: path.write_text(json.dumps(published, indent=1), encoding="utf-8"))
    return summary


def write_answers(scored: Scored, kind: AnswerKind, codes: AnswerCodes, out: Path) -> list[Path]:
    """Write the answer to each file into `out/answers`; none where there is nothing to say. Raises NoSuchAnswer."""
    folder = out / "answers"
    folder.mkdir(parents=True, exist_ok=True)
    told: list[Path] = []
    for asked in scored.messages:
        given = answer(kind, asked.decisions.as_json(), asked.header, asked.format, codes)
        if given.content is not None:
            path = folder / f"{asked.file}.{ENDINGS[kind]}"
            content = given.content
            _whole(path, lambda place, content=content: place.write_bytes(content))  # type: ignore[misc]
            told.append(path)
    return told


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place, sync it, then put it there: nobody ever reads half of it."""
    temporary = path.with_name(f".{path.name}.writing")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
