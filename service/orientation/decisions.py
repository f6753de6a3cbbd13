"""The decision: its fields, one row a consignment version, and its form outside the program."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from features.consignment import TIME, VERSION_KEY, Consignments
from features.messages import Problems
from service.orientation.campaigns import HELD, LEADS
from service.orientation.following import TRACKED, told_of
from service.orientation.lanes import Check
from service.scoring import Scores
from service.scoring.explanation import Language, reasons_of

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


DECLARED = (*VERSION_KEY, "lodged_at", "office", "party_id", "network_id")
ORIENTED = (
    "risk",
    "rank",
    "of",
    "pre_arrival",
    "clearance",
    "check",
    "post_clearance",
    "track",
    "selection",
    "selection_probability",
)
RANDOM = {"en": "Drawn at random", "fr": "Tiré au sort", "zh": "随机抽取"}
EXPLORED = {
    "en": "Drawn to learn from: a young identity that nothing is known of yet",
    "fr": "Tiré pour apprendre : une identité récente dont on ne sait encore rien",
    "zh": "为学习而抽取：新出现、尚无记录的身份",
}
WITHDRAWN = {
    "en": "The declaration was withdrawn; nothing is expected under it",
    "fr": "La déclaration a été retirée ; rien n'est attendu à ce titre",
    "zh": "申报已撤回，预计不会有货物到达",
}
DROPPED = {
    "en": "Asked for a stricter lane; no capacity was left",
    "fr": "Un circuit plus strict était demandé ; la capacité était épuisée",
    "zh": "应进入更严格的通道，但查验能力已用尽",
}
KEPT = {
    "en": "Kept for riskier ones that are still to come today",
    "fr": "Réservé à des envois plus risqués encore attendus aujourd'hui",
    "zh": "为今日稍后可能到达的更高风险货物保留",
}
UNSCORED = {
    "en": "No model could be loaded: only rules and chance have chosen",
    "fr": "Aucun modèle n'a pu être chargé : seuls les règles et le hasard ont choisi",
    "zh": "无法加载模型，仅由规则和随机抽取决定",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every decision of one message bears: when, in what language, by which policy, on which history."""

    decided_at: datetime
    language: Language
    policy_id: str
    rule_texts: Mapping[str, Mapping[str, str]]
    history_as_of: datetime | None
    lists_as_of: datetime | None
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What the decisions of one call rest on beside their consignments and rows: enough to give them once more.

    opened, found, anew, settled: see Moment.
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
    opened: dict[str, int]
    found: tuple[str, ...]
    anew: bool
    settled: tuple[int, ...]

    def as_json(self, policy_sha256: str) -> dict[str, Any]:
        """As the store keeps it: the policy by its hash, times in ISO 8601."""
        told = {name: getattr(self, name) for name in ("competing", "language", "model_sha256", "spent")}
        times = {name: getattr(self, name) for name in ("decided_at", "history_as_of", "lists_as_of")}
        told |= {k: iso(v) if v else None for k, v in times.items()}
        told |= {"opened": self.opened, "anew": self.anew}
        told |= {"found": list(self.found), "settled": list(self.settled)}
        return {**told, "lost": list(self.lost), "policy_sha256": policy_sha256}


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions of one message, in the order of its consignments.

    rows: one mapping a consignment version, the fields of SCHEMA in that order, times as datetime.
    refused: quarantine rows of the message.
    declared: the consignments decided.
    basis: the circumstances that they were given in.
    taken: of each row, what it takes from which period of which office, and how much there is: TAKEN of the policy.
    before: of each row, whether it had been given before and is given again unchanged; empty until they are recorded.
    """

    rows: list[dict[str, Any]]
    refused: pl.DataFrame
    declared: Consignments | None = None
    before: tuple[bool, ...] = ()
    basis: Basis | None = None
    taken: pl.DataFrame | None = None

    @property
    def replayed(self) -> bool:
        """Whether every decision had been given before."""
        return bool(self.before) and all(self.before)

    def as_json(self) -> list[dict[str, Any]]:
        """The decisions as the API answers them."""
        return [written(row) for row in self.rows]

    def as_frame(self) -> pl.DataFrame:
        """The decisions as Parquet keeps them; reasons and problems as lists of structs."""
        return frame_of(self.rows)


def written(row: dict[str, Any]) -> dict[str, Any]:
    """One decision as JSON has it: times in ISO 8601, UTC."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


def iso(moment: datetime) -> str:
    """A moment in ISO 8601 with microseconds, UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


REASON = pl.List(pl.Struct({"code": pl.String, "text": pl.String, "contribution": pl.Float64, "evidence": pl.String}))
PROBLEM = pl.List(pl.Struct({"field": pl.String, "problem": pl.String}))


def frame_of(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Decisions as a frame of plain columns; evidence as text."""
    times = [name for name, kind in SCHEMA.items() if kind == TIME]
    plain = [
        {**row, "reasons": [_plain(reason) for reason in row["reasons"]], **{name: _read(row[name]) for name in times}}
        for row in rows
    ]
    return pl.DataFrame(plain, schema={**SCHEMA, "reasons": REASON, "data_problems": PROBLEM}, orient="row")


def _read(moment: datetime | str | None) -> datetime | None:
    """A moment, as it is when a decision is given or as the record writes it down."""
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _plain(reason: dict[str, Any]) -> dict[str, Any]:
    evidence = reason.get("evidence")
    return {
        "code": reason["code"],
        "text": reason["text"],
        "contribution": reason.get("contribution"),
        "evidence": None if evidence is None else str(evidence),
    }


def decision_id(declared: Mapping[str, Any], model_sha256: str, policy_id: str) -> str:
    """An identifier that is the same whenever the same version is decided by the same model and policy."""
    told = "\x1f".join((*(str(declared[name]) for name in VERSION_KEY), model_sha256, policy_id))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def given_again(row: dict[str, Any], assessment: int) -> dict[str, Any]:
    """A decision as another assessment of the same version, with an identifier of its own."""
    if assessment == 1:
        return row
    told = hashlib.sha256(f"{row['decision_id']}\x1f{assessment}".encode()).hexdigest()[:32]
    return {**row, "decision_id": told, "assessment": assessment}


def decide(
    consignments: Consignments, oriented: pl.DataFrame, scores: Scores, problems: Problems, stamp: Stamp
) -> Decisions:
    """Put orientations, scores, problems and reasons together; what is not green is explained exactly."""
    looked_at = np.flatnonzero((oriented["clearance"] != "green").to_numpy())
    explained = dict(zip(looked_at.tolist(), reasons_of(scores, looked_at, stamp.language), strict=True))
    found = _by_row(problems.found)
    model = scores.model
    common: dict[str, Any] = {
        "mode": "rules_only" if model.trees is None else "degraded" if stamp.lost else "full",
        "degraded_reasons": list(stamp.lost),
        "model_id": model.model_id,
        "model_sha256": model.sha256,
        "feature_fingerprint": model.fingerprint,
        "policy_id": stamp.policy_id,
        "lists_as_of": stamp.lists_as_of,
        "history_as_of": stamp.history_as_of,
    }
    declared = consignments.frame.select(DECLARED).to_dicts()
    rows = [
        {
            "decision_id": decision_id(c, model.sha256, stamp.policy_id),
            **c,
            "assessment": 1,
            "decided_at": stamp.decided_at,
            **{name: o[name] for name in ORIENTED},
            "reasons": why(o, stamp) + explained.get(i, []) + what_follows(o, stamp),
            "data_problems": found.get(i, []),
            **common,
        }
        for i, (c, o) in enumerate(zip(declared, oriented.to_dicts(), strict=True))
    ]
    return Decisions([{name: row[name] for name in SCHEMA} for row in rows], problems.refused, consignments)


def why(oriented: dict[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    """What chance and rules say of a consignment, and whether capacity refused what they or its rank asked for."""
    reasons: list[dict[str, Any]] = [
        {"code": f"rule.{code}", "text": stamp.rule_texts[code].get(stamp.language) or stamp.rule_texts[code]["en"]}
        for code in oriented["rule_codes"]
    ]
    if oriented["withdrawn"]:
        return [{"code": "withdrawn", "text": WITHDRAWN[stamp.language]}]
    if oriented["risk"] is None:
        reasons.append({"code": "unscored", "text": UNSCORED[stamp.language]})
    if oriented["selection"] == "random":
        reasons.append({"code": "random", "text": RANDOM[stamp.language]})
    if oriented["selection"] == "exploration":
        reasons.append({"code": "exploration", "text": EXPLORED[stamp.language]})
    if oriented["held"]:
        reasons.append({"code": "campaign", "text": HELD[stamp.language]})
    if oriented["selection"] == "campaign":
        reasons.append({"code": "campaign", "text": LEADS[stamp.language]})
    if oriented["dropped"]:
        code, text = ("pacing", KEPT) if oriented["kept"] else ("capacity", DROPPED)
        wanted = Check(oriented["wanted"]).lane
        reasons.append({"code": code, "text": text[stamp.language], "evidence": wanted.name})
    return reasons


def what_follows(oriented: dict[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    """Why the track is what it is, where no rule has named it."""
    if oriented["track"] == "none" or oriented["rule_track"]:
        return []
    text, evidence = TRACKED[oriented["track"]], told_of(oriented)
    return [{"code": f"track.{oriented['track']}", "text": text[stamp.language], "evidence": evidence}]


def _by_row(found: pl.DataFrame) -> dict[int, list[dict[str, str]]]:
    problems: dict[int, list[dict[str, str]]] = {}
    for row, field, problem in found.iter_rows():
        problems.setdefault(row, []).append({"field": field, "problem": problem})
    return problems
