"""The pages of files that go in and decisions that come out, from their schemas."""

from __future__ import annotations

from collections.abc import Iterable

from docs.generator.markdown import code, page, section, table
from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS, Column
from features.finding_kinds import standard_kinds
from features.outcome import OUTCOME_COLUMNS, SELECTIONS
from service.orientation.decision_fields import AS_READ, EVENT, LADDERS, MEANINGS
from service.orientation.decisions import FLAT

KINDS = {"text": "text", "number": "number", "whole": "whole number", "time": "time"}
OVERRIDDEN = """
`GET /v1/consignments/{consignment_id}` and the dossier add two fields, which change after the decision was
given. An override belongs to a version: it stays in force through reassessments of that version, and an amended
declaration is decided without it. `new_information` is true where a later assessment asks for a stricter lane than
the officer chose. Whoever may not see everything about a consignment gets no `by` and no `reason`.
"""


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
    kinds = ", ".join(map(code, standard_kinds().codes))
    findings = f"`findings` takes one or more of {kinds}, separated by `;`; the list [is yours](../how-to/kinds.md)."
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
    what = """
One decision for each version of a consignment: in the API, and in `orientations.parquet` and its CSV. The files have
one column more, `day_rank`: the place of a decision among all of the run, over all offices, by risk.
"""
    return page(
        "Fields of a decision", what, fields,
        section("When it is read", OVERRIDDEN, as_read),
        section("Events of a dossier", "`timeline` lists all that stands on the audit log, in its order.", events),
        *ladders, selections,
    )  # fmt: skip


def _type(kind: str) -> str:
    plain = {"String": "text", "Int64": "whole number", "Float64": "number"}
    return plain.get(kind, "time" if kind.startswith("Datetime") else "list")
