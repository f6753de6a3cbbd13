"""A home in the making, and what its story is made of: the model, the policy, messages, results, lists.

Runs only on a checkout of the version to be kept, whose modules `its_code` names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from its_code import (
    DECISIONS,
    DECLARATIONS,
    UNMAPPED,
    Archive,
    Desk,
    LinkingSwitch,
    Message,
    Settings,
    Store,
    body,
    build_world,
    checkpoint,
    declared,
    gate_outcomes,
    ingest_manifest,
    ingest_outcomes,
    learn,
    load_policy,
    open_desk,
    open_journal,
    open_store,
    outcome_rows,
    rows_of,
    standard_policy,
    with_applications,
)

NAME = "kept"  # of the registered model
LEARNED_DAYS, LEARNED_A_DAY = 20, 300  # a larger world, of which only the models are kept
DAYS = 18  # of the kept world
REMEMBERED_DAYS = 9  # ingested; the days after them are scored
HANDS = {  # of the standard policy, and so few that many consignments are let go
    "physical = 3 ": "physical = 1 ", "scan = 0": "scan = 1", "documents = 6 ": "documents = 1 ",
    "audit = 6 ": "audit = 1 ", "physical = 12": "physical = 3", "documents = 24": "documents = 2",
    "audit = 24": "audit = 2",
}  # fmt: skip
FAR = timedelta(days=60)  # so long watch lists count as fresh: those of the story are imported in its own time


@dataclass(frozen=True, slots=True)
class Place:
    """A home, the files of its world, and the first day of that world."""

    settings: Settings
    world: Path
    start: date

    def at(self, day: int, hour: int = 12) -> datetime:
        """A moment of the story."""
        return datetime(self.start.year, self.start.month, self.start.day, hour, tzinfo=UTC) + timedelta(days=day)

    def manifest(self, day: int) -> Path:
        return self.world / "manifests" / f"{self.start + timedelta(days=day)}.parquet"

    def archive(self) -> Archive:
        return Archive(self.settings.archive)

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self.settings)
        yield store
        store.close()

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        desk = open_desk(self.settings)
        yield desk
        desk.journal.store.close()

    def sign(self, day: int) -> None:
        """Sign how far the chain reaches."""
        with self.store() as store:
            checkpoint(store, self.settings.checkpoints, self.settings.keys, self.at(day, 23))


def learned_home(folder: Path) -> Path:
    """A home that holds two registered versions of a small model and nothing of the world that they learned in."""
    build_world(LEARNED_DAYS, LEARNED_A_DAY, 5, folder / "learned-world")
    settings = Settings(home=folder / "learned", store="")
    settings.home.mkdir(parents=True)
    switch_on(settings, datetime(2026, 1, 1, tzinfo=UTC))
    archive, journal = Archive(settings.archive), open_journal(settings)
    for file in sorted((folder / "learned-world" / "manifests").glob("*.parquet")):
        ingest_manifest(file, archive, journal)
    for file in sorted((folder / "learned-world" / "outcomes").glob("*.parquet")):
        ingest_outcomes(file, archive, journal)
    journal.store.close()
    for end in (datetime(2026, 1, 15, tzinfo=UTC), None):
        learn(settings, UNMAPPED, NAME, end=end)
    for record in settings.home.glob("store.db*"):
        shutil.rmtree(record) if record.is_dir() else record.unlink()
    shutil.rmtree(settings.archive)
    return settings.home


def switch_on(settings: Settings, at: datetime) -> None:
    LinkingSwitch(settings.linking).turn_on("A. Martin", "nobody in this world exists", at)


def policy_text(name: str) -> str:
    """The standard policy with all that can be switched on: chance, exploration, campaigns, applications."""
    text = standard_policy().replace('id = "standard-1"', f'id = "{name}"').replace("rate = 0.002", "rate = 0.08")
    text = text.replace("least = 0.05 ", "least = 0.0 ")
    for before, after in HANDS.items():
        text = text.replace(before, after)
    text += "\n[exploration]\nshare = 0.3\n\n[campaigns]\nchecks = 1\nworth = 0.05\ncarried = 'red'\n"
    granted = {"right_holder": "Sole Brands", "number": "FR-2026-0117", "words": ["soleil"], "hs": ["64"],
               "senders": ["Sole Brands Logistics"], "contact": "ipr@sole-brands.example",
               "small_consignments": True, "from": date(2026, 1, 1), "until": date(2030, 1, 1)}  # fmt: skip
    text = with_applications(text, [granted], "applications.csv")
    load_policy(text)
    return text


def under_one_roof(place: Place) -> list[dict[str, Any]]:
    """Seventy senders at the address of one forwarder: so many that it links nobody."""
    lodged_at = place.at(1, 9).isoformat()
    goods = [{"line_no": "1", "description": "phone case", "hs_code": "392690", "value": "4.00", "currency": "EUR"}]
    return [
        {"consignment_id": f"FORWARDED{number}", "version": "1", "stream": "express", "lodged_at": lodged_at,
         "office": "FRLYS1", "operator": "DHL", "consignor_name": f"Seller {chr(65 + number % 26)}{number} Trading",
         "consignor_address": "Harbour Road 1", "consignor_city": "Shenzhen", "consignor_country": "CN",
         "consignee_name": "Marie Durand", "consignee_country": "FR", "goods": goods}
        for number in range(70)
    ]  # fmt: skip


def decisions(store: Store, *where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """Decisions that stand, the riskiest first."""
    query = sa.select(DECISIONS).where(DECISIONS.c.stands, DECISIONS.c.salt.is_not(None), *where)
    with store.reading() as connection:
        ordered = query.order_by(DECISIONS.c.risk.desc(), DECISIONS.c.decision_id)
        return [dict(row) for row in connection.execute(ordered).mappings()]


def mailboxes(store: Store, ids: Sequence[str]) -> list[str]:
    """The mailboxes that the senders of some consignments state."""
    with store.reading() as connection:
        found = connection.execute(sa.select(DECLARATIONS.c.body).where(DECLARATIONS.c.consignment_id.in_(ids)))
        return sorted({body["consignor_email"] for (body,) in found if body and body.get("consignor_email")})


def a_list(emails: Sequence[str]) -> bytes:
    return "\n".join(["name,email,country", *(f"Subject {n},{e},CN" for n, e in enumerate(emails))]).encode()


def segments(place: Place) -> Path:
    """The folder of settled history."""
    with place.store() as store:
        return store.segments.folder


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """A folder is not there, as when a drive is lost."""
    elsewhere = folder.parent.with_name(f"{folder.name}.away")
    folder.rename(elsewhere)
    yield
    shutil.rmtree(folder, ignore_errors=True)
    elsewhere.rename(folder)


def sent(place: Place, name: str, day: int, numbers: Sequence[int]) -> Message:
    """A message of a carrier, read."""
    told = [declared(n, lodged_at=place.at(day, 10) + timedelta(seconds=n)) for n in numbers]
    return Message(rows_of(body(*told, message_id=name))[0], name=name, received_at=place.at(day, 10))


def learned(place: Place, told: Sequence[dict[str, Any]]) -> None:
    """Record inspection results as they come by a call."""
    journal = open_journal(place.settings)
    journal.learn(gate_outcomes(outcome_rows({"outcomes": told})[0]).accepted)
    journal.store.close()


def result_of(decision: dict[str, Any], known_at: datetime, *, hit: bool, **more: Any) -> dict[str, Any]:
    """The result of the check that a decision asked for."""
    chosen = {name: decision["body"][name] for name in ("selection", "selection_probability")}
    chosen = {"selection": "unknown"} if chosen["selection"] == "none" else chosen
    told = {"result": "non_compliant", "findings": "counterfeit"} if hit else {"result": "compliant"}
    names = ("consignment_id", "known_at", "stage", "result", "findings", "criminal_link", "selection",
             "selection_probability", "items_found", "value_found", "currency", "right_holder", "officer")  # fmt: skip
    own = {"consignment_id": decision["consignment_id"], "known_at": known_at.isoformat(), "stage": "clearance"}
    return dict.fromkeys(names) | own | chosen | told | more
