"""The parts that a body consists of, one by one: so that a large one leaves other threads their turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS
from service.api.bodies import (
    LONGEST_MESSAGE,
    LONGEST_REGISTRY,
    Consignment,
    Genuine,
    Message,
    Outcome,
    Outcomes,
    Serial,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The list that a body consists of, so that it can be validated part by part: its name, its parts and how many."""

    name: str
    part: type[BaseModel]
    longest: int


LISTED = {
    Message: Listed("consignments", Consignment, LONGEST_MESSAGE),
    Outcomes: Listed("outcomes", Outcome, LONGEST_MESSAGE),
    Genuine: Listed("serials", Serial, LONGEST_REGISTRY),
}
WIDTH = len(CONSIGNMENT_COLUMNS) + len(GOODS_COLUMNS)  # columns of a flat row, but for those that a mapping offers


def goods_lines(sent: Any) -> int:
    """Count the goods lines of a message before it is validated; whatever is no message has none."""
    consignments = sent.get("consignments") if isinstance(sent, dict) else None
    if not isinstance(consignments, list):
        return 0
    goods = [one.get("goods") for one in consignments if isinstance(one, dict)]
    return sum(len(lines) for lines in goods if isinstance(lines, list))


def dumped(body: BaseModel) -> dict[str, Any]:
    """The content of a body, part by part, so that other threads get their turn."""
    listed = LISTED.get(type(body))
    if listed is None:
        return body.model_dump()
    parts = [part.model_dump() for part in getattr(body, listed.name)]
    return {**body.model_dump(exclude={listed.name}), listed.name: parts}
