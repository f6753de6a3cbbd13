"""A decision given once more, from the bundle, the row, the policy and the circumstances of its day, and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.assemble import Rows
from features.catalogue import INPUTS
from features.consignment import COLUMNS, VERSION_KEY, Consignments, fold
from features.contract import gate_manifest
from features.fault import Fault
from features.messages import Problems
from features.messages.quality import PROBLEM
from service.orientation import DecisionContext, load_policy
from service.orientation.decisions import given_again, written
from service.orientation.periods import Spent
from service.record.declared_rows import text_frame
from service.scoring import BundleRefused, Model, load_bundle
from service.scoring.bundle import MANIFEST, RULES_ONLY, unscored
from service.store.database import Store
from service.store.queries import in_lists
from service.store.record_files import DECISION
from service.store.settled_rows import decided_by, decided_of, declared_of
from service.store.tables import CALLS, DECISIONS, DECLARATIONS, POLICIES

Row = Mapping[str, Any]
LOADED_AT_MOST = 4  # bundles that stand in memory beside the one that serves
TALLY_KEY = ("office", "hour", "band", "checked")


class NotReplayable(Fault):
    """What a replay needs is not there; the message names it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision given again. differences: field, on record, given now; empty where the two are alike byte for byte."""

    decision_id: str
    differences: list[tuple[str, Any, Any]]

    @property
    def identical(self) -> bool:
        return not self.differences


@dataclass(slots=True)
class Bundles:
    """The bundles of an installation by the hash of their trees, each loaded once.

    serving: a model that is loaded already, where one serves. refused: those that cannot be loaded, each tried once.
    """

    folder: Path
    keys: Path
    loaded: dict[str, Model] = field(default_factory=dict)
    serving: Model | None = None
    refused: dict[str, str] = field(default_factory=dict)

    def model(self, sha256: str) -> Model:
        """Return the model with these trees; raises NotReplayable where it is not there or may not be loaded."""
        if sha256 == RULES_ONLY:
            return unscored(INPUTS)
        if self.serving is not None and self.serving.sha256 == sha256:
            return self.serving
        if sha256 in self.refused:
            raise NotReplayable(self.refused[sha256])
        model = self.loaded.get(sha256)
        if model is None:
            try:
                model = self._load(sha256)
            except NotReplayable as lacking:
                self.refused[sha256] = str(lacking)
                raise
            while len(self.loaded) >= LOADED_AT_MOST:
                self.loaded.pop(next(iter(self.loaded)), None)
            self.loaded[sha256] = model
        return model

    def _load(self, sha256: str) -> Model:
        for manifest in sorted(self.folder.glob(f"*/{MANIFEST}")):
            try:
                files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if files.get("model.txt") == sha256:
                try:
                    return load_bundle(manifest.parent, self.keys, decides=False)[0]
                except BundleRefused as refused:
                    fault = str(refused).replace(str(manifest.parent), manifest.parent.name)
                    raise NotReplayable(f"the bundle that decided cannot be loaded: {fault}") from refused
        raise NotReplayable(f"the bundle that decided (model {sha256[:12]}…) is not in {self.folder.name}/")


def replay(store: Store, bundles: Bundles, decision_id: str) -> Replayed:
    """Give one decision again; raises NotReplayable, naming what is lacking."""
    with store.reading() as connection:
        call_id = connection.execute(
            sa.select(DECISIONS.c.call_id).where(DECISIONS.c.decision_id == decision_id)
        ).scalar()
        if call_id is None:
            call_id = next(
                (row["call_id"] for row in decided_of(connection, ["call_id"], [decision_id], DECISION)), None
            )
    if call_id is None:
        raise NotReplayable("no such decision is on record")
    return next(one for one in replay_call(store, bundles, call_id) if one.decision_id == decision_id)


def replay_call(store: Store, bundles: Bundles, call_id: str) -> list[Replayed]:
    """Give all decisions of one call again: they competed with one another, so they are only given together."""
    with store.reading() as connection:
        call = Call(connection, call_id)
    model = _model(call, bundles)
    consignments = consignments_of(call)
    scores = model.score(rows_as_scored(call.rows, model))
    given = load_policy(call.policy_text).orient(consignments, scores, problems_of(call), _moment(call.basis))
    return [
        Replayed(body["decision_id"], _differences(body, written(given_again(row, body["assessment"]))))
        for body, row, new in zip(call.bodies, given.rows, call.is_new, strict=True)
        if new
    ]


def _model(call: Call, bundles: Bundles) -> Model:
    """The model that decided a call; where rules alone did, with the inputs and the fingerprint of their day."""
    model = bundles.model(call.basis["model_sha256"])
    if model.trees is not None:
        return model
    given = next(body for body, new in zip(call.bodies, call.is_new, strict=True) if new)
    of_its_day = tuple(item for item in model.inputs if item.name in call.rows[0])
    return replace(unscored(of_its_day), fingerprint=given["feature_fingerprint"])


class Call:
    """What the store holds of a call, in the order of its consignments.

    bodies: decisions; is_new: whether this call gave them; rows: as scored in this call; declared: declarations;
    counted: where each counts in the tallies.
    """

    def __init__(self, connection: sa.Connection, call_id: str) -> None:
        basis = connection.execute(sa.select(CALLS.c.basis).where(CALLS.c.call_id == call_id)).scalar_one()
        self.call_id, self.basis = call_id, dict[str, Any](basis)
        names = ("place", "body", "row_as_scored", "salt", *VERSION_KEY, *TALLY_KEY)
        columns = [DECISIONS.c[name] for name in names]
        of_call = [
            dict(row)
            for row in connection.execute(sa.select(*columns).where(DECISIONS.c.call_id == call_id)).mappings()
        ]
        of_call += decided_by(connection, names, call_id)
        placed: dict[int, tuple[Row, bool, Any]] = {
            row["place"]: (dict(row), True, row["row_as_scored"]) for row in of_call
        }
        before = {one["decision_id"]: one for one in basis["decided_before"]}
        for batch in in_lists(list(before)):
            query = sa.select(DECISIONS.c.decision_id, *columns[1:]).where(DECISIONS.c.decision_id.in_(batch))
            found = [dict(row) for row in connection.execute(query).mappings()]
            for row in found + decided_of(connection, ("decision_id", *names[1:]), batch, DECISION):
                one = before[row["decision_id"]]
                placed[one["place"]] = (row, False, one["row"])
        ordered = [placed[place] for place in sorted(placed)]
        if any(row["salt"] is None for row, _, _ in ordered):
            raise NotReplayable("the content of a decision of its call was erased")
        self.bodies: list[dict[str, Any]] = [row["body"] for row, _, _ in ordered]
        self.is_new = [new for _, new, _ in ordered]
        self.counted = [{name: row[name] for name in TALLY_KEY} for row, _, _ in ordered]
        self.rows: list[dict[str, Any]] = [scored for _, _, scored in ordered]
        keys = [tuple(row[name] for name in VERSION_KEY) for row, _, _ in ordered]
        self.declared, self.content_sha256 = _declared(connection, keys)
        sha256 = basis["policy_sha256"]
        self.policy_text: str = connection.execute(
            sa.select(POLICIES.c.text).where(POLICIES.c.sha256 == sha256)
        ).scalar_one()


def _declared(connection: sa.Connection, keys: Sequence[tuple[Any, ...]]) -> tuple[list[dict[str, Any]], list[str]]:
    """What was declared, and the hash of each; raises NotReplayable where one is not there."""
    found: dict[tuple[Any, ...], tuple[dict[str, Any], str]] = {}
    columns = [*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.body, DECLARATIONS.c.content_sha256]
    for batch in in_lists(sorted({key[1] for key in keys})):
        for row in connection.execute(sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(batch))):
            if row[3] is not None:
                found[tuple(row[:3])] = row[3], row[4]
    missing = sorted({key[1] for key in keys if key not in found})
    for settled in declared_of(connection, (*VERSION_KEY, "body", "content_sha256"), missing):
        found[tuple(settled[name] for name in VERSION_KEY)] = settled["body"], settled["content_sha256"]
    if any(key not in found for key in keys):
        raise NotReplayable("a declaration of its call is not in the store")
    return [found[key][0] for key in keys], [found[key][1] for key in keys]


def problems_of(call: Call) -> Problems:
    """What was found wrong with the declarations of a call, as its decisions say."""
    found = [
        (place, problem["field"], problem["problem"])
        for place, body in enumerate(call.bodies)
        for problem in body["data_problems"]
    ]
    return Problems(pl.DataFrame(), pl.DataFrame(found, schema=PROBLEM, orient="row"))


def consignments_of(call: Call) -> Consignments:
    """The consignments as they were declared, and whom they were attributed to."""
    flat = [
        {**{k: v for k, v in body.items() if k != "goods"}, **line, "line": number}
        for number, (body, line) in enumerate((body, line) for body in call.declared for line in body["goods"])
    ]
    gated = gate_manifest(text_frame(flat, [column.name for column in COLUMNS]), "", recorded=True)
    consignments = fold(gated.accepted)
    linked = [pl.Series(name, [body[name] for body in call.bodies], pl.String) for name in ("party_id", "network_id")]
    return consignments.with_columns(*linked)


def rows_as_scored(scored: Sequence[Row], model: Model) -> Rows:
    """Make model rows of those on record; raises NotReplayable where they lack an input of the model."""
    schema = {item.name: pl.String() if item.kind == "category" else pl.Float64() for item in model.inputs}
    lacking = [name for name in schema if scored and name not in scored[0]]
    if lacking:
        raise NotReplayable(f"the rows as scored lack {lacking[0]}, which the bundle asks for")
    frame = pl.DataFrame([{name: row[name] for name in schema} for row in scored], schema=schema, orient="row")
    return Rows.of_frame(frame.with_row_index("row"))


def _moment(basis: Row) -> DecisionContext:
    spent = [Spent.read(row) for row in basis["spent"]]
    times = {
        name: _moment_of(basis[name]) if basis[name] else None
        for name in ("decided_at", "history_as_of", "lists_as_of")
    }
    return DecisionContext(
        decided_at=times["decided_at"],  # type: ignore[arg-type]
        competing=basis["competing"],
        spent=spent,
        history_as_of=times["history_as_of"],
        language=basis["language"],
        lists_as_of=times["lists_as_of"],
        lost=tuple(basis["lost"]),
        opened=basis["opened"],
        found=tuple(basis["found"]),
        anew=basis["anew"],
        settled=tuple(basis["settled"]),
        edition=basis.get("edition", 1),
        matches={int(place): tuple(matches) for place, matches in basis.get("matches", {}).items()},
    )


def _moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _differences(recorded: Row, given: Row) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys([*recorded, *given])
    return [
        (name, recorded.get(name), given.get(name))
        for name in names
        if json.dumps(recorded.get(name), sort_keys=True) != json.dumps(given.get(name), sort_keys=True)
    ]
