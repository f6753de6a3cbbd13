"""Declarations, messages and frames that the tests of the service are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from features.facts import FACT_SCHEMA
from features.messages import Message
from service.api.models import rows_of
from service.records import EPOCH

MODEL_ID = "tiny-v1"
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


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
    """One inspection result as the API takes it."""
    return {
        "consignment_id": f"HAWB{number:09d}",
        "known_at": known_at.isoformat(),
        "result": "non_compliant",
        "findings": "counterfeit",
        **changes,
    }


Event = tuple[int, int, tuple[int, ...]]


def facts_frame(events: Sequence[Event]) -> pl.DataFrame:
    """Facts (FACT_SCHEMA) of (entity, microseconds, amounts)."""
    rows = [(entity, EPOCH + timedelta(microseconds=at), *amounts) for entity, at, amounts in events]
    return pl.DataFrame(rows, schema=FACT_SCHEMA, orient="row")
