"""`tamis erase` and `tamis retain`: what must go, by name or by age, and what is kept no longer, by class of file."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import DAYS, current_settings

if TYPE_CHECKING:
    from service.settings import Settings

QUARANTINE = "quarantine"
FIELDS = "FIELD=TEXT…"
OfPerson = Annotated[
    list[str] | None,
    typer.Option("--person", help="what a person states of itself, as FIELD=TEXT; may be repeated"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be erased")]
By = Annotated[str, typer.Option(help="who erases")]


def erase(
    consignments: Annotated[
        list[str] | None, typer.Option("--consignment", help="one to erase; may be repeated")
    ] = None,
    lodged_before: Annotated[datetime | None, typer.Option(formats=DAYS, help="all lodged before this day")] = None,
    person: OfPerson = None,
    by: By = "",
    reason: Annotated[str, typer.Option(help="on what ground")] = "",
    dry_run: DryRun = False,
) -> None:
    """Delete the personal data of consignments. The audit log stays verifiable and records the deletion.

    Of a person: its consignments, its parties as an addressee, and what investigations say of it.
    """
    from service.audit.erasure import chosen
    from service.audit.persons import forget_addressee, on_record
    from service.officers.investigation_erasure import erase_entries
    from service.store.database import open_store

    settings = current_settings()
    before = lodged_before.replace(tzinfo=UTC) if lodged_before else None
    store = open_store(settings)
    stated = _stated(person)
    of_person = on_record(store, stated) if stated else None
    ids = chosen(store, [*(consignments or []), *(of_person.consignments if of_person else [])], before)
    store.close()
    _erase(settings, ids, by, reason, dry_run, "")
    if of_person is None:
        return
    if not dry_run:
        store = open_store(settings)
        erase_entries(store, of_person.entries, by, reason, datetime.now(UTC))
        show.line(f"forgot {show.counted(forget_addressee(store, stated), 'party', 'parties')} of the person")
        store.close()
    entries = show.counted(len(of_person.entries), "entry", "entries")
    show.line(f"{'would erase' if dry_run else 'erased'} {entries} of investigations")
    if of_person.documents:
        where = ", ".join(of_person.investigations)
        show.line(
            f"! {show.counted(of_person.documents, 'document')} attached to {where} may name the person: read them"
        )


def person(
    stated: Annotated[list[str], typer.Argument(help="what the person states of itself", metavar=FIELDS)],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for a program to read")] = False,
) -> None:
    """What is on record of a person: consignments, parties, lists that name it, and entries of investigations.

    A telephone, a mailbox or a number tells a person, or name, address and city; a name alone is a namesake's.
    """
    from service.audit.persons import on_record
    from service.store.database import open_store

    store = open_store(current_settings())
    found = on_record(store, _stated(stated))
    store.close()
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    for name, values in asdict(found).items():
        show.line(
            f"{name}: {', '.join(map(str, values)) or 'none'}" if isinstance(values, list) else f"{name}: {values}"
        )


def _stated(stated: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in stated or ()]
    if not all(found for _, found, _ in pairs):
        raise Fault("a person is stated as FIELD=TEXT, such as phone=…")
    return {name.strip(): text.strip() for name, _, text in pairs}


def retain(by: By = "", dry_run: DryRun = False) -> None:
    """Erase every file whose retention period is over: compliant controls, findings, and what was not inspected.

    Refused rows are kept as long as what was not inspected, closed investigations as long as findings.
    The periods are settings: TAMIS_KEEP_COMPLIANT_DAYS, TAMIS_KEEP_NON_COMPLIANT_DAYS, TAMIS_KEEP_NOT_INSPECTED_DAYS.
    """
    from features.moments import micros
    from pipelines.batch.refused_rows import expire_refused
    from service.audit.retention import due, due_purchases, periods
    from service.officers.investigation_erasure import due_investigations, erase_investigation
    from service.officers.purchases import erase_purchase
    from service.parties.graph_queries import ADDRESSEES
    from service.parties.stored_parties import forget_old
    from service.store.database import open_store

    settings, now = current_settings(), datetime.now(UTC)
    store = open_store(settings)
    kept = periods(settings)
    over = due(store, kept, now)
    store.close()
    for kind, ids in over.items():
        reason = f"retention: {kind.replace('_', ' ')} after {kept[kind].days} days"
        _erase(settings, ids, by, reason, dry_run, f"{kind.replace('_', ' ')} for {kept[kind].days:,} days: ")
    store = open_store(settings)
    bought = due_purchases(store, kept, now)
    for number in () if dry_run else bought:
        erase_purchase(store, number, by, "retention: its time is over", now)
    closed = due_investigations(store, kept["non_compliant"], now)
    for number in () if dry_run else closed:
        erase_investigation(store, number, by, "retention: its time is over", now)
    forgotten = forget_old(store, micros(now), dry_run=dry_run)
    addressees = forget_old(store, micros(now), dry_run=dry_run, tables=ADDRESSEES)
    store.close()
    expired = expire_refused(settings.home / QUARANTINE, now - kept["not_inspected"], dry_run=dry_run)
    show.line(f"{'would delete' if dry_run else 'deleted'} {show.counted(expired, 'file')} of refused rows")
    show.line(f"{'would erase' if dry_run else 'erased'} {show.counted(len(bought), 'test purchase')}")
    show.line(f"{'would erase' if dry_run else 'erased'} {show.counted(len(closed), 'closed investigation')}")
    show.line(
        f"{'would forget' if dry_run else 'forgot'} {show.counted(forgotten, 'sender')} and "
        f"{show.counted(addressees, 'addressee')} not declared for three years"
    )


def _erase(settings: Settings, ids: list[str], by: str, reason: str, dry_run: bool, what: str) -> None:
    from pipelines.batch.archive import Archive
    from pipelines.batch.refused_rows import erase_refused
    from pipelines.batch.remains import remaining, telling_values
    from service.audit.erasure import erase as erased
    from service.store.database import open_store

    store, archive = open_store(settings), Archive(settings.archive)
    telling = telling_values(store, archive, ids)
    done = erased(store, ids, by, reason, datetime.now(UTC), dry_run=dry_run)
    store.close()
    archived = archive.erase(ids, dry_run=dry_run)
    refused = erase_refused(settings.home / QUARANTINE, ids, dry_run=dry_run)
    show.line(
        f"{what}{'would erase' if dry_run else 'erased'} {show.counted(done.consignments, 'consignment')}: "
        f"{show.counted(done.declarations, 'declaration')}, {show.counted(done.decisions, 'decision')}, "
        f"{show.counted(done.outcomes, 'outcome')}; {show.counted(archived, 'row')} of the archive, "
        f"{show.counted(refused, 'refused row')}"
    )
    for place in remaining(settings, ids, telling):
        show.line(f"! {place.path} still holds it: {place.remedy}")
