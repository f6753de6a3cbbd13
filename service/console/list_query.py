"""The address of a work list: what it shows and in which order, read from a query and written as one."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from starlette.exceptions import HTTPException

from service.officers.queue import Stage
from service.officers.work_list import Asked, Holder, Order
from service.orientation.lanes import Lane

DAY = r"^(\d{4}-\d{2}-\d{2})?$"
FIRST_DESCENDING = ("risk", "lane")  # a first click on these columns shows the highest first
Percent = Annotated[int, BeforeValidator(lambda typed: 0 if typed == "" else typed), Field(ge=0, le=100)]
Unit = Annotated[str, Field(max_length=100)]


class ListQuery(BaseModel):
    """What a person asks of a work list; every field has a default, and an empty one says nothing.

    least: of the risk, in per cent. beyond: how many to pass over. at: the consignment that the page begins to work on.
    """

    model_config = {"frozen": True}

    office: Unit = ""
    stage: Stage = "clearance"
    lane: Annotated[str, Field(max_length=10)] = ""
    day: Annotated[str, Field(pattern=DAY)] = ""
    least: Percent = 0
    holder: Holder = ""
    networked: bool = False
    order: Order = "risk"
    descending: bool = True
    beyond: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    at: Unit = ""
    kind: Annotated[str, Field(max_length=30)] = ""

    def asked(self, first: date, last: date, me: str) -> Asked:
        """Say the same to the record, for days that are chosen."""
        return Asked(
            self.office, self.stage, first, last, self.lane if self.lane in Lane.__members__ else "", self.least / 100,
            self.holder, self.networked, me, self.order, self.descending, self.kind,
        )  # fmt: skip

    @property
    def chosen_day(self) -> date | None:
        """The day as a date field sends it, or none; 422 for one that no calendar has."""
        return day_typed(self.day)

    def with_(self, **changes: Any) -> ListQuery:
        """Return the same list with other choices; from its first page, unless `beyond` is among them."""
        return self.model_copy(update={"beyond": 0, "at": "", **changes})

    def ordered_by(self, order: Order) -> ListQuery:
        """Return the list in another order; by the same column, the other way round."""
        same = order == self.order
        return self.with_(order=order, descending=not self.descending if same else order in FIRST_DESCENDING)

    def __str__(self) -> str:
        """Write it as a query, without what says nothing."""
        stated = self.model_dump(exclude_defaults=True)
        written = {name: str(value).lower() if isinstance(value, bool) else value for name, value in stated.items()}
        return urlencode({"office": self.office, "stage": self.stage} | written)


def day_typed(text: str) -> date | None:
    """Read a day as a date field sends it, or none; 422 for one that no calendar has."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY) from None


def list_query(text: str) -> ListQuery | None:
    """Read a list's query as a form sends it along; None for one that names no list."""
    given = dict(parse_qsl(text))
    try:
        return ListQuery.model_validate(given) if given.get("office") else None
    except ValidationError:
        return None
