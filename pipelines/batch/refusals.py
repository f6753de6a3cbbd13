"""What is said of what was refused: one line a file or a kind of fault, with the mapping key that mends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import polars as pl

from features.consignment import COLUMNS
from features.contract import no_quarantine
from features.fault import Fault
from features.messages.dialect import NAMES
from features.messages.encodings import SEEMS
from features.messages.flat import NOT_UTF8
from features.messages.written_times import times_written
from features.numerals import comma_of
from features.outcome import OUTCOME_COLUMNS
from service.record.consignment_versions import Conflict

Section = Literal["manifest", "outcomes"]
WHOLE_FILE = "file"  # the field of a refusal that is of a file as a whole
SHOWN_LINES, SHOWN_KINDS = 5, 5
NUMBERS = tuple(dict.fromkeys(c.name for c in (*COLUMNS, *OUTCOME_COLUMNS) if c.kind in ("number", "whole")))


class NothingAccepted(Fault):
    """Nothing of what was handed over was accepted; a scheduler sees it by the exit code."""

    exit_code = 3


def refused_file(fault: Fault) -> pl.DataFrame:
    """The one quarantine row of a file that was refused as a whole."""
    sentence = fault.named if isinstance(fault, Conflict) else str(fault)
    reason, _, remedy = sentence.partition("; ")
    row = (1, WHOLE_FILE, reason, remedy or "correct the file and hand it over again", f"{WHOLE_FILE}: {reason}", None)
    return pl.DataFrame([row], schema=no_quarantine().schema, orient="row")


def refusals_in_words(refused: pl.DataFrame, separator: str = "", section: Section = "manifest") -> list[str]:
    """One line a kind of refusal, the most frequent first; how the file is written comes before them in one line.

    separator: that which was found, where it is another than the one that was stated.
    """
    whole = refused.filter(pl.col("field") == WHOLE_FILE)
    rows = refused.filter(pl.col("field") != WHOLE_FILE)
    written = rows.select(_comma(name) for name in NUMBERS)
    commas = written.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    kinds_of_comma = {kind for name in NUMBERS for kind in written[name].drop_nulls().unique()}
    foreign = (rows["field"] == "record") & (rows["reason"] == NOT_UTF8)
    odd = commas | foreign
    dialect = [_dialect(rows, separator, kinds_of_comma, foreign, odd)] if odd.any() else []
    by_comma = commas & (rows["reason"] == "not a number") & rows["field"].is_in(NUMBERS)
    kinds = _kinds(rows.filter(~(by_comma | foreign)), section)
    more = [f"and {len(kinds) - SHOWN_KINDS} more kinds of refusal"] if len(kinds) > SHOWN_KINDS else []
    return [*_whole(whole), *dialect, *kinds[:SHOWN_KINDS], *more]


def unknown_offices_in_words(offices: Mapping[str, int]) -> str:
    """Offices that neither the record nor the policy knows, with how many consignments name each, and what to do."""
    named = ", ".join(f"{office[:40]} ({count:,})" for office, count in list(offices.items())[:SHOWN_KINDS])
    more = f" and {len(offices) - SHOWN_KINDS} more" if len(offices) > SHOWN_KINDS else ""
    return (
        f"offices that neither record nor policy knows: {named}{more}; the default capacity held for each: correct "
        "`office`, or give the office its capacity in the policy"
    )


def _whole(refused: pl.DataFrame) -> list[str]:
    return [f"{reason}; {remedy}" for reason, remedy in refused.select("reason", "remedy").iter_rows()]


def _comma(name: str) -> pl.Expr:
    """What the comma of a refused number is (`comma_of`); null where the number was not what was refused."""
    is_refused = pl.col("all_faults").str.contains(f"{name}: not a number", literal=True) | (
        pl.col("reason") == NOT_UTF8
    )
    cell = pl.col("row_as_received").str.json_path_match(f"$.{name}")
    return pl.when(is_refused).then(comma_of(cell)).alias(name)


def _dialect(rows: pl.DataFrame, separator: str, commas: Collection[str], foreign: pl.Series, odd: pl.Series) -> str:
    """How a spreadsheet wrote the file: separator, encoding and signs of numbers, and the mapping that says so."""
    how, keys = [], []
    if separator:
        how.append(f"{NAMES.get(separator, 'another sign')} between columns")
        keys.append(f'separator = "{separator}"')
    if foreign.any():
        seems = rows.filter(foreign)["remedy"].str.split(f"; {SEEMS}").list.get(1, null_on_oob=True).drop_nulls()
        how.append("an encoding that is not UTF-8")
        keys.append(f'encoding = "{seems[0] if len(seems) else "cp1252"}"')
    if "decimal" in commas:
        how.append("decimal commas")
        keys.append('decimal = ","')
    elif "thousands" in commas:
        how.append("commas between thousands")
        keys.append('grouping = ","')
    elif commas:
        how.append("commas in numbers, of which nobody can say what they are")
        keys.append('decimal = ",", or grouping = "," if they stand between thousands')
    return (
        f"{_where(rows.filter(odd)['line'])}: the file has {_listed(how)} "
        f"(save it as CSV UTF-8 with decimal points, or say so in a mapping (--mapping FILE): [file] {', '.join(keys)})"
    )


def _kinds(rows: pl.DataFrame, section: Section) -> list[str]:
    by = ("field", "reason", "remedy")
    kinds = rows.group_by(by, maintain_order=True).agg("line", pl.col("row_as_received").head(200))
    sentences = []
    for field, reason, remedy, lines, received in kinds.sort(-pl.col("line").list.len().cast(pl.Int64)).iter_rows():
        key = _time_key(field, received, section) if reason in ("not a time", "time without a zone") else ""
        sentences.append(f"{_where(pl.Series(lines))}: {field}: {reason} ({remedy}{key})")
    return sentences


def _where(lines: pl.Series) -> str:
    """The first lines, and how many more there are."""
    first, more = ", ".join(str(line) for line in lines.head(SHOWN_LINES)), len(lines) - SHOWN_LINES
    return f"line{'s' if len(lines) > 1 else ''} {first}{f' and {more:,} more' if more > 0 else ''}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _time_key(field: str, received: Sequence[str | None], section: Section) -> str:
    """The mapping key that reads the times of a column; empty where they are of no form that is known."""
    cells = pl.Series(received, dtype=pl.String).str.json_path_match(f"$.{field}").drop_nulls().to_list()
    times = times_written(cells)
    if times is None:
        return ""
    otherwise = f'; with the month first: format = "{times.otherwise}"' if times.otherwise else ""
    return (
        f"; or say how it is written in a mapping (--mapping FILE): [{section}.convert.{field}] "
        f"{times.rule('Europe/Paris')}, or the zone that they are of{otherwise}"
    )
