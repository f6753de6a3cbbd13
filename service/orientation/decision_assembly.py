"""Assembly of orientations, scores, problems and reasons: one decision per consignment version, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
import orjson
import polars as pl

from features.algebra.tables import Table
from features.consignment import VERSION_KEY, Consignments
from features.messages import Problems
from service.orientation.campaigns import HELD, LEADS
from service.orientation.decisions import DECISIONS_PER_PART, FLAT, SCHEMA, WRITTEN, Made, Row, decision_id, plainly
from service.orientation.given_lanes import Lanes
from service.orientation.goods_reasons import goods_reasons
from service.orientation.lanes import GREEN, Check
from service.orientation.list_reasons import list_reasons
from service.orientation.reserved import RESERVED
from service.orientation.track_assignment import track_evidence, track_text
from service.scoring import Scores
from service.scoring.explanation import Language, reasons_of

REPEATED_COLUMNS = (*VERSION_KEY, "lodged_at", "office", "party_id", "network_id")
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
NOT_YET = {
    "en": "No model decides yet: rules, lists and chance have chosen, and no risk is stated",
    "fr": "Aucun modèle ne décide encore : règles, listes et hasard ont choisi, et aucun risque n'est énoncé",
    "zh": "尚无模型参与决定：由规则、名单和随机抽取选择，未给出风险值",
}
ODDEST = {
    "en": "Drawn by what is odd about it, while no model decides",
    "fr": "Tiré d'après ce qui est inhabituel en lui, tant qu'aucun modèle ne décide",
    "zh": "尚无模型参与决定，按其异常之处抽取",
}
BY_CHANCE = {
    "en": "Drawn by chance, while no model decides",
    "fr": "Tiré au sort, tant qu'aucun modèle ne décide",
    "zh": "尚无模型参与决定，随机抽取",
}
UNSCORED = {
    "en": "No model could be loaded: only rules and chance have chosen",
    "fr": "Aucun modèle n'a pu être chargé : seuls les règles et le hasard ont choisi",
    "zh": "无法加载模型，仅由规则和随机抽取决定",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all decisions of one message have in common: time, language, policy and state of the history.

    by_choice: whether a person let rules decide without a model.
    """

    decided_at: datetime
    language: Language
    policy_id: str
    rule_texts: Mapping[str, Mapping[str, str]]
    history_as_of: datetime | None
    lists_as_of: datetime | None
    lost: tuple[str, ...]
    indicator_texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_choice: bool = False
    matches: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def assemble_decisions(
    consignments: Consignments, lanes: Lanes, scores: Scores, problems: Problems, stamp: Stamp
) -> Sequence[Row]:
    """Assemble decisions from orientations, scores, problems and reasons; all but green ones are explained exactly."""
    looked_at = np.flatnonzero(lanes.given.lane > GREEN)
    reasons = reasons_of(scores, looked_at, stamp.language) if len(looked_at) else []
    explained = dict(zip(looked_at.tolist(), reasons, strict=True))
    for row, of_words in goods_reasons(scores, looked_at, stamp.language).items():
        explained[row] = [of_words, *explained[row]]
    model = scores.model
    common: Row = {
        "assessment": 1,
        "decided_at": stamp.decided_at,
        "mode": "rules_only" if model.trees is None else "degraded" if stamp.lost else "full",
        "degraded_reasons": list(stamp.lost),
        "model_id": model.model_id,
        "model_sha256": model.sha256,
        "feature_fingerprint": model.fingerprint,
        "policy_id": stamp.policy_id,
        "lists_as_of": stamp.lists_as_of,
        "history_as_of": stamp.history_as_of,
    }
    declared = consignments.declared.select(REPEATED_COLUMNS)
    given = Assembled(declared, lanes, explained, _by_row(problems.odd), common, stamp)
    return list(given) if len(given) <= DECISIONS_PER_PART else given


class Assembled(Made):
    """Decisions of one message, assembled on demand."""

    def __init__(
        self,
        declared: Table,
        lanes: Lanes,
        explained: Mapping[int, list[Row]],
        problems: Mapping[int, list[dict[str, str]]],
        common: Mapping[str, Any],
        stamp: Stamp,
    ) -> None:
        self._declared, self._lanes = declared, lanes
        self._explained, self._problems = explained, problems
        self._common, self._stamp = common, stamp

    def __len__(self) -> int:
        return len(self._declared)

    def part(self, start: int, count: int) -> list[Row]:
        """Return at most `count` decisions from a place on."""
        pairs = zip(self._declared.rows(start, count), self._lanes.rows(start, count), strict=True)
        return [self._row(place, declared, oriented) for place, (declared, oriented) in enumerate(pairs, start)]

    def frame(self) -> pl.DataFrame:
        """Return the same as `frame_of`, built column by column."""
        ids = [self._id(key) for key in self._declared.select(VERSION_KEY).rows(0, len(self))]
        parts = (self._lanes.rows(start, DECISIONS_PER_PART) for start in range(0, len(self), DECISIONS_PER_PART))
        wording = enumerate(chain.from_iterable(parts))
        reasons = ((place, reason) for place, oriented in wording for reason in self._reasons(place, oriented))
        problems = ((place, problem) for place in sorted(self._problems) for problem in self._problems[place])
        common = [pl.lit(value, FLAT[name]).alias(name) for name, value in self._common.items()]
        per_row = [
            pl.Series("decision_id", ids, pl.String),
            _listed("reasons", len(self), ((place, plainly(reason)) for place, reason in reasons)),
            _listed("data_problems", len(self), problems),
        ]
        whole = self._declared.frame.hstack(self._lanes.frame()).hstack(per_row).with_columns(common)
        return whole.select(pl.col(name).cast(kind) for name, kind in FLAT.items())

    def texts(self, start: int, end: int) -> pl.DataFrame:
        """Return the same as `texts_of`, built column by column; reasons are made where there may be any."""
        declared = self._declared.part(start, end)
        ids = [self._id(key) for key in declared.select(VERSION_KEY).rows(0, len(declared))]
        reasons, problems = ["[]"] * len(ids), ["[]"] * len(ids)
        for place in self._reasoned(start, end):
            oriented = self._lanes.rows(place, 1)[0]
            reasons[place - start] = _text(self._reasons(place, oriented))
        for place in self._problems.keys() & set(range(start, end)):
            problems[place - start] = _text(self._problems[place])
        listed = {"decision_id": ids, "reasons": reasons, "data_problems": problems}
        shared = {name: _text(value) if isinstance(value, list) else value for name, value in self._common.items()}
        common = [pl.lit(value, WRITTEN[name]).alias(name) for name, value in shared.items()]
        lanes = self._lanes.frame(start, end).with_columns(self._lanes.texts_by_kind(start, end))
        whole = declared.frame.hstack(lanes).hstack(pl.DataFrame(listed, dict.fromkeys(listed, pl.String)))
        return whole.with_columns(common).select(pl.col(name).cast(kind) for name, kind in WRITTEN.items())

    def _reasoned(self, start: int, end: int) -> list[int]:
        """Return the places, from one to before another, of which there may be reasons."""
        selected = (np.flatnonzero(self._lanes.explained()[start:end]) + start).tolist()
        return [*selected, *((self._explained.keys() | self._stamp.matches.keys()) & set(range(start, end)))]

    def _row(self, place: int, declared: Row, oriented: Row) -> Row:
        whole = {
            **declared,
            **oriented,
            **self._common,
            "decision_id": self._id(declared),
            "reasons": self._reasons(place, oriented),
            "data_problems": self._problems.get(place, []),
        }
        return {name: whole[name] for name in SCHEMA}

    def _id(self, declared: Mapping[str, Any]) -> str:
        return decision_id(declared, self._common["model_sha256"], self._stamp.policy_id)

    def _reasons(self, place: int, oriented: Row) -> list[Row]:
        return (
            selection_reasons(oriented, self._stamp)
            + list_reasons(self._stamp.matches.get(place, ()), self._stamp.language)
            + self._explained.get(place, [])
            + track_reasons(oriented, self._stamp)
        )


def selection_reasons(oriented: dict[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    """Return the reasons of chance, rules and indicators, and whether capacity refused what they or its rank asked for.

    Indicators are named where something is to be looked at, as the model's reasons are.
    """
    reasons: list[dict[str, Any]] = [
        {"code": f"rule.{code}", "text": stamp.rule_texts[code].get(stamp.language) or stamp.rule_texts[code]["en"]}
        for code in oriented["rule_codes"]
    ]
    if oriented["withdrawn"]:
        return [{"code": "withdrawn", "text": WITHDRAWN[stamp.language]}]
    if oriented["clearance"] != "green":
        for code in oriented["indicators"]:
            texts = stamp.indicator_texts[code]
            reasons.append({"code": f"indicator.{code}", "text": texts.get(stamp.language) or texts["en"]})
    if oriented["risk"] is None:
        reasons.append({"code": "unscored", "text": (NOT_YET if stamp.by_choice else UNSCORED)[stamp.language]})
    if oriented["selection"] == "random":
        reasons.append({"code": "random", "text": RANDOM[stamp.language]})
    if oriented["selection"] == "exploration":
        by_weight = ODDEST if oriented["indicators"] else BY_CHANCE
        drawn = by_weight if oriented["risk"] is None and stamp.indicator_texts else EXPLORED
        reasons.append({"code": "exploration", "text": drawn[stamp.language]})
    if oriented["reserved"] and oriented["selection"] == "risk":
        reasons.append({"code": "reserved", "text": RESERVED[stamp.language], "evidence": oriented["reserved"]})
    if oriented["held"]:
        reasons.append({"code": "campaign", "text": HELD[stamp.language]})
    if oriented["selection"] == "campaign":
        reasons.append({"code": "campaign", "text": LEADS[stamp.language]})
    if oriented["dropped"]:
        code, text = ("pacing", KEPT) if oriented["kept"] else ("capacity", DROPPED)
        wanted = Check(oriented["wanted"]).lane
        reasons.append({"code": code, "text": text[stamp.language], "evidence": wanted.name})
    return reasons


def track_reasons(oriented: dict[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    """Return the reason for the track, where no rule has named it."""
    if oriented["track"] == "none" or oriented["rule_track"]:
        return []
    text, evidence = track_text(oriented), track_evidence(oriented)
    return [{"code": f"track.{oriented['track']}", "text": text[stamp.language], "evidence": evidence}]


def _text(listed: Sequence[Any]) -> str:
    return orjson.dumps(listed).decode()


def _listed(name: str, rows: int, items: Iterable[tuple[int, Row]]) -> pl.Series:
    """Build a column of lists of FLAT's kind from pairs of place and item, in that order; most are empty."""
    lists = FLAT[name]
    item = lists.inner  # type: ignore[attr-defined]
    columns = {field.name: field.dtype for field in item.fields}
    flat = pl.DataFrame([{"row": place, **fields} for place, fields in items], schema={"row": pl.Int64, **columns})
    of_row = flat.select("row", pl.struct(*columns).alias(name)).group_by("row", maintain_order=True).agg(name)
    every = pl.DataFrame({"row": pl.int_range(rows, dtype=pl.Int64, eager=True)})
    return (
        every.join(of_row, on="row", how="left", maintain_order="left")[name].fill_null(pl.lit([], lists)).cast(lists)
    )


def _by_row(odd: Table) -> dict[int, list[dict[str, str]]]:
    problems: dict[int, list[dict[str, str]]] = {}
    for row, named, problem in zip(*(odd.values(name) for name in ("row", "field", "problem")), strict=True):
        problems.setdefault(row, []).append({"field": named, "problem": problem})
    return problems
