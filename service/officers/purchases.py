"""Test purchases: the order, the name it was made under, the parcel that is expected, the one that came, the finding.

A purchase is the list of what was noted of it, and nothing is ever changed in that list; each note is on the audit log.
The shop of a purchase that proved an offence is a subject of a list of its own, and so its other parcels follow. The
parcel was ordered, not chosen: its finding is no inspection result, and no model learns from it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.finding_words import kind_of_finding
from features.intelligence import STATEMENTS
from features.moments import micros
from service.canonical import canonical
from service.parties.aliases import forget_alias, keep_alias
from service.parties.listed_addressees import as_addressees, consignments_to
from service.parties.watch_lists import expire, import_list
from service.record.audit_log import Entry, append
from service.record.lifting import lift
from service.record.numbers_meant import number_meant
from service.record.ownership import EVERY_OFFICE
from service.record.record_kind import sign
from service.record.record_kinds import PURCHASE
from service.record.search_index import catch_up
from service.store.bulk_rows import update_rows
from service.store.database import Store
from service.store.purchase_tables import PURCHASE_NOTES
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS, LISTS

STEPS = ("ordered", "expected", "arrived", "examined", "closed")
SHOP = ("name", "url", "account", "email", "phone", "address", "country", "iban")
ALIAS = ("name", "address", "city", "postcode", "country", "phone", "email", "id")
LIST = "test-purchases"
RESULTS = ("compliant", "non_compliant", "inconclusive")
OF_SENDER = {  # what a parcel that came states of its shop
    "name": "consignor_name", "email": "consignor_email", "phone": "consignor_phone", "country": "consignor_country",
    "url": "seller_url", "account": "seller_account",
}  # fmt: skip
ADDRESS = ("consignor_address", "consignor_city", "consignor_postcode")
PROTECTED = "protected"


@dataclass(frozen=True, slots=True)
class Order:
    """A test purchase as it was ordered: what is known of the shop, the goods, and the name used."""

    shop: Mapping[str, str]
    goods: str
    alias: Mapping[str, str]
    office: str
    officer: str
    at: datetime
    price: str = ""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One test purchase: its notes folded. consignment_id: of the parcel that came; result: of its examination."""

    purchase_id: str
    office: str
    officer: str
    shop: Mapping[str, str]
    goods: str
    price: str
    alias: Mapping[str, str]
    noted: Mapping[str, int]
    expected: str | None = None
    consignment_id: str | None = None
    result: str | None = None
    findings: tuple[str, ...] = ()

    def shown_to(self, caller: str) -> dict[str, Any]:
        """Return a purchase as a caller sees it: the name that was used is for whoever ordered alone."""
        names = ("purchase_id", "office", "officer", "goods", "price", "expected", "consignment_id", "result")
        rest = {name: getattr(self, name) or None for name in names}
        alias = dict(self.alias) if caller == self.officer and self.alias else PROTECTED
        return {
            **rest,
            "shop": dict(self.shop),
            "findings": list(self.findings),
            "alias": alias,
            "noted": dict(self.noted),
        }


def order(store: Store, placed: Order) -> Purchase:
    """Record an order; what the name used in it states is protected from then on."""
    shop, alias = _filled(placed.shop, SHOP, "shop"), _filled(placed.alias, ALIAS, "alias")
    if not set(shop) - {"country", "address"}:
        raise Fault("shop: say by what it is known, such as its url, account or email")
    if "name" not in alias or not placed.office.strip() or not placed.officer.strip():
        raise Fault("alias: needs the name that the parcel is addressed to, an office and an officer")
    purchase_id = f"TP-{secrets.token_hex(5).upper()}"
    body = {"shop": shop, "goods": placed.goods, "price": placed.price, "alias": alias}

    def work(connection: sa.Connection) -> None:
        _sign(connection, purchase_id, "ordered", placed.at, (placed.office, placed.officer), body)
        keep_alias(connection, purchase_id, alias)

    store.write(work)
    return _of(store, purchase_id, (EVERY_OFFICE,))


def expect(
    store: Store, purchase_id: str, number: str, at: datetime, officer: str, offices: Collection[str] = (EVERY_OFFICE,)
) -> Purchase:
    """Note the number under which the parcel is expected, as the shop states it."""
    return _note(store, purchase_id, "expected", at, officer, offices, {"number": number.strip()})


def arrive(
    store: Store, purchase_id: str, consignment_id: str, at: datetime, officer: str,
    offices: Collection[str] = (EVERY_OFFICE,),
) -> Purchase:  # fmt: skip
    """Note the parcel that came, which is on record."""
    number = number_meant(store, consignment_id)
    if _declared(store, number) is None:
        raise Fault("consignment_id: no declaration of this consignment is on record")
    return _note(store, purchase_id, "arrived", at, officer, offices, {}, number)


def examine(
    store: Store, purchase_id: str, result: str, findings: Sequence[str], at: datetime, officer: str,
    offices: Collection[str] = (EVERY_OFFICE,),
) -> Purchase:  # fmt: skip
    """Note what was found in the parcel; the shop of an offence is listed, and its other parcels follow."""
    if result not in RESULTS:
        raise Fault(f"result: is none of {', '.join(RESULTS)}")
    kinds = [kind_of_finding(word) for word in findings]
    if None in kinds or (result == "non_compliant" and not kinds):
        raise Fault("findings: say what was found, in the words of inspection results")
    if _of(store, purchase_id, offices).consignment_id is None:
        raise Fault("step: no parcel of this purchase has come yet; note it first")
    body = {"result": result, "findings": sorted({kind for kind in kinds if kind})}
    done = _note(store, purchase_id, "examined", at, officer, offices, body)
    list_shops(store, officer, at)
    return done


def close(
    store: Store, purchase_id: str, at: datetime, officer: str, offices: Collection[str] = (EVERY_OFFICE,)
) -> Purchase:
    """Note that nothing more is expected of a purchase."""
    return _note(store, purchase_id, "closed", at, officer, offices, {})


def purchases(store: Store, offices: Collection[str] = (EVERY_OFFICE,)) -> list[Purchase]:
    """Return the purchases of offices, the newest first; none that was erased."""
    with store.reading() as connection:
        rows = connection.execute(
            sa.select(PURCHASE_NOTES).where(PURCHASE_NOTES.c.salt.is_not(None)).order_by(PURCHASE_NOTES.c.note_id)
        ).mappings()
        noted: dict[str, list[Any]] = {}
        for row in rows:
            if EVERY_OFFICE in offices or row["office"] in offices:
                noted.setdefault(row["purchase_id"], []).append(row)
    whole = [_folded(notes) for notes in noted.values() if notes[0]["step"] == STEPS[0]]
    return sorted(whole, key=lambda purchase: -purchase.noted[STEPS[0]])


def candidates(store: Store, purchase: Purchase) -> list[str]:
    """Return the consignments on record that are addressed to the name used: one of them is the parcel expected."""
    catch_up(store)
    stated = [("alias", "alias", name, text, "") for name, text in _as_listed(purchase.alias).items()]
    subject = as_addressees(_frame(stated), store.pseudonyms)["alias"]
    with store.reading() as connection:
        return consignments_to(connection, [{**subject, "values": []}])


def erase_purchase(store: Store, purchase_id: str, by: str, reason: str, now: datetime) -> int:
    """Erase what was noted of a purchase, with the name used; returns the number of notes. The log stays verifiable."""
    if not by.strip() or not reason.strip():
        raise Fault("an erasure needs a name and a reason: --by NAME --reason TEXT")

    def work(connection: sa.Connection) -> int:
        which = (PURCHASE_NOTES.c.purchase_id == purchase_id, PURCHASE_NOTES.c.salt.is_not(None))
        rows = [dict(row) for row in connection.execute(sa.select(PURCHASE_NOTES.c.note_id).where(*which)).mappings()]
        update_rows(connection, PURCHASE_NOTES, {"salt": None, **PURCHASE.erased}, *which)
        forget_alias(connection, purchase_id)
        content = canonical({"by": by, "reason": reason}).decode()
        append(connection, [Entry("erasure", PURCHASE.subject_of(row), content) for row in rows], micros(now))
        return len(rows)

    erased = store.write(work)
    store.forget_former_pages()
    if erased:
        list_shops(store, by, now)
    return erased


def list_shops(store: Store, by: str, at: datetime) -> None:
    """Import the shops of purchases that proved an offence as one list; its screening and its expiry are any list's."""
    lines = [line for one in purchases(store) if one.result == "non_compliant" for line in _as_ftm(store, one)]
    if lines:
        content = "\n".join(lines).encode()
        import_list(store, LIST, content, source="test purchases", by=by, at=micros(at))
        return
    ended = (LISTS.c.list_id == LIST, LISTS.c.status == "active")
    with store.reading() as connection:
        is_active = connection.execute(sa.select(LISTS.c.version).where(*ended)).first() is not None
    if is_active:
        store.write(lambda connection: update_rows(connection, LISTS, {"expires_at": micros(at)}, *ended))
        expire(store, micros(at))


def _as_ftm(store: Store, purchase: Purchase) -> list[str]:
    """Return the shop of a purchase as FollowTheMoney entities, with what the parcel that came states of it."""
    known: dict[str, list[str]] = {name: [text] for name, text in purchase.shop.items()}
    declared = _declared(store, purchase.consignment_id) if purchase.consignment_id else None
    for name, column in OF_SENDER.items():
        if declared and declared.get(column):
            known.setdefault(name, []).append(str(declared[column]))
    if declared and declared.get(ADDRESS[0]):
        known.setdefault("address", []).append(", ".join(str(declared[c]) for c in ADDRESS if declared.get(c)))
    names = {"url": "website"}
    identity = {names.get(n, n): list(dict.fromkeys(t)) for n, t in known.items() if n not in ("account", "iban")}
    entities: list[dict[str, Any]] = [{"id": purchase.purchase_id, "schema": "LegalEntity", "properties": identity}]
    for name, schema, prop in (("account", "UserAccount", "username"), ("iban", "BankAccount", "iban")):
        for text in dict.fromkeys(known.get(name, ())):
            held = {"id": f"{purchase.purchase_id}/{name}/{text}", "schema": schema}
            entities.append({**held, "properties": {prop: [text], "owner": [purchase.purchase_id]}})
    return [json.dumps(entity, sort_keys=True) for entity in entities]


def _of(store: Store, purchase_id: str, offices: Collection[str]) -> Purchase:
    found = next((one for one in purchases(store, offices) if one.purchase_id == purchase_id), None)
    if found is None:
        raise Fault("purchase_id: no test purchase of your offices has this number")
    return found


def _note(
    store: Store, purchase_id: str, step: str, at: datetime, officer: str, offices: Collection[str],
    body: Mapping[str, Any], consignment_id: str | None = None,
) -> Purchase:  # fmt: skip
    purchase = _of(store, purchase_id, offices)
    if step in purchase.noted and step != "expected":  # a shop that ships again states another number
        raise Fault(f"step: {step} was noted already")
    if STEPS[-1] in purchase.noted:
        raise Fault("step: the purchase is closed")
    if micros(at) < purchase.noted[STEPS[0]]:
        raise Fault("at: earlier than the order")

    def work(connection: sa.Connection) -> None:
        if consignment_id is not None:
            lift(connection, [consignment_id])
        _sign(connection, purchase_id, step, at, (purchase.office, officer), body, consignment_id)

    store.write(work)
    return _of(store, purchase_id, offices)


def _sign(
    connection: sa.Connection, purchase_id: str, step: str, at: datetime, who: tuple[str, str],
    body: Mapping[str, Any], consignment_id: str | None = None,
) -> None:  # fmt: skip
    office, officer = who
    row = {"purchase_id": purchase_id, "consignment_id": consignment_id, "step": step, "at": micros(at)}
    sign(connection, PURCHASE, {**row, "office": office, "officer": officer, "body": dict(body)}, micros(at))


def _folded(notes: Sequence[Any]) -> Purchase:
    first, bodies = notes[0], {row["step"]: row["body"] for row in notes}
    examined = bodies.get("examined", {})
    return Purchase(
        first["purchase_id"], first["office"], first["officer"], first["body"].get("shop", {}),
        first["body"].get("goods", ""), first["body"].get("price", ""), first["body"].get("alias", {}),
        {row["step"]: row["at"] for row in notes}, bodies.get("expected", {}).get("number"),
        next((row["consignment_id"] for row in notes if row["step"] == "arrived"), None),
        examined.get("result"), tuple(examined.get("findings", ())),
    )  # fmt: skip


def _filled(stated: Mapping[str, str], known: Collection[str], where: str) -> dict[str, str]:
    if unknown := set(stated) - set(known):
        raise Fault(f"{where}: {len(unknown)} fields are unknown; use {', '.join(known)}")
    return {name: text.strip() for name, text in stated.items() if text and text.strip()}


def _declared(store: Store, consignment_id: str) -> dict[str, Any] | None:
    query = sa.select(DECLARATIONS.c.body).where(
        DECLARATIONS.c.consignment_id == consignment_id, DECLARATIONS.c.body.is_not(sa.null())
    )
    with store.reading() as connection:
        body = connection.execute(query.order_by(DECLARATIONS.c.version.desc()).limit(1)).scalar()
        settled = declared_of(connection, ["body"], [consignment_id]) if body is None else []
    found = settled[0]["body"] if settled else body
    return dict(found) if found is not None else None


def _as_listed(alias: Mapping[str, str]) -> dict[str, str]:
    address = ", ".join(alias[name] for name in ("address", "postcode", "city") if name in alias)
    names = ("name", "email", "phone", "id", "country")
    return {name: alias[name] for name in names if name in alias} | ({"address": address} if address else {})


def _frame(rows: Sequence[tuple[str, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=STATEMENTS, orient="row")
