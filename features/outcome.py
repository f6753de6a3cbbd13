"""The schema of inspection results: what was found, when it became known, and how it came to be inspected."""

from __future__ import annotations

from features.consignment import Column

STAGES = ("pre_arrival", "clearance", "post_clearance")
RESULTS = ("compliant", "non_compliant", "not_presented", "inconclusive")
FINDINGS = ("counterfeit", "undervalued", "misdeclared", "prohibited", "dangerous")
SELECTIONS = ("risk", "rule", "random", "exploration", "campaign", "unknown")
LABELLED = ("compliant", "non_compliant")  # the other results say nothing about the goods

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
