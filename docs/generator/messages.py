"""The pages of message formats and of the data problems that declarations can have."""

from __future__ import annotations

from docs.generator.markdown import code, page, section, table
from features import contract
from features.choices import FORMAT_TITLES, KINDS
from features.column_faults import NO_PROBABILITY, REMEDIES, TOO_LONG, UNKNOWN_WORD
from features.finding_kinds import standard_kinds
from features.messages.offices import NOT_LISTED
from features.messages.quality import CONSIGNMENT_CHECKS, LINE_CHECKS
from features.messages.read_message import LONG_AGO
from features.messages.required_elements import is_lacking, stages
from features.outcome import contradictions

REFUSED = """
A row with one of these is quarantined, with its line, field, reason and remedy. In a carrier's message an optional
field is left out instead. A typed column of a Parquet file that holds lists, records, bytes, dates or durations where
text or a number is wanted is refused by what it holds.
"""
LODGED_AHEAD = f"""
A row whose `lodged_at` is more than {contract.AHEAD.days} days after its arrival is refused too. Control results that
contradict themselves are refused:
"""
ACCEPTED = """
Only a problem that means that an element is lacking which the law asks for leads to an orientation; the others are
told. Readers of messages add problems of their own formats.
"""
REQUIRED = """
The list is `features/messages/required_elements.toml`.
"""


def formats_page() -> str:
    """Return the page of formats that are read and answers that are given."""
    rows = (
        [code(name), titled.title, ", ".join(map(code, titled.aliases)), ", ".join(map(code, titled.media_types))]
        for name, titled in FORMAT_TITLES.items()
    )
    return page(
        "Message formats",
        "A format is recognised by its content; `--format` and `?format=` name one, by its name or an alias.",
        table(["format", "what is read", "aliases", "media types"], rows),
        section("Answers", f"`--answer` and `?answer=` take {', '.join(map(code, KINDS))}."),
        "[Message formats and mappings](../how-to/messages.md) says what each of them is.",
    )


def problems_page() -> str:
    """Return the page of refusals of the gate and of problems of accepted declarations."""
    checks = dict.fromkeys((c.field, c.problem) for c in (*CONSIGNMENT_CHECKS, *LINE_CHECKS))
    checks |= dict.fromkeys([("lodged_at", LONG_AGO), ("office", NOT_LISTED)])
    rows = (
        [code(field), problem, code(orientation) if (orientation := is_lacking(field, problem)) else ""]
        for field, problem in checks
    )
    required = (
        [
            stage.name,
            code(stage.orientation),
            ", ".join(code(f) for f in sorted({f for f, _ in stage.lacking})),
            stage.source,
        ]
        for stage in stages()
    )
    return page(
        "Data problems",
        section(
            "Refused", REFUSED,
            table(["reason", "remedy"], _refusals()), LODGED_AHEAD,
            table(["field", "reason", "remedy"], _contradictions()),
        ),
        section(
            "Accepted, and named in the decision",
            ACCEPTED,
            table(["field", "problem", "orientation before arrival"], rows),
        ),
        section(
            "Elements that the law asks for",
            REQUIRED,
            table(["stage", "orientation", "elements", "source"], required),
        ),
    )  # fmt: skip


def _refusals() -> list[list[str]]:
    """Return every reason of the gate for a file of text, with its remedy."""
    of_columns = dict.fromkeys((TOO_LONG, UNKNOWN_WORD), "as the column allows")
    of_results = (NO_PROBABILITY,)
    remedies = {**REMEDIES, **of_columns}
    return [[reason, remedy] for reason, remedy in sorted(remedies.items()) if reason not in of_results]


def _contradictions() -> list[list[str]]:
    return [[code(field), reason, fix] for field, reason, fix, _ in contradictions(standard_kinds().codes)]
