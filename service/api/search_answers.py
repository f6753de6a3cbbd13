"""What a search answers, as models: see `answer_models`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from service.api.answer_models import Answer
from service.officers.search import KINDS
from service.orientation.lanes import Lane, Track


class Hit(Answer):
    """A consignment that a key finds, as its latest declaration and decision have it."""

    consignment_id: str
    message_id: str
    lodged_at: datetime
    office: str | None
    archived: bool = Field(description="never decided: its declaration stands in the archive alone")
    clearance: Literal[tuple(Lane.__members__)] | None = Field(  # type: ignore[valid-type]
        description="the lane that stands after an officer's word"
    )
    risk: float | None
    result: str | None = Field(description="of the control known last")
    sender: str | None
    addressee: str | None
    goods: str = Field(description="of its first goods lines")
    platform: str | None
    seller_account: str | None
    seller_url: str | None
    party_id: str | None
    network_id: str | None
    by: list[Literal[KINDS]] = Field(description="kinds of key by which it was found")  # type: ignore[valid-type]


class PartyFound(Answer):
    """A party of the consignments found."""

    party_id: str
    network_id: str | None
    sender: str | None = Field(description="the name that it declared last")
    consignments: int


class NetworkFound(Answer):
    """A network of the consignments found."""

    network_id: str
    consignments: int


class ShopFound(Answer):
    """A shop or an account of the consignments found."""

    platform: str | None
    seller_account: str | None
    seller_url: str | None
    consignments: int


class ListFound(Answer):
    """An entry of an active list that states the key, or an active list of that name."""

    list: str
    kind: Literal["list", "reports"]
    source: str
    label: str | None = Field(description="the entry; null for the list itself")
    party_id: str | None
    network: bool = Field(description="whether the caller may see its network")


class CaseFound(Answer):
    """A case of the consignments found."""

    consignment_id: str
    track: Literal[tuple(Track.__members__)]  # type: ignore[valid-type]
    open: bool
    detained: date
    right_holder: str | None
    due: date | None = Field(description="when the next step is due")


class SearchAnswer(Answer):
    """What is on record of a key, as far as the caller sees it."""

    total: int = Field(description="of consignments, up to 1,000")
    more: bool = Field(description="whether there are more than that")
    consignments: list[Hit] = Field(description="of the page asked for, the newest first")
    parties: list[PartyFound] = Field(description="of the newest 200 consignments found")
    networks: list[NetworkFound] = Field(description="of the newest 200")
    shops: list[ShopFound] = Field(description="of the newest 200")
    lists: list[ListFound]
    cases: list[CaseFound] = Field(description="of the newest 200")
    waiting: int = Field(description="decisions that search does not find yet, up to 1,000")
