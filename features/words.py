"""Names of formats, answers and roles that commands and routes share; a module that costs nothing to import."""

from __future__ import annotations

from typing import Literal, get_args

FormatName = Literal["flat", "ics2", "cargo-xml", "cargo-imp", "postal"]
AnswerKind = Literal["json", "IE4S02", "IE4Q04", "IE4Q05", "edifact", "asycuda", "csv"]
KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
Role = Literal["clearance", "analyst", "data_scientist", "auditor", "admin", "right_holder"]
ROLES: tuple[Role, ...] = get_args(Role)
OF_PEOPLE: tuple[Role, ...] = tuple(role for role in ROLES if role != "right_holder")  # that one has a machine alone
