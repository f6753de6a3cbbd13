"""What the fields of a decision mean and which words they take, for reference pages and the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from service.orientation.lanes import Check, Lane, PostClearance, PreArrival, Track

MEANINGS: Mapping[str, str] = {
    "decision_id": "identifies this decision; `tamis replay` takes it",
    "message_id": "the message that carried the declaration",
    "consignment_id": "the consignment",
    "version": "the version of the declaration that was decided",
    "assessment": "1, 2, …: of this version; each is stricter than the one before",
    "lodged_at": "when the declaration reached customs",
    "decided_at": "when the decision was given",
    "office": "the office of destination",
    "risk": "calibrated probability that an inspection would find something, 0 to 1; empty where nothing scored it",
    "risk_low": "lower bound of the risk: nine times in ten the true share of findings among what scores alike lies "
    "between `risk_low` and `risk_high`, as the results so far say; empty where they are not known",
    "risk_high": "upper bound of the risk; the wider apart the two lie, the fewer results stand behind it",
    "risk_by_kind": "calibrated probability of a finding of each kind, 0 to 1; a finding may be of several, and none "
    "exceeds `risk`; empty where the model states none",
    "rank": "place among the consignments of its office that compete for the same checks: no order over offices",
    "of": "how many compete there",
    "pre_arrival": "recommendation before arrival",
    "clearance": "lane at clearance",
    "check": "what is done about it",
    "post_clearance": "recommendation after clearance",
    "track": "what should follow a finding",
    "selection": "what selected it for a check",
    "selection_probability": "the chance that it had of being selected, in (0, 1]; empty where there was none",
    "reasons": "ordered list of `code`, `text`, `contribution` (log-odds), `evidence`; see [reason codes](reasons.md)",
    "party_id": "the party that it is attributed to, where linking is on",
    "network_id": "the network of that party, where it has one",
    "data_problems": "list of `field` and `problem`; see [data problems](data-problems.md)",
    "mode": "`full`, `degraded` or `rules_only`",
    "degraded_reasons": "what the decision lacked: `history`, `model`, `lists`",
    "model_id": "the bundle that decided",
    "model_sha256": "hash of its model",
    "feature_fingerprint": "hash of what its features mean",
    "policy_id": "the policy that decided",
    "lists_as_of": "the moment of the last watch list that was applied; null where there was none",
    "history_as_of": "the latest fact that history held",
}
AS_READ: Mapping[str, str] = {  # `Standing.as_json`
    "standing_clearance": "the lane that counts now: that of the override in force, else `clearance`",
    "override": "null, or the override in force: `clearance`, `by`, `reason`, `at`, `new_information`",
}
EVENT: Mapping[str, str] = {  # `Event.as_json`
    "number": "place on the audit log",
    "at": "when it was written",
    "kind": "kind of record, such as `decision`, `override` or `result`",
    "subject": "which record",
    "title": "what happened, in words",
    "details": "what the record says, without what was erased since",
    "erased": "whether the record was erased",
    "entries": "how many entries of the log the act made",
}
LADDERS: Mapping[str, type[IntEnum]] = {
    "pre_arrival": PreArrival,
    "clearance": Lane,
    "check": Check,
    "post_clearance": PostClearance,
    "track": Track,
}
