"""A store whose large messages go to files, beside one that keeps everything in rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.messages import Message
from service.store.database import Store
from tests.service.building import declared, message

LARGE = 24  # consignments of the message that tests send
PIECES = {"quantity": 2}
VAGUE = 3  # of so many consignments one says nothing about its goods: information is asked for


def store_with_files(folder: Path, address: str = "") -> Store:
    """A store that settles messages of two consignments and more."""
    return Store(address or f"sqlite:///{folder / 'store.db'}", folder=folder / "history", files_from=2)


def store_in_rows(folder: Path, name: str = "rows") -> Store:
    """A store that keeps every decision in rows."""
    return Store(f"sqlite:///{folder / f'{name}.db'}", files_from=10**9)


def large(first: int = 1, message_id: str = "M1", **changes: Any) -> Message:
    """A message of many consignments, most of which ask for nothing."""
    each = (declared(of, consignor=sender(of), **goods(of), **changes) for of in range(first, first + LARGE))
    return message(*each, message_id=message_id)


def goods(of: int) -> dict[str, Any]:
    """What a consignment has in it, where it says nothing about it."""
    return {} if of % VAGUE else {"goods": [{"line_no": 1, "description": "gift", "value": 30.0, "currency": "EUR"}]}


def sender(number: int) -> dict[str, Any]:
    """One of a few senders."""
    of = number % 5
    return {"name": f"Yiwu Bright Trading {of}", "address": f"Futian Road {of}", "city": "Yiwu", "country": "CN"}


def number(of: int) -> str:
    """The number of a consignment."""
    return f"HAWB{of:09d}"
