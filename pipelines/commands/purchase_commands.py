"""`tamis purchases`: test purchases, from the order to the finding; the shop's other parcels follow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import DAYS, current_settings
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from service.officers.purchases import Purchase
    from service.store.database import Store

purchases = typer.Typer(cls=TamisGroup, help="Test purchases: order, parcel, finding.", no_args_is_help=True)
Number = Annotated[str, typer.Argument(help="number of the purchase, TP-…")]
Officer = Annotated[str, typer.Option(help="pseudonymous id of the officer")]
At = Annotated[datetime | None, typer.Option(formats=[*DAYS, "%Y-%m-%dT%H:%M"], help="when; now where absent")]


@purchases.command("order")
def order_goods(
    goods: Annotated[str, typer.Argument(help="what was ordered")],
    officer: Officer,
    office: Annotated[str, typer.Option(help="office whose purchase it is")],
    shop: Annotated[
        list[str] | None,
        typer.Option(help="what is known of the shop, as FIELD=TEXT: name, url, account, email, phone, iban …"),
    ] = None,
    alias: Annotated[
        list[str] | None,
        typer.Option(help="the name used, as FIELD=TEXT: name, address, city, postcode, country, phone, email"),
    ] = None,
    price: Annotated[str, typer.Option(help="what was paid, with the currency")] = "",
    at: At = None,
) -> None:
    """Record an order. The name that was used is protected: no list and no network takes it for an offender."""
    from service.officers.purchases import Order, order

    store = _open()
    placed = Order(_fields(shop, "--shop"), goods, _fields(alias, "--alias"), office, officer, _at(at), price)
    _tell(order(store, placed), officer)
    store.close()


@purchases.command("expect")
def expect_parcel(
    purchase: Number,
    officer: Officer,
    number: Annotated[str, typer.Option(help="as the shop states it")],
    at: At = None,
) -> None:
    """Note the number under which the parcel is expected."""
    from service.officers.purchases import expect

    store = _open()
    _tell(expect(store, purchase, number, _at(at), officer), officer)
    store.close()


@purchases.command("arrive")
def note_arrival(
    purchase: Number,
    officer: Officer,
    consignment: Annotated[str, typer.Option(help="the parcel that came")],
    at: At = None,
) -> None:
    """Note the parcel that came."""
    from service.officers.purchases import arrive

    store = _open()
    _tell(arrive(store, purchase, consignment, _at(at), officer), officer)
    store.close()


@purchases.command("examine")
def examine_parcel(
    purchase: Number,
    officer: Officer,
    result: Annotated[str, typer.Option(help="compliant, non_compliant or inconclusive")],
    finding: Annotated[list[str] | None, typer.Option(help="what was found; may be given several times")] = None,
    at: At = None,
) -> None:
    """Note what was found; the shop of an offence goes on the list `test-purchases`."""
    from service.officers.purchases import examine

    store = _open()
    _tell(examine(store, purchase, result, finding or [], _at(at), officer), officer)
    store.close()


@purchases.command("close")
def close_purchase(purchase: Number, officer: Officer, at: At = None) -> None:
    """Note that nothing more is expected."""
    from service.officers.purchases import close

    store = _open()
    _tell(close(store, purchase, _at(at), officer), officer)
    store.close()


@purchases.command("show")
def show_purchases(
    officer: Officer,
    office: Annotated[str, typer.Option(help="of this office alone; of all where absent")] = "",
) -> None:
    """All test purchases, the newest first, with the parcels that may be the ones expected.

    The name that was used is shown to the officer who ordered.
    """
    from service.officers.purchases import candidates
    from service.officers.purchases import purchases as purchases_of
    from service.record.ownership import EVERY_OFFICE

    store = _open()
    found = purchases_of(store, (office or EVERY_OFFICE,))
    for one in found:
        _tell(one, officer)
        if one.consignment_id is None and "closed" not in one.noted:
            for number in candidates(store, one):
                show.line(f"  may be it: {number}")
    show.line(show.counted(len(found), "test purchase"))
    store.close()


@purchases.command("erase")
def erase_one(
    purchase: Number,
    by: Annotated[str, typer.Option(help="who erases")],
    reason: Annotated[str, typer.Option(help="on what ground")],
) -> None:
    """Delete what was noted of a purchase, with the name used. The audit log stays verifiable."""
    from service.officers.purchases import erase_purchase

    store = _open()
    erased = erase_purchase(store, purchase, by, reason, datetime.now(UTC))
    store.close()
    show.line(f"erased {show.counted(erased, 'note')} of {purchase}")


def _tell(purchase: Purchase, officer: str) -> None:
    shown = purchase.shown_to(officer)
    shop = ", ".join(purchase.shop.values()) or "erased"
    steps = ", ".join(purchase.noted)
    show.line(f"{purchase.purchase_id} {purchase.office}: {purchase.goods} of {shop}; {steps}")
    if isinstance(shown["alias"], dict):
        show.line(f"  name used: {', '.join(shown['alias'].values())}")
    if purchase.result:
        show.line(f"  {purchase.result}: {', '.join(purchase.findings) or 'nothing'} in {purchase.consignment_id}")


def _fields(stated: list[str] | None, option: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in stated or ()]
    if not all(found for _, found, _ in pairs):
        raise Fault(f"{option}: give FIELD=TEXT, such as name=…")
    return {name.strip(): text for name, _, text in pairs}


def _at(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)


def _open() -> Store:
    from service.store.database import open_store

    return open_store(current_settings())
