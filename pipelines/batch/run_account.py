"""The account of a run in bulk: what was received, refused and decided, file by file and in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.choices import FormatName
from features.consignment import BY_NAME, VERSION_KEY, Consignments
from features.fault import Fault
from features.messages.raw import Raw
from pipelines.batch.expectation_suite import STANDARD, Suite
from pipelines.batch.expectations import Judgement, judge, reference_of
from pipelines.batch.refusals import refusals_in_words, refused_file
from service.orientation import Decisions
from service.orientation.decisions import FLAT
from service.targeting import Desk

DECLARED_COLUMNS = (
    *VERSION_KEY,
    "stream",
    "office",
    "dispatch_country",
    "consignor_name",
    "value_eur",
    "gross_mass_kg",
)
DECLARED = pl.Schema(
    {name: BY_NAME[name].dtype if name in BY_NAME else pl.Float64() for name in DECLARED_COLUMNS}
    | {"description": pl.String()}
)


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
    profile: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Answered, ...] = ()
    separator: str = ""
    unknown_offices: Mapping[str, int] = field(default_factory=dict)

    @property
    def refusals(self) -> list[str]:
        """What was refused, one line a file or a kind of fault."""
        return refusals_in_words(self.refused, self.separator)

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
            "refusals": self.refusals,
            "unknown_offices": dict(self.unknown_offices),
            "consignments": self.orientations.height,
            "lanes": dict(sorted(lanes)),
            "selections": dict(sorted(selections)),
            "manifest_held": None if self.judgement is None else self.judgement.held,
            "model_id": desk.model.model_id,
            "model_sha256": desk.model.sha256,
            "feature_fingerprint": desk.model.fingerprint,
            "policy_id": desk.policy.policy_id,
        }


@dataclass(slots=True)
class Account:
    """What has come of the files so far."""

    decided: list[Decisions] = field(default_factory=list)
    refused: list[pl.DataFrame] = field(default_factory=list)
    accepted: list[pl.DataFrame] = field(default_factory=list)
    messages: list[Answered] = field(default_factory=list)
    received: int = 0
    separator: str = ""

    def refuse(self, fault: Fault) -> None:
        """Count a file that was refused as a whole."""
        self.refused.append(refused_file(fault))
        self.received += 1

    def take(self, file: Path, raw: Raw, decisions: Decisions) -> None:
        """Count what a file held and what was decided on it."""
        self.decided.append(decisions)
        self.messages.append(Answered(file.name, raw.format, raw.header, decisions))
        self.refused += [raw.broken, decisions.refused]
        self.received += raw.received
        self.separator = self.separator or raw.separator
        if decisions.declared is not None:
            self.accepted.append(decisions.declared.flat())

    def close(
        self,
        known_offices: set[str],
        *,
        judged: bool,
        suite: Suite = STANDARD,
        reference: Mapping[str, Any] | None = None,
    ) -> Scored:
        """Put it all together; `known_offices` is empty while nobody knows any.

        suite, reference: what the manifest is judged by, and the profile that it is compared with.
        """
        whole = pl.concat(self.accepted, how="diagonal") if judged and self.accepted else None
        orientations = pl.concat([decisions.as_frame() for decisions in self.decided] or [FLAT.to_frame()])
        return Scored(
            orientations=orientations,
            declared=_declared(self.decided),
            refused=pl.concat(self.refused).sort("line", maintain_order=True),
            received=self.received,
            accepted=sum(flat.height for flat in self.accepted),
            judgement=None if whole is None else judge(whole, reference, suite),
            profile={} if whole is None else reference_of(whole),
            messages=tuple(self.messages),
            separator=self.separator,
            unknown_offices=_unknown(orientations, known_offices),
        )


def _unknown(orientations: pl.DataFrame, known: set[str]) -> dict[str, int]:
    """Of each office that is not known, how many consignments name it; none while nobody knows any."""
    named = orientations.filter(pl.col("office").is_not_null(), ~pl.col("office").is_in(sorted(known)))
    counts = named.group_by("office").len().sort(["len", "office"], descending=[True, False])
    return dict(counts.iter_rows()) if known else {}


def _declared(decided: Sequence[Decisions]) -> pl.DataFrame:
    """What the report shows of each consignment: some of its own columns, and the wording of its dearest line."""
    return pl.concat([_shown(d.declared) for d in decided if d.declared is not None] or [_shown(None)])


def _shown(declared: Consignments | None) -> pl.DataFrame:
    if declared is None:
        return DECLARED.to_frame()
    main = declared.goods.sort("line_value_eur", descending=True, nulls_last=True, maintain_order=True)
    lines = main.unique("row", keep="first", maintain_order=True).select("row", "description")
    beside = declared.frame.join(lines, on="row", how="left", maintain_order="left")
    return beside.select(*DECLARED_COLUMNS, "description")
