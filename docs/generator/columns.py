"""The pages of files that go in and decisions that come out, from their schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from docs.generator.markdown import code, page, section, table
from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS, Column
from features.outcome import FINDINGS, OUTCOME_COLUMNS, SELECTIONS
from service.orientation.decisions import FLAT
from service.orientation.lanes import Check, Lane, PostClearance, PreArrival, Track

KINDS = {"text": "text", "number": "number", "whole": "whole number", "time": "time"}
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
    "rank": "place among the consignments that compete for the same capacity",
    "of": "how many compete",
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
OVERRIDDEN = """
`GET /v1/consignments/{consignment_id}` and the dossier add two fields, which change after the decision was
given. An override belongs to a version: it stays in force through reassessments of that version, and an amended
declaration is decided without it. `new_information` is true where a later assessment asks for a stricter lane than
the officer chose. Whoever may not see everything about a consignment gets no `by` and no `reason`.
"""
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


def manifest_page() -> str:
    """Return the page of columns of the flat manifest."""
    what = """
CSV or Parquet in UTF-8 with a header row; one row a goods line. Rows with the same `message_id`, `consignment_id`
and `version` are one version of one consignment, and its columns repeat. Empty means unknown. Times are ISO 8601
with a zone. Columns that are not listed are kept; a [mapping](../how-to/messages.md) renames, converts and defaults
them.
"""
    return page(
        "Columns of a manifest", what,
        section("Consignment", _columns(CONSIGNMENT_COLUMNS)), section("Goods line", _columns(GOODS_COLUMNS)),
    )  # fmt: skip


RESULT_RULES = """
A result that contradicts itself is refused, in a file, a call and a form alike: `compliant` with findings,
`non_compliant` without one, a word that is no finding, a moment before its consignment was lodged.

Of several results of one consignment at one stage, the one known last says what was found: training, hit rates and
estimates count it alone. None is dropped: each stays on record, and counts in the history as a control that was made.
Who hands over a further one is told so: `superseding` in the answer of `POST /v1/outcomes`, "in place of an earlier
one" after `tamis outcomes`, a sentence in the console.
"""


def outcomes_page() -> str:
    """Return the page of columns of control results."""
    findings = f"`findings` takes one or more of {', '.join(map(code, FINDINGS))}, separated by `;`."
    return page("Columns of control results", _columns(OUTCOME_COLUMNS), findings, RESULT_RULES)


def _columns(columns: Iterable[Column]) -> str:
    heads = ["column", "meaning", "kind", "unit", "required", "at most", "one of"]
    return table(
        heads,
        (
            [
                code(c.name), c.meaning, KINDS[c.kind], c.unit, "yes" if c.required else "",
                _longest(c), ", ".join(map(code, c.choices)),
            ]
            for c in columns
        ),
    )  # fmt: skip


def _longest(column: Column) -> str:
    return f"{column.longest:,} characters" if column.kind == "text" and not column.choices else ""


def decisions_page() -> str:
    """Return the page of fields of a decision and of the words that they take."""
    fields = table(["field", "type", "meaning"], ([code(n), _type(str(k)), MEANINGS[n]] for n, k in FLAT.items()))
    ladders = [
        section(
            f"Words of `{name}`", "From the least to the most strict: " + ", ".join(code(x.name) for x in ladder) + "."
        )
        for name, ladder in LADDERS.items()
    ]
    selections = section("Words of `selection`", ", ".join(map(code, ("none", *SELECTIONS))) + ".")
    as_read = table(["field", "meaning"], ([code(name), meaning] for name, meaning in AS_READ.items()))
    events = table(["field", "meaning"], ([code(name), meaning] for name, meaning in EVENT.items()))
    what = "One decision for each version of a consignment: in the API, and in `orientations.parquet` and its CSV."
    return page(
        "Fields of a decision", what, fields,
        section("When it is read", OVERRIDDEN, as_read),
        section("Events of a dossier", "`timeline` lists all that stands on the audit log, in its order.", events),
        *ladders, selections,
    )  # fmt: skip


def _type(kind: str) -> str:
    plain = {"String": "text", "Int64": "whole number", "Float64": "number"}
    return plain.get(kind, "time" if kind.startswith("Datetime") else "list")
