"""The JSON bodies, made from the columns of the manifest so that the two cannot drift apart."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StringConstraints, create_model

from features.algebra import Text
from features.algebra.tables import Cells, Table, Wholes
from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, Column
from features.item_numbers import item_number
from features.outcome import OUTCOME_COLUMNS
from service.problems import Problem, field_problem
from service.record.declared_rows import as_text, text_frame

LONGEST_MESSAGE = 1000
LONGEST_REGISTRY = 10_000  # serial numbers of one call
PARTIES = ("consignor", "consignee")
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, str_max_length=4000)
Number = StrictFloat | Annotated[str, StringConstraints(max_length=40)]
MOST_EXTRAS = 200
PartyCode = Annotated[str, StringConstraints(pattern="^P-[0-9A-F]{16}$")]


def _field(column: Column) -> tuple[Any, Any]:
    kind: Any = str if column.kind in ("text", "time") else Number
    meaning = f"{column.meaning}{f', in {column.unit}' if column.unit else ''}"
    described = Field(description=meaning) if column.required else Field(default=None, description=meaning)
    return (kind if column.required else kind | None), described


def _model(name: str, fields: dict[str, tuple[Any, Any]], example: dict[str, Any] | None = None) -> type[BaseModel]:
    definitions: dict[str, Any] = fields
    config = STRICT if example is None else ConfigDict(**STRICT, json_schema_extra={"examples": [example]})
    return create_model(name, __config__=config, **definitions)


def _party_model(role: str) -> type[BaseModel]:
    of_role = [c for c in CONSIGNMENT_COLUMNS if c.name.startswith(f"{role}_")]
    return _model(role.capitalize(), {c.name.removeprefix(f"{role}_"): _field(c) for c in of_role})


Goods = _model("GoodsLine", {c.name: _field(c) for c in GOODS_COLUMNS})
_parties = {role: (_party_model(role) | None, None) for role in PARTIES}
_own = [c for c in CONSIGNMENT_COLUMNS if not c.name.startswith(tuple(f"{r}_" for r in PARTIES))]
Consignment = _model(
    "Consignment",
    {
        **{c.name: _field(c) for c in _own if c.name != "message_id"},
        **_parties,
        "goods": (Annotated[list[Goods], Field(min_length=1, max_length=LONGEST_MESSAGE)], ...),  # type: ignore[valid-type]
        "extra": (
            dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")], Number] | None,
            Field(
                default=None,
                max_length=MOST_EXTRAS,
                description="foreign columns that a mapping offers to the model, without their prefix",
            ),
        ),
    },
)
EXAMPLE = {
    "message_id": "FLIGHT-1",
    "consignments": [
        {
            "consignment_id": "RB123456785CN", "stream": "postal", "lodged_at": "2026-02-10T08:00:00Z",
            "office": "FRCDG1", "dispatch_country": "CN", "nature": "gift", "gross_mass_kg": 0.4, "packages": 1,
            "consignor": {"name": "Yip Wong Trading", "country": "CN"},
            "goods": [{"description": "gift", "hs_code": "640411", "quantity": 12, "value": "8.00", "currency": "EUR"}],
        }
    ],
}  # fmt: skip
Message = _model(
    "Message",
    {
        "message_id": (Annotated[str, StringConstraints(min_length=1, max_length=200)], ...),
        "consignments": (Annotated[list[Consignment], Field(min_length=1, max_length=LONGEST_MESSAGE)], ...),  # type: ignore[valid-type]
    },
    EXAMPLE,
)
Outcome = _model("Outcome", {c.name: _field(c) for c in OUTCOME_COLUMNS})
Outcomes = _model(
    "Outcomes",
    {"outcomes": (Annotated[list[Outcome], Field(min_length=1, max_length=LONGEST_MESSAGE)], ...)},  # type: ignore[valid-type]
)


class Judgement(BaseModel):
    """What an officer says of two parties; `unsure` takes back what was said before."""

    model_config = STRICT
    one: PartyCode
    other: PartyCode
    verdict: Literal["same", "not_same", "unsure"]
    by: Annotated[
        Annotated[str, StringConstraints(max_length=200)] | None,
        Field(deprecated=True, description="ignored: the account or key that calls stands on record; leave it out"),
    ] = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Transferred(BaseModel):
    """To whom a consignment passes, with all its parts, and why."""

    model_config = STRICT
    consignment_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    office: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    sender: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=64)] | None,
        Field(description="the key that may amend it from then on; whichever is for the office where absent"),
    ] = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Serial(BaseModel):
    """A serial number: `gtin` and `serial`, or a GS1 Digital Link or element string as `product_code`."""

    model_config = STRICT
    gtin: Annotated[str, StringConstraints(max_length=20)] | None = None
    serial: Annotated[str, StringConstraints(max_length=100)] | None = None
    product_code: Annotated[str, StringConstraints(max_length=500)] | None = None


class Genuine(BaseModel):
    """Serial numbers of genuine goods, as their right holder gave them."""

    model_config = STRICT
    serials: Annotated[list[Serial], Field(min_length=1, max_length=LONGEST_REGISTRY)]


KNOWN = {
    *(column.name for column in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS, *OUTCOME_COLUMNS)),
    *(column.name.split("_", 1)[1] for column in CONSIGNMENT_COLUMNS if column.name.startswith(PARTIES)),
    *PARTIES,
    *Judgement.model_fields,
    *Transferred.model_fields,
    *Serial.model_fields,
    *Genuine.model_fields,
    "consignments",
    "goods",
    "outcomes",
    "extra",
}  # the names that a fault may repeat: ours, never the caller's


def twice(message: dict[str, Any]) -> list[int]:
    """The places of consignments whose identifier and version stand earlier in the same message."""
    seen: set[tuple[str, str]] = set()
    places = []
    for place, consignment in enumerate(message["consignments"]):
        key = (item_number(consignment["consignment_id"].strip()), as_text(consignment["version"]) or "1")
        if key in seen:
            places.append(place)
        seen.add(key)
    return places


def not_offered(message: dict[str, Any], offered: Collection[str]) -> list[Problem]:
    """Name the consignments with foreign columns that are not offered: each of them would widen all rows."""
    wide = (i for i, one in enumerate(message["consignments"]) if not set(one.get("extra") or ()) <= set(offered))
    return [field_problem(f"/consignments/{place}/extra", *NOT_OFFERED) for place in wide]


NOT_OFFERED = (
    "a foreign column that is not offered",
    "send only those that the mapping of the service names under [extra], without their prefix",
)


def rows_of(message: dict[str, Any]) -> tuple[Table, list[str]]:
    """Flat rows of a message, all text, one a goods line with `line` 0, 1, …; and where each stands in the body."""
    columns: dict[str, list[str | None]] = {name: [] for name in NAMES}
    places: list[str] = []
    for i, consignment in enumerate(message["consignments"]):
        goods, before = consignment["goods"], len(places)
        level = _flat(consignment) | {"message_id": message["message_id"]}
        columns.update((name, [None] * before) for name in level if name not in columns)
        places += [f"consignments/{i}/goods/{j}" for j in range(len(goods))]
        for name, column in columns.items():
            if name in OF_GOODS:
                column += [as_text(line.get(name)) for line in goods]
            else:
                cell = level.get(name)
                column += [None if cell is None else as_text(cell)] * len(goods)
    texts: dict[str, Cells] = {name: Text.of(column) for name, column in columns.items()}
    return Table.of({**texts, "line": Wholes(np.arange(len(places)))}), places


NAMES = tuple(column.name for column in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS))
OF_GOODS = frozenset(column.name for column in GOODS_COLUMNS)


def outcome_rows(outcomes: dict[str, Any]) -> tuple[pl.DataFrame, list[str]]:
    """Rows of posted outcomes, all text, and where each stands in the body."""
    rows = [outcome | {"line": i} for i, outcome in enumerate(outcomes["outcomes"])]
    frame = text_frame(rows, [c.name for c in OUTCOME_COLUMNS])
    return frame, [f"outcomes/{i}" for i in range(len(rows))]


def _flat(consignment: dict[str, Any]) -> dict[str, Any]:
    level = {name: v for name, v in consignment.items() if name not in (*PARTIES, "goods", "extra")}
    level["consignment_id"] = item_number(consignment["consignment_id"])
    for role in PARTIES:
        level |= {f"{role}_{name}": v for name, v in (consignment.get(role) or {}).items()}
    return level | {f"{EXTRA}{name}": v for name, v in (consignment.get("extra") or {}).items()}


def body_field(place: str, field: str) -> str:
    """Where a column of the flat row stands in the JSON body, as a JSON pointer."""
    if place.startswith("outcomes"):
        return f"/{place}/{field}"
    consignment = place.rsplit("/goods/", 1)[0]
    for role in PARTIES:
        if field.startswith(f"{role}_"):
            return f"/{consignment}/{role}/{field.removeprefix(f'{role}_')}"
    if field == "message_id":
        return "/message_id"
    return f"/{place}/{field}" if field in OF_GOODS else f"/{consignment}/{field}"
