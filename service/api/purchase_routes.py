"""Test purchases over the API: parse, call one function, answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field, StringConstraints

from features.fault import Fault
from service.access.guard import principal_of
from service.access.principal import Principal
from service.api.answer_models import Answer
from service.api.bodies import STRICT
from service.api.body_reading import BoundedRoute
from service.api.error_responses import refused
from service.api.live_desk import desk_of
from service.desk import Desk
from service.officers import purchases as bought

router = APIRouter(route_class=BoundedRoute)
Short = Annotated[str, StringConstraints(max_length=500)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Office = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Ordered(BaseModel):
    """A test purchase: what is known of the shop, the goods, and the name that the parcel is addressed to."""

    model_config = STRICT
    office: Office
    shop: dict[Literal[bought.SHOP], Short]  # type: ignore[valid-type]
    goods: Short
    price: Short = ""
    alias: dict[Literal[bought.ALIAS], Short] = Field(  # type: ignore[valid-type]
        description="protected: shown to whoever ordered, and to nobody else"
    )


class Noted(BaseModel):
    """What happened to a test purchase."""

    model_config = STRICT
    purchase_id: Code
    step: Literal["expected", "arrived", "examined", "closed"]
    number: Annotated[str, StringConstraints(max_length=200), Field(description="of the parcel expected or come")] = ""
    result: Literal[bought.RESULTS] | None = None  # type: ignore[valid-type]
    findings: list[Short] = Field(default_factory=list, max_length=20)


class TestPurchase(Answer):
    """A test purchase, and what was noted of it: step by the moment in microseconds since 1970."""

    purchase_id: str
    office: str
    officer: str
    shop: dict[str, str]
    goods: str | None
    price: str | None
    alias: dict[str, str] | Literal["protected"]
    expected: str | None
    consignment_id: str | None
    result: str | None
    findings: list[str]
    noted: dict[str, int]


class TestPurchases(Answer):
    """The test purchases of an office, the newest first."""

    office: str
    purchases: list[TestPurchase]


@router.get("/v1/purchases", response_model=None, responses={200: {"model": TestPurchases}})
def get_purchases(
    office: Annotated[str, Query(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")],
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """The test purchases of an office. The name that was used is shown to whoever ordered, and to nobody else."""
    if not principal.sees(office):
        raise HTTPException(403)
    found = bought.purchases(desk.journal.store, (office,))
    return {"office": office, "purchases": [one.shown_to(principal.name) for one in found]}


@router.post("/v1/purchases", status_code=201, response_model=None, responses={201: {"model": TestPurchase}})
def post_purchase(
    body: Ordered,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Record the order of a test purchase in the name of the caller."""
    if not principal.sees(body.office):
        raise HTTPException(403)
    shop, alias = dict(body.shop), dict(body.alias)
    placed = bought.Order(shop, body.goods, alias, body.office, principal.name, datetime.now(UTC), body.price)
    try:
        return bought.order(desk.journal.store, placed).shown_to(principal.name)
    except Fault as fault:
        raise refused(fault, "cannot be noted") from None


@router.post("/v1/purchases/notes", status_code=201, response_model=None, responses={201: {"model": TestPurchase}})
def post_purchase_note(
    body: Noted,
    desk: Desk = Depends(desk_of),  # noqa: B008
    principal: Principal = Depends(principal_of),  # noqa: B008
) -> dict[str, Any]:
    """Note the parcel that is expected or came, what was found in it, or the end of a test purchase.

    A finding of an offence lists the shop, and its other parcels follow.
    """
    store, at = desk.journal.store, datetime.now(UTC)
    who = (at, principal.name, principal.offices)
    try:
        if body.step == "expected":
            done = bought.expect(store, body.purchase_id, body.number, *who)
        elif body.step == "arrived":
            done = bought.arrive(store, body.purchase_id, body.number, *who)
        elif body.step == "examined":
            done = bought.examine(store, body.purchase_id, body.result or "", body.findings, *who)
        else:
            done = bought.close(store, body.purchase_id, *who)
    except Fault as fault:
        raise refused(fault, "cannot be noted") from None
    return done.shown_to(principal.name)
