"""Which lane stands after an officer's word: the one rule that all who show, count or reassess decisions ask.

An override is said of one assessment of one version of a consignment, and it belongs to the version:

- The last override of a version is in force until another follows it. Its lane stands.
- A reassessment never drops it: the officer's word counts for every later assessment of the version. Where a later
  assessment asks for a stricter lane than the officer chose, his lane still stands, and `new_information` says that he
  should look again.
- An amendment is a new version with a decision of its own: an override of an earlier version does not carry over.

Queue, API, console, dossier and reassessment read `standing` or `with_standing`; queries that choose among many
decisions (queues, marks for reassessment, the checks of campaigns) use `standing_lane`, the same rule in SQL. The
decision itself stays on record as the machine gave it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.moments import EPOCH, iso
from service.orientation.lanes import Check, Lane, check_of
from service.store.database import Store
from service.store.queries import in_lists
from service.store.tables import DECISIONS, OVERRIDES

Row = Mapping[str, Any]
SAID_OF = DECISIONS.alias("said_of")  # the assessment that an override was said of
OPENED = (Check.scan.name, Check.physical.name)


@dataclass(frozen=True, slots=True)
class Standing:
    """The lane that stands for a decision, and the override in force (OVERRIDES and what it was said of) or none.

    new_information: a later assessment asks for a stricter lane than the override in force.
    """

    clearance: str
    override: Row | None = None
    new_information: bool = False

    def as_json(self) -> dict[str, Any]:
        """Write it as the API has it: `standing_clearance` and `override`."""
        if self.override is None:
            return {"standing_clearance": self.clearance, "override": None}
        at = iso(EPOCH + timedelta(microseconds=self.override["at"]))
        stated = {name: self.override[name] for name in ("clearance", "by", "reason")}
        override = {**stated, "at": at, "new_information": self.new_information}
        return {"standing_clearance": self.clearance, "override": override}


def standing(decision: Row, overrides: Sequence[Row]) -> Standing:
    """Say which lane stands for a decision (its written form), among overrides of its consignment."""
    of_version = [one for one in overrides if version_of(one) == version_of(decision)]
    if not of_version:
        return Standing(decision["clearance"])
    last = max(of_version, key=lambda override: int(override["override_id"]))
    later = decision["assessment"] > last["said_of_assessment"]
    stricter = Lane[decision["clearance"]] > Lane[last["clearance"]]
    return Standing(last["clearance"], last, later and stricter)


def version_of(row: Row) -> tuple[Any, ...]:
    """Name the version that a decision or an override belongs to."""
    return tuple(row[name] for name in VERSION_KEY)


def check_of_override(override: Row) -> Check:
    """Say which check an override asks for: where it confirms the lane, the one that was decided with that lane."""
    confirmed = override["clearance"] == override["said_of_clearance"]
    return Check[override["said_of_check"]] if confirmed else check_of(Lane[override["clearance"]])


def overrides_on(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, list[Row]]:
    """Look up the overrides of consignments, in order, with the assessment that each was said of."""
    said_of = (
        SAID_OF.c.message_id,
        SAID_OF.c.version,
        SAID_OF.c.assessment.label("said_of_assessment"),
        SAID_OF.c.clearance.label("said_of_clearance"),
        SAID_OF.c.checked.label("said_of_check"),
    )
    joined = OVERRIDES.join(SAID_OF, SAID_OF.c.decision_id == OVERRIDES.c.decision_id)
    found: dict[str, list[Row]] = {}
    for batch in in_lists(sorted(set(consignment_ids))):
        query = sa.select(OVERRIDES, *said_of).select_from(joined).where(OVERRIDES.c.consignment_id.in_(batch))
        for row in connection.execute(query.order_by(OVERRIDES.c.override_id)).mappings():
            found.setdefault(row["consignment_id"], []).append(dict(row))
    return found


def standing_of(connection: sa.Connection, decisions: Sequence[Row]) -> list[Standing]:
    """Say of each of some decisions, in their written form, which lane stands."""
    overrides = overrides_on(connection, [decision["consignment_id"] for decision in decisions])
    return [standing(decision, overrides.get(decision["consignment_id"], ())) for decision in decisions]


def with_standing(store: Store, decisions: Sequence[Row]) -> list[dict[str, Any]]:
    """Add `standing_clearance` and `override` to decisions in their written form."""
    with store.reading() as connection:
        pairs = zip(decisions, standing_of(connection, decisions), strict=True)
        return [{**decision, **stands.as_json()} for decision, stands in pairs]


def override_in_force() -> sa.ScalarSelect[Any]:
    """Select the lane of the override that is in force for a row of DECISIONS; null where there is none."""
    joined = OVERRIDES.join(SAID_OF, SAID_OF.c.decision_id == OVERRIDES.c.decision_id)
    same = [SAID_OF.c[name] == DECISIONS.c[name] for name in VERSION_KEY]
    last = (
        sa.select(OVERRIDES.c.clearance)
        .select_from(joined)
        .where(OVERRIDES.c.consignment_id == DECISIONS.c.consignment_id, *same)
        .order_by(OVERRIDES.c.override_id.desc())
        .limit(1)
    )
    return last.correlate(DECISIONS).scalar_subquery()


def standing_lane() -> sa.ColumnElement[str]:
    """Select the lane that stands for a row of DECISIONS: `standing` in SQL."""
    return sa.func.coalesce(override_in_force(), DECISIONS.c.clearance)


def is_opened() -> sa.ColumnElement[bool]:
    """Say in SQL whether a row of DECISIONS is opened or imaged, as it stands: in the red lane."""
    checked = DECISIONS.c.checked.in_(OPENED)
    lane = override_in_force()
    return sa.or_(lane == Lane.red.name, sa.and_(lane.is_(None), checked))
