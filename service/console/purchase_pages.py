"""Test purchases in the console: order, note the parcel that is expected and the one that came, say what was found."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console.rendering import address_of, form_of, kinds_of, language_of, now, page, text_of, to
from service.console.translations import in_language
from service.officers import purchases as bought
from service.officers.offices import unseen
from service.officers.purchases import Purchase
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
HERE = "/console/purchases"
OF_SHOP = {  # what is known of a shop, by the word for it
    "name": "name", "url": "seller_url", "account": "seller_account", "email": "consignor_email",
    "phone": "consignor_phone", "address": "consignor_address", "country": "consignor_country", "iban": "iban",
}  # fmt: skip
OF_ALIAS = {name: "name" if name == "name" else f"consignee_{name}" for name in bought.ALIAS}


@router.get(HERE)
def purchases_page(request: Request) -> Response:
    """The test purchases of the offices that one sees, the newest first."""
    return _show(request)


@router.post(HERE)
def order_purchase(request: Request, form: Form) -> Response:
    """Record an order in the name of who is logged in."""
    me, office = principal_of(request), text_of(form, "office")
    if office and not me.sees(office):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    shop, alias = (
        {name: text_of(form, f"{part}_{name}") for name in names}
        for part, names in (("shop", bought.SHOP), ("alias", bought.ALIAS))
    )
    placed = bought.Order(shop, text_of(form, "goods"), alias, office, me.name, now(), text_of(form, "price"))
    try:
        ordered = bought.order(desk_of(request).journal.store, placed)
    except Fault as fault:
        return _show(request, str(fault), form)
    return to(f"{HERE}#{ordered.purchase_id}")


@router.post(HERE + "/{purchase}")
def note_purchase(request: Request, purchase: str, form: Form) -> Response:
    """Note the number expected, the parcel that came, what was found in it, or the end."""
    act = ACTS.get(text_of(form, "step"))
    if act is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        act(request, purchase, form)
    except Fault as fault:
        return _show(request, str(fault))
    return to(f"{HERE}#{purchase}")


def _show(request: Request, fault: str = "", typed: FormData | None = None) -> Response:
    store, me = desk_of(request).journal.store, principal_of(request)
    found = bought.purchases(store, me.offices)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    kept = {name: text for name, text in (typed.multi_items() if typed else ()) if isinstance(text, str)}
    return page(
        request, "purchases", status, fault=fault, rows=[_row(request, store, one) for one in found], typed=kept,
        of_shop=OF_SHOP, of_alias=OF_ALIAS, office="" if me.sender.sees_all else me.offices[0],
        results=bought.RESULTS, findings=kinds_of(request).codes, field=in_language(language_of(request), "field"),
    )  # fmt: skip


def _row(request: Request, store: Store, one: Purchase) -> dict[str, Any]:
    """Return a purchase as who is logged in sees it; the parcels that may be it tell the name used, as that does."""
    me = principal_of(request)
    shown = one.shown_to(me.name)
    waits = one.consignment_id is None and bought.STEPS[-1] not in one.noted and shown["alias"] != bought.PROTECTED
    may_be = bought.candidates(store, one) if waits else []
    others = unseen(store, me, may_be)
    parcel = one.consignment_id
    place = address_of(parcel) if parcel and not unseen(store, me, [parcel]) else ""
    alias = shown["alias"] if isinstance(shown["alias"], dict) else {}
    return {
        **shown, "used": alias, "may_be": [number for number in may_be if number not in others], "place": place,
        "closed": bought.STEPS[-1] in one.noted,
    }  # fmt: skip


def _expect(request: Request, purchase: str, form: FormData) -> None:
    me, store = principal_of(request), desk_of(request).journal.store
    bought.expect(store, purchase, text_of(form, "number"), now(), me.name, me.offices)


def _arrive(request: Request, purchase: str, form: FormData) -> None:
    me, store = principal_of(request), desk_of(request).journal.store
    number = text_of(form, "number")
    if unseen(store, me, [number]):
        raise Fault("consignment_id: no declaration of this consignment is on record")
    bought.arrive(store, purchase, number, now(), me.name, me.offices)


def _examine(request: Request, purchase: str, form: FormData) -> None:
    me, store = principal_of(request), desk_of(request).journal.store
    findings = [str(one) for one in form.getlist("findings")]
    bought.examine(store, purchase, text_of(form, "result"), findings, now(), me.name, me.offices)


def _close(request: Request, purchase: str, form: FormData) -> None:  # noqa: ARG001 - one signature for all steps
    me = principal_of(request)
    bought.close(desk_of(request).journal.store, purchase, now(), me.name, me.offices)


Act = Callable[[Request, str, FormData], None]
ACTS: dict[str, Act] = {"expected": _expect, "arrived": _arrive, "examined": _examine, "closed": _close}
