"""Names of formats, answers and roles that commands and routes share; a module that costs nothing to import."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

LANGUAGES = ("en", "fr", "zh")
FormatName = Literal["flat", "ics2", "cargo-xml", "cargo-imp", "postal"]


class FormatTitle(NamedTuple):
    """What a format of messages is called: its title in prose, other names that users give it, its media types."""

    title: str
    aliases: tuple[str, ...]
    media_types: tuple[str, ...]


# each is read by the module of its name in features/messages, which declares FORMAT
FORMAT_TITLES: dict[FormatName, FormatTitle] = {
    "flat": FormatTitle("flat CSV or Parquet", ("csv", "parquet"), ("text/csv", "application/vnd.apache.parquet")),
    "ics2": FormatTitle(
        "ICS2 filings of operators (IE3F…) and risk analysis request IE4R05",
        ("IE4R05", "IE3F32", "IE3F43"),
        ("application/xml",),
    ),
    "cargo-xml": FormatTitle("Cargo-XML waybills XFZB and XFWB", ("XFZB", "XFWB"), ("application/xml",)),
    "cargo-imp": FormatTitle("Cargo-IMP FHL, versions 2 to 5", ("FHL",), ("text/plain",)),
    "postal": FormatTitle(
        "postal items (ITMATT, CUSITM) or dispatch lists (PREDES) as XML or JSON",
        ("ITMATT", "CUSITM", "PREDES"),
        ("application/xml", "application/json"),
    ),
}
FORMATS: tuple[FormatName, ...] = tuple(FORMAT_TITLES)
MEDIA_TYPES = tuple(dict.fromkeys(kind for titled in FORMAT_TITLES.values() for kind in titled.media_types))
FORMATS_IN_WORDS = "; ".join(titled.title for titled in FORMAT_TITLES.values())
FORMATS_BY_ALIAS: dict[str, FormatName] = {
    alias.lower(): name for name, titled in FORMAT_TITLES.items() for alias in (name, *titled.aliases)
}
FORMATS_WITH_ALIASES = ", ".join(f"{name} ({', '.join(t.aliases)})" for name, t in FORMAT_TITLES.items())


def format_called(written: str) -> str:
    """Return the name of the format that is called so, in capitals or not; any other text as it is."""
    return FORMATS_BY_ALIAS.get(written.strip().lower(), written)


AnswerKind = Literal["json", "IE4S02", "IE4Q04", "IE4Q05", "edifact", "asycuda", "csv"]
KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
APPLICATION_COLUMNS = (  # of a right holder's application for action, in a table and in a policy
    *("right_holder", "number", "words", "hs", "senders", "contact", "small_consignments", "from", "until"),
)
Role = Literal["clearance", "analyst", "data_scientist", "auditor", "admin", "right_holder"]
ROLES: tuple[Role, ...] = get_args(Role)
OF_PEOPLE: tuple[Role, ...] = tuple(role for role in ROLES if role != "right_holder")  # that one has a machine alone
TableName = Literal["decisions", "declarations", "results", "training"]  # of an export
ExportRole = Literal["data_scientist", "analyst", "auditor", "clearance"]  # as whom one is made
