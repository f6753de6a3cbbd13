"""What the bundle, the policy, the record and the settings say for the documents of those who answer for it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.intervals import wilson
from features.moments import micros
from features.outcome import LABELLED
from service.oversight.burden_report import latest
from service.oversight.looked_at import decided_between, results_on
from service.parties.linking_switch import LinkingSwitch
from service.record.days_on_record import decided_between as summed_up
from service.runtime.installed_version import installed_version
from service.scoring import Model
from service.serving.serving_bundle import Serving
from service.settings import Settings
from service.store.database import Store
from service.store.tables import CHAIN, DECISIONS, OVERRIDES

STRICTNESS = ("green", "blue", "yellow", "red")


@dataclass(frozen=True, slots=True)
class Changed:
    """How officers changed lanes: to a stricter one, to a milder one, and confirmed."""

    stricter: int
    milder: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an installation and of a period.

    refused: bundles that were promoted and do not serve, each with the reason. promoted: what the signed manifest says.
    lanes, modes, selections: of the decisions of the period. results: of what was lodged in it. drawn, drawn_hits: of
    the random sample. entries: on the audit log in the period, by kind. burden: the latest burden report, or none.
    """

    version: str
    made_on: date
    first: date
    last: date
    serving: str
    refused: Mapping[str, str]
    promoted: Mapping[str, Any]
    inputs: Sequence[tuple[str, str]]
    policy_id: str
    rules: Sequence[tuple[str, str, str]]
    random_rate: float
    lanes: Mapping[str, int]
    modes: Mapping[str, int]
    selections: Mapping[str, int]
    degraded: int
    changed: Changed
    results: Mapping[str, int]
    drawn: int
    drawn_hits: int
    kept_days: Mapping[str, int]
    linking: Mapping[str, Mapping[str, Any]]
    entries: Mapping[str, int]
    burden: Mapping[str, Any] | None
    controls: Sequence[Mapping[str, str]]

    @property
    def decisions(self) -> int:
        """How many consignments were decided on."""
        return sum(self.lanes.values())

    @property
    def by_chance(self) -> tuple[float, float]:
        """The 95 % interval of the share of offences by the random sample."""
        return wilson(self.drawn_hits, self.drawn)

    @property
    def gaps(self) -> list[tuple[str, str, str]]:
        """What the burden report names: origin, group and verdict."""
        tables = (self.burden or {}).get("tables", {})
        return [
            (origin, group["name"], group["verdict"])
            for origin, groups in tables.items()
            for group in groups
            if group["verdict"] != "none"
        ]


def facts_of(settings: Settings, store: Store, serving: Serving, first: date, last: date, today: date) -> Facts:
    """Gather the facts of what was lodged from `first` to `last`."""
    with store.reading() as connection:
        decided = summed_up(connection, first, last)
    stands = decided_between(store, first, last)
    results = results_on(store).join(decided, on="consignment_id", how="semi")
    judged = results.filter(pl.col("result").is_in(LABELLED)).unique("consignment_id", keep="last")
    drawn = judged.join(decided.filter(pl.col("selection") == "random"), on="consignment_id", how="semi")
    policy = serving.policy
    return Facts(
        version=installed_version(), made_on=today, first=first, last=last, serving=serving.name,
        refused=serving.refused,
        promoted=serving.model.facts, inputs=_inputs(serving.model), policy_id=policy.policy_id,
        rules=[(rule.code, rule.lane.name, rule.author) for rule in policy.rules], random_rate=policy.random_rate,
        lanes=_counted(stands, "lane"), modes=_counted(decided, "mode"), selections=_counted(decided, "selection"),
        degraded=int(decided["degraded"].sum()), changed=_changed(store, first, last),
        results=_counted(results.unique("consignment_id", keep="last"), "result"), drawn=drawn.height,
        drawn_hits=int((drawn["result"] == "non_compliant").sum()),
        kept_days={
            "found compliant": settings.keep_compliant_days, "with a finding": settings.keep_non_compliant_days,
            "never looked at": settings.keep_not_inspected_days,
        },
        linking={
            "senders": LinkingSwitch(settings.linking).authorisation(),
            "addressees": LinkingSwitch(settings.linking_addressees).authorisation(),
        },
        entries=_entries(store, first, last), burden=latest(settings.reports), controls=controls(),
    )  # fmt: skip


def controls() -> list[dict[str, str]]:
    """Return what of the product answers which provision, in the order of controls.toml."""
    written = tomllib.loads(files("service.oversight").joinpath("controls.toml").read_text(encoding="utf-8"))
    return [{"ai_act": "", "other": "", **control} for control in written["controls"]]


def _inputs(model: Model) -> list[tuple[str, str]]:
    return [] if model.trees is None else [(item.name, item.meaning) for item in model.inputs]


def _counted(frame: pl.DataFrame, column: str) -> dict[str, int]:
    counts = frame.group_by(column).len().sort(column)
    return {str(name): int(count) for name, count in counts.iter_rows() if name is not None}


def _moments(first: date, last: date) -> tuple[int, int]:
    begins, ends = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last))
    return micros(begins), micros(ends) + 86_400_000_000 - 1


def _changed(store: Store, first: date, last: date) -> Changed:
    lanes = sa.select(DECISIONS.c.clearance, OVERRIDES.c.clearance).join_from(
        OVERRIDES, DECISIONS, DECISIONS.c.decision_id == OVERRIDES.c.decision_id
    )
    within = OVERRIDES.c.at.between(*_moments(first, last)) & OVERRIDES.c.counts
    with store.reading() as connection:
        steps = [STRICTNESS.index(new) - STRICTNESS.index(old) for old, new in connection.execute(lanes.where(within))]
    return Changed(sum(step > 0 for step in steps), sum(step < 0 for step in steps), steps.count(0))


def _entries(store: Store, first: date, last: date) -> dict[str, int]:
    query = sa.select(CHAIN.c.kind, sa.func.count()).where(CHAIN.c.at.between(*_moments(first, last)))
    with store.reading() as connection:
        rows = connection.execute(query.group_by(CHAIN.c.kind).order_by(CHAIN.c.kind))
        return {str(kind): int(count) for kind, count in rows}
