"""The decision: its fields, one row per consignment version, and its form outside the program."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, overload

import orjson
import polars as pl

from features.consignment import TIME, VERSION_KEY, Consignments
from features.moments import iso
from service.orientation.given_lanes import BY_KIND
from service.orientation.taken import Taken
from service.scoring.explanation import Language

Row = dict[str, Any]
TEXTS = pl.List(pl.String())
SCHEMA = pl.Schema(
    [
        ("decision_id", pl.String()),
        ("message_id", pl.String()),
        ("consignment_id", pl.String()),
        ("version", pl.Int64()),
        ("assessment", pl.Int64()),  # 1, 2, …: of this version, each stricter than the one before
        ("lodged_at", TIME),
        ("decided_at", TIME),
        ("office", pl.String()),
        ("risk", pl.Float64()),
        *((name, pl.Float64()) for name in ("risk_low", "risk_high")),  # none where nothing stands behind them
        ("risk_by_kind", pl.Object()),  # kind of finding → chance; none where the model states none
        ("rank", pl.Int64()),
        ("of", pl.Int64()),
        ("pre_arrival", pl.String()),
        ("clearance", pl.String()),
        ("check", pl.String()),  # what is done about it: none, audit, documents, scan, physical
        ("post_clearance", pl.String()),
        ("track", pl.String()),
        ("selection", pl.String()),
        ("selection_probability", pl.Float64()),
        ("reasons", pl.Object()),
        ("party_id", pl.String()),
        ("network_id", pl.String()),
        ("data_problems", pl.Object()),
        ("mode", pl.String()),
        ("degraded_reasons", TEXTS),
        ("model_id", pl.String()),
        ("model_sha256", pl.String()),
        ("feature_fingerprint", pl.String()),
        ("policy_id", pl.String()),
        ("lists_as_of", TIME),
        ("history_as_of", TIME),
    ]
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What the decisions of one call rest on besides their consignments and rows: enough to replay them.

    opened, found, anew, settled, edition, matches: see DecisionContext.
    spent: rows of checks already given out (office, begins in ISO 8601, by kind, and what pacing rests on).
    """

    decided_at: datetime
    competing: str
    language: Language
    policy_text: str
    model_sha256: str
    spent: list[dict[str, Any]]
    history_as_of: datetime | None
    lists_as_of: datetime | None
    lost: tuple[str, ...]
    opened: Mapping[str, int]
    found: tuple[str, ...]
    anew: bool
    settled: tuple[int, ...]
    edition: int
    matches: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def as_json(self, policy_sha256: str) -> dict[str, Any]:
        """Return the form that the store keeps: the policy by its hash, times in ISO 8601."""
        content = {name: getattr(self, name) for name in ("competing", "language", "model_sha256", "spent")}
        times = {name: getattr(self, name) for name in ("decided_at", "history_as_of", "lists_as_of")}
        content |= {k: iso(v) if v else None for k, v in times.items()}
        content |= {"opened": dict(self.opened), "anew": self.anew, "edition": self.edition}
        content |= {"found": list(self.found), "settled": list(self.settled)}
        if self.matches:
            content["matches"] = {str(place): list(matches) for place, matches in self.matches.items()}
        return {**content, "lost": list(self.lost), "policy_sha256": policy_sha256}


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions of one message, in the order of its consignments.

    rows: one mapping per consignment version, the fields of SCHEMA in that order, times as datetime.
    refused: quarantine rows of the message.
    declared: the consignments decided.
    basis: the circumstances that they were given in.
    taken: for each row, the capacity it uses, of which office and period, and how much there is.
    before: for each row, whether the decision was on record before and is returned unchanged; empty until recorded.
    """

    rows: Sequence[Row]
    refused: pl.DataFrame
    declared: Consignments | None = None
    before: tuple[bool, ...] = ()
    basis: Basis | None = None
    taken: Taken | None = None

    def as_recorded(self, recorded: Mapping[int, Row]) -> Decisions:
        """Return the decisions as they stand on record: earlier ones replace those at their places."""
        rows = Standing(self.rows, recorded) if recorded else self.rows
        return replace(self, rows=rows, before=tuple(place in recorded for place in range(len(self.rows))))

    @property
    def replayed(self) -> bool:
        """Return true if every decision was on record before."""
        return bool(self.before) and all(self.before)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the decisions as the API answers them."""
        return [written(row) for row in self.rows]

    def texts(self, start: int, end: int) -> pl.DataFrame:
        """Return what the decisions from one place to before another state, as `texts_of` does."""
        return self.rows.texts(start, end) if isinstance(self.rows, Made) else texts_of(self.rows[start:end])

    def as_frame(self) -> pl.DataFrame:
        """Return the decisions as Parquet keeps them; reasons and problems as lists of structs."""
        return self.rows.frame() if isinstance(self.rows, Made) else frame_of(self.rows)


class Made(Sequence[Row]):
    """Decisions that are built on demand: those of a day are never in memory all at once."""

    @abstractmethod
    def part(self, start: int, count: int) -> list[Row]:
        """Return at most `count` decisions from a place on."""

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, int):
            return self.part(range(len(self))[place], 1)[0]
        start, stop, step = place.indices(len(self))
        if step != 1:
            return [self[i] for i in range(start, stop, step)]
        return self.part(start, max(0, stop - start))

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self), DECISIONS_PER_PART):
            yield from self.part(start, DECISIONS_PER_PART)

    def frame(self) -> pl.DataFrame:
        """Return the decisions as `frame_of` does."""
        return frame_of(self)

    def texts(self, start: int, end: int) -> pl.DataFrame:
        """Return the decisions from one place to before another as `texts_of` does."""
        return texts_of(self.part(start, end - start))


class Standing(Made):
    """Decisions, with earlier ones in place of new ones where there were any on record."""

    def __init__(self, rows: Sequence[Row], recorded: Mapping[int, Row]) -> None:
        self._rows, self._recorded = rows, recorded

    def __len__(self) -> int:
        return len(self._rows)

    def part(self, start: int, count: int) -> list[Row]:
        """Return at most `count` decisions from a place on."""
        return [self._recorded.get(start + i) or row for i, row in enumerate(self._rows[start : start + count])]


def written(row: Row) -> Row:
    """Return one decision in its JSON form: times in ISO 8601, UTC."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def texts_of(rows: Sequence[Row]) -> pl.DataFrame:
    """Return decisions as columns of what each states (WRITTEN): lists and mappings as JSON."""
    return pl.DataFrame([_with_texts(row) for row in rows], schema=WRITTEN, orient="row")


def _with_texts(row: Row) -> Row:
    times = {name: _read(row[name]) for name in TIMES}
    return {**BEFORE, **row, **times, **{name: orjson.dumps(row.get(name)).decode() for name in LISTS}}


REASON = pl.List(pl.Struct({"code": pl.String, "text": pl.String, "contribution": pl.Float64, "evidence": pl.String}))
PROBLEM = pl.List(pl.Struct({"field": pl.String, "problem": pl.String}))
FLAT = pl.Schema({**SCHEMA, "risk_by_kind": BY_KIND, "reasons": REASON, "data_problems": PROBLEM})
TIMES = [name for name, kind in SCHEMA.items() if kind == TIME]
LISTS = [name for name, kind in SCHEMA.items() if kind in (pl.Object, TEXTS)]
WRITTEN = pl.Schema({**SCHEMA, **dict.fromkeys(LISTS, pl.String())})
SINCE = ("risk_by_kind", "risk_low", "risk_high")  # absent in decisions of earlier versions
BEFORE = dict.fromkeys(SINCE)
DECISIONS_PER_PART = 5_000  # decisions that stand in memory as mappings: each takes some kilobytes


def frame_of(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Return decisions as a frame of plain columns; evidence as text."""
    rows = iter(rows)
    frames = []
    while chunk := [_flat(row) for row in islice(rows, DECISIONS_PER_PART)]:
        frames.append(pl.DataFrame(chunk, schema=FLAT, orient="row"))
    return pl.concat(frames) if frames else FLAT.to_frame()


def _flat(row: Row) -> Row:
    times = {name: _read(row[name]) for name in TIMES}
    by_kind = {"risk_by_kind": listed_by_kind(row.get("risk_by_kind"))}
    return {**BEFORE, **row, **by_kind, "reasons": [plainly(reason) for reason in row["reasons"]], **times}


def listed_by_kind(chances: Mapping[str, float] | None) -> list[Row] | None:
    """Return chances by kind as Parquet keeps them: a list, in the order of the decision."""
    return None if chances is None else [{"kind": kind, "chance": chance} for kind, chance in chances.items()]


def _read(moment: datetime | str | None) -> datetime | None:
    """Parse a moment, given as a datetime by a new decision or as ISO 8601 by the record."""
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def plainly(reason: Row) -> Row:
    """Return a reason as Parquet keeps it: its evidence as text."""
    evidence = reason.get("evidence")
    return {
        "code": reason["code"],
        "text": reason["text"],
        "contribution": reason.get("contribution"),
        "evidence": None if evidence is None else str(evidence),
    }


def decision_id(declared: Mapping[str, Any], model_sha256: str, policy_id: str) -> str:
    """Return an identifier that is the same whenever the same version is decided by the same model and policy."""
    key = "\x1f".join((*(str(declared[name]) for name in VERSION_KEY), model_sha256, policy_id))
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def given_again(row: dict[str, Any], assessment: int) -> dict[str, Any]:
    """Return a decision as a further assessment of the same version, with an identifier of its own."""
    if assessment == 1:
        return row
    identifier = hashlib.sha256(f"{row['decision_id']}\x1f{assessment}".encode()).hexdigest()[:32]
    return {**row, "decision_id": identifier, "assessment": assessment}
