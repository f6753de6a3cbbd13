"""All faults of a body at once: those of its shape and, of what can be read all the same, those of its values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from pydantic import BaseModel

from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS
from features.contract import gate_outcomes
from features.finding_kinds import Kinds
from features.messages import Message
from features.messages.offices import Offices
from features.messages.read_message import gate_message
from features.outcome import OUTCOME_COLUMNS
from service.access.principal import Principal
from service.api import bodies
from service.api.bodies import PARTIES, body_field, not_offered, outcome_rows, rows_of, twice
from service.parties.registered_serials import problems_of, serials_of
from service.problems import Problem, field_problem

TWICE = (
    "the same consignment and version twice in one message",
    "send it once, with all of its goods; an amendment carries the next version",
)
LARGEST = 10**18  # a number beyond it is refused by the schema or means nothing
OF_LEVEL = [column.name for column in CONSIGNMENT_COLUMNS if not column.name.startswith(PARTIES)]
OF_PARTY = {column.name.split("_", 1)[1] for column in CONSIGNMENT_COLUMNS if column.name.startswith(PARTIES)}
OF_GOODS = [column.name for column in GOODS_COLUMNS]


def of_rows(faults: pl.DataFrame, places: Sequence[str]) -> list[Problem]:
    """Every fault of flat rows (FAULT_COLUMNS) as the field of the body that it is, the reason and the remedy.

    A fault of a whole consignment stands in each of its goods lines, and is named once.
    """
    named = (
        (body_field(places[line], field), reason, remedy)
        for line, field, reason, remedy in faults.select("line", "field", "reason", "remedy").iter_rows()
    )
    return [field_problem(*fault) for fault in dict.fromkeys(named)]


def of_message(message: Message, places: Sequence[str]) -> list[Problem]:
    """What the gate refuses of a message, whose rows stand at some places of the body."""
    return of_rows(gate_message(message)[0].faults, places)


def of_contents(
    content: dict[str, Any], principal: Principal, offered: Collection[str], offices: Offices
) -> list[Problem]:
    """What is wrong with a message as its caller's: foreign columns, consignments named twice, offices of others."""
    consignments = content["consignments"]
    beyond = principal.beyond([offices.code_of(one.get("office")) for one in consignments])
    return [
        *not_offered(content, offered),
        *(field_problem(f"/consignments/{place}/consignment_id", *TWICE) for place in twice(content)),
        *(of_another_office(f"/consignments/{place}") for place in beyond),
    ]


def of_another_office(pointer: str) -> Problem:
    """Say that something is of an office that the caller is not for."""
    return field_problem(pointer, "not an office of this key", "send it with the key of that office")


def without_extras(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same message without foreign columns, each of which would widen all of its rows."""
    return {**content, "consignments": [{**one, "extra": None} for one in content["consignments"]]}


def beside(faults: Sequence[Problem], shape: Iterable[tuple[str, bool]]) -> list[Problem]:
    """The faults of values whose fields, what these lie in and what lies in them, have no fault of shape.

    shape: pointers, and whether each means an unknown name in the object that it points to rather than the object.
    """
    pointers = {pointer for pointer, unknown_name in shape if not unknown_name}
    above_them = {above for pointer in pointers for above in _and_above(pointer)}
    return [
        fault
        for fault in faults
        if fault["pointer"] not in above_them and not any(above in pointers for above in _and_above(fault["pointer"]))
    ]


def _and_above(pointer: str) -> Iterable[str]:
    parts = pointer.split("/")
    return ("/".join(parts[:end]) for end in range(2, len(parts) + 1))


def of_values(model: type[BaseModel], sent: Any, offices: Offices, kinds: Kinds) -> list[Problem]:
    """The faults of values of a body whose shape is wrong somewhere: as much of it as has the right one is judged."""
    judge = JUDGES.get(model)
    return judge(sent, offices, kinds) if judge is not None and isinstance(sent, dict) else []


def _of_message(sent: Mapping[str, Any], offices: Offices, _: Kinds) -> list[Problem]:
    content = {
        "message_id": _plain(sent.get("message_id")),
        "consignments": [_consignment(one) for one in _listed(sent, "consignments")],
    }
    rows, places = rows_of(content)
    message = Message(rows, name="the body", received_at=datetime.now(UTC), offices=offices)
    return of_message(message, places) if places else []


def _consignment(sent: Any) -> dict[str, Any]:
    given = sent if isinstance(sent, dict) else {}
    goods = [_only(line, OF_GOODS) for line in _listed(given, "goods")] or [{}]
    parties = {role: _only(given.get(role), OF_PARTY) for role in PARTIES}
    level = _only(given, OF_LEVEL)
    return {**level, **parties, "consignment_id": str(level.get("consignment_id") or ""), "goods": goods}


def _of_outcomes(sent: Mapping[str, Any], _: Offices, kinds: Kinds) -> list[Problem]:
    names = [column.name for column in OUTCOME_COLUMNS]
    listed = [_only(one, names) for one in _listed(sent, "outcomes")]
    return of_rows(*_gated(listed, kinds)) if listed else []


def _gated(outcomes: list[dict[str, Any]], kinds: Kinds) -> tuple[pl.DataFrame, list[str]]:
    rows, places = outcome_rows({"outcomes": outcomes})
    return gate_outcomes(rows, kinds=kinds).faults, places


def _of_serials(sent: Mapping[str, Any], _: Offices, __: Kinds) -> list[Problem]:
    names = list(bodies.Serial.model_fields)
    listed = [_only(one, names) for one in _listed(sent, "serials")]
    return of_serials(listed) if listed else []


def of_serials(listed: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """What is wrong with serial numbers, by their place."""
    serials = serials_of(pl.DataFrame(listed, schema=dict.fromkeys(bodies.Serial.model_fields, pl.String)))
    return [
        field_problem(f"/serials/{fault['line']}", fault["reason"], fault["remedy"]) for fault in problems_of(serials)
    ]


JUDGES: dict[Any, Callable[[Mapping[str, Any], Offices, Kinds], list[Problem]]] = {
    bodies.Message: _of_message,
    bodies.Outcomes: _of_outcomes,
    bodies.Genuine: _of_serials,
}


def _listed(sent: Mapping[str, Any], name: str) -> list[Any]:
    found = sent.get(name)
    return found if isinstance(found, list) else []


def _only(sent: Any, names: Iterable[str]) -> dict[str, Any]:
    """The values of some names that are plain; none where there is no object."""
    given = sent if isinstance(sent, dict) else {}
    return {name: _plain(given.get(name)) for name in names}


def _plain(value: Any) -> str | int | float | None:
    """A text or a number as it is; nothing for what the schema has refused."""
    if isinstance(value, str):
        return value if value.isascii() or _is_unicode(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < LARGEST else None  # nor is a number that is none smaller


def _is_unicode(text: str) -> bool:
    """Whether a text can be written: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
