"""What a run in bulk leaves behind: files that are whole or absent, the mark of success last, and answers to files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.choices import AnswerKind
from features.consignment import VERSION_KEY
from pipelines import show
from pipelines.batch.report import Report, write_report
from pipelines.batch.run_account import Scored
from service.answers import ENDINGS, AnswerCodes, answer, for_spreadsheet
from service.answers.spreadsheet import plain_cells
from service.scoring.signature import sha256_of
from service.targeting import Desk

SUCCESS = "_SUCCESS"  # names every file of the run and its hash, and comes last
PUBLISHED = (
    *("orientations.parquet", "orientations.csv", "quarantine.parquet", "quarantine.csv"),
    *("summary.json", "report.html"),
)
DAY_RANK = "day_rank"
WORKED_BY = ("description", "consignor_name", "dispatch_country", "value_eur", "gross_mass_kg")  # in orientations.csv


def publish(scored: Scored, desk: Desk, out: Path, now: datetime, title: str) -> dict[str, Any]:
    """Write all files of a run into `out`, the mark of success last; the summary."""
    out.mkdir(parents=True, exist_ok=True)
    (out / SUCCESS).unlink(missing_ok=True)
    summary = scored.summary(desk)
    ordered = in_order_of_the_day(scored.orientations)
    _whole(out / "orientations.parquet", ordered.write_parquet)
    _whole(out / "orientations.csv", for_spreadsheet(_with_goods(ordered, scored.declared)).write_csv)
    _whole(out / "quarantine.parquet", scored.refused.write_parquet)
    _whole(out / "quarantine.csv", plain_cells(scored.refused).write_csv)
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


def in_order_of_the_day(orientations: pl.DataFrame) -> pl.DataFrame:
    """Sort decisions over all offices, the riskiest first, with their place as `day_rank`.

    The unscored come last, of these the strictest lane first.

    `rank` is a place within an office: whoever sorts a day by it takes the first few of each, however quiet it is.
    """
    ordered = show.riskiest_first(orientations)
    return ordered.insert_column(
        ordered.get_column_index("of") + 1, pl.int_range(1, ordered.height + 1, eager=True).alias(DAY_RANK)
    )


def _with_goods(orientations: pl.DataFrame, declared: pl.DataFrame) -> pl.DataFrame:
    """The decisions with what it takes to work them from a list: goods, sender, country, value and mass."""
    key = list(VERSION_KEY)
    goods = declared.select(*key, *WORKED_BY).unique(key, keep="first", maintain_order=True)
    return orientations.join(goods, on=key, how="left", maintain_order="left")


def write_answers(scored: Scored, kind: AnswerKind, codes: AnswerCodes, out: Path) -> list[Path]:
    """Write the answer to each file into `out/answers`; none where there is nothing to say. Raises NoSuchAnswer."""
    folder = out / "answers"
    folder.mkdir(parents=True, exist_ok=True)
    published: list[Path] = []
    for asked in scored.messages:
        given = answer(kind, asked.decisions.as_json(), asked.header, asked.format, codes)
        if given.content is not None:
            path = folder / f"{asked.file}.{ENDINGS[kind]}"
            content = given.content
            _whole(path, lambda place, content=content: place.write_bytes(content))  # type: ignore[misc]
            published.append(path)
    return published


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place, sync it, then put it there: nobody ever reads half of it."""
    temporary = path.with_name(f".{path.name}.writing")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
