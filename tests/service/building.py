"""Declarations, messages, results and frames that the tests of the service are made of; a desk is in quick.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import polars as pl
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import State

from features.consignment import Consignments
from features.contract import gate_outcomes
from features.history.facts import FACT_SCHEMA
from features.messages import Message, read
from features.moments import EPOCH
from features.outcome import OUTCOME_COLUMNS
from service.api.bodies import outcome_rows, rows_of

MODEL_ID = "tiny-v1"
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def app_state(client: TestClient) -> State:
    """What the application behind a client holds: desk, access and settings among it."""
    return cast("FastAPI", client.app).state


def as_it_stands(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision that no officer has overridden, as it is read from the record."""
    return {**decision, "standing_clearance": decision["clearance"], "override": None}


def declared(number: int = 1, *, lodged_at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """One consignment as the API takes it; `changes` replace its fields."""
    return {
        "consignment_id": f"HAWB{number:09d}",
        "version": 1,
        "stream": "express",
        "lodged_at": lodged_at.isoformat(),
        "office": "FRCDG1",
        "operator": "DHL",
        "dispatch_country": "CN",
        "destination_country": "FR",
        "nature": "sale",
        "gross_mass_kg": 1.5,
        "packages": 1,
        "consignor": {
            "name": "Yiwu Bright Trading",
            "address": "Futian Road 7",
            "city": "Yiwu",
            "country": "CN",
            "email": "sales@bright.example",
        },
        "consignee": {"name": "Marie Durand", "address": "3 rue de la Paix", "postcode": "75002", "country": "FR"},
        "goods": [
            {
                "line_no": 1,
                "description": "running shoes",
                "hs_code": "640411",
                "quantity": 2,
                "net_mass_kg": 1.2,
                "value": 30.0,
                "currency": "EUR",
                "goods_origin_country": "CN",
            }
        ],
        **changes,
    }


def body(*consignments: dict[str, Any], message_id: str = "M1") -> dict[str, Any]:
    """The body of a call."""
    return {"message_id": message_id, "consignments": list(consignments)}


def message(*consignments: dict[str, Any], message_id: str = "M1", **how: Any) -> Message:
    """A message as the API hands it to the desk; `how` goes to Message."""
    rows, _ = rows_of(body(*consignments, message_id=message_id))
    return Message(rows, **{"name": message_id, "received_at": NOON + timedelta(minutes=1), **how})


def outcome(number: int = 1, *, known_at: datetime = NOON + timedelta(days=1), **changes: Any) -> dict[str, Any]:
    """One inspection result as the API takes it; what is not compliant is counterfeit, where nothing else is said."""
    compliant = changes.get("result") == "compliant"
    return {
        "consignment_id": f"HAWB{number:09d}",
        "known_at": known_at.isoformat(),
        "result": "non_compliant",
        "findings": None if compliant else "counterfeit",
        **changes,
    }


Event = tuple[int, int, tuple[int, ...]]


def facts_frame(events: Sequence[Event]) -> pl.DataFrame:
    """Facts (FACT_SCHEMA) of (entity, microseconds, amounts)."""
    rows = [(entity, EPOCH + timedelta(microseconds=at), *amounts) for entity, at, amounts in events]
    return pl.DataFrame(rows, schema=FACT_SCHEMA, orient="row")


def consignments(sent: Message) -> Consignments:
    """The consignments of a message."""
    return read(sent)[0]


def results(*outcomes: dict[str, Any]) -> pl.DataFrame:
    """Results as the journal learns them, of those that the API takes."""
    gated = gate_outcomes(outcome_rows({"outcomes": list(outcomes)})[0])
    assert gated.refused.is_empty()
    return gated.accepted


def in_full(found: dict[str, Any]) -> dict[str, Any]:
    """A result with every field, those that it does not state as null."""
    return {**dict.fromkeys(column.name for column in OUTCOME_COLUMNS), **found}


EVERYTHING_RED = """
id = "all-red"
[capacity.default]
physical = 2
documents = 1
audit = 1
expected = 100
[[rules]]
code = "all"
when = { stream = "express" }
lane = "red"
author = "me"
reason = "all"
"""


RULE = """
[[rules]]
code = "perfume-by-post"
when = { dispatch_country = { is = "CN" } }
lane = "red"
reason = { en = "From there", fr = "De là", zh = "来自该处" }
author = "ana"
"""
