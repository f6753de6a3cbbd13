"""The schema of control results: findings, the moment they became known, and the kind of selection."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from features.consignment import Column
from features.finding_kinds import COUNTED

STAGES = ("pre_arrival", "clearance", "post_clearance")
RESULTS = ("compliant", "non_compliant", "not_presented", "inconclusive")
FINDINGS = COUNTED
SELECTIONS = ("risk", "rule", "random", "exploration", "campaign", "unknown")
LABELLED = ("compliant", "non_compliant")  # the other results carry no information on the goods

OUTCOME_COLUMNS: tuple[Column, ...] = (
    Column("consignment_id", "the consignment that was inspected", required=True, longest=100),
    Column("known_at", "when the result became known, never the arrival time", kind="time", required=True),
    Column("stage", "when in the clearance it was inspected", choices=STAGES),
    Column("result", "what the inspection said", required=True, choices=RESULTS),
    Column("findings", "what was wrong, ;-separated"),
    Column("criminal_link", "whether a network stands behind it", longest=10, choices=("true", "false")),
    Column("items_found", "pieces found", kind="number"),
    Column("value_found", "value found, in currency", kind="number"),
    Column("currency", "ISO 4217 code of the value found", longest=10),
    Column("right_holder", "who confirmed or denied"),
    Column("selection", "why it was inspected", choices=SELECTIONS),
    Column("selection_probability", "chance with which it was selected, in (0, 1]", kind="number"),
    Column("officer", "pseudonymous id", longest=100),
)
# after an erasure: what hit rates and the estimates from random controls are made of
KEPT_FOR_STATISTICS = ("consignment_id", "known_at", "stage", "result", "selection", "selection_probability")
NAMING_PERSONS = ("right_holder", "officer")

NAMED = pl.col("findings").str.split(";").list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls())
FOUND = NAMED.list.len().fill_null(0) > 0


def contradictions(kinds: Sequence[str]) -> tuple[tuple[str, str, str, pl.Expr], ...]:
    """Return what a result may not say, where findings are of these kinds: field, reason, remedy, where it holds."""
    compliant, found = pl.col("result") == "compliant", pl.col("result") == "non_compliant"
    unknown = NAMED.list.eval(~pl.element().is_in(list(kinds))).list.any()
    beside = "take the findings out, or state the result non_compliant"
    return (
        ("findings", "unknown word", f"one or more of {', '.join(kinds)}, separated by ;", unknown),
        ("findings", "findings beside the result compliant", beside, compliant & FOUND),
        ("findings", "missing beside the result non_compliant", f"at least one of {', '.join(kinds)}", found & ~FOUND),
    )
