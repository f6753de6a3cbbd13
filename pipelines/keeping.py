"""`tamis erase` and `tamis retain`: what must go, by name or by age, and what is kept no longer, by class of file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines import show
from service.settings import Settings

DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be erased")]
By = Annotated[str, typer.Option(help="who erases")]


def erase(
    consignments: Annotated[
        list[str] | None, typer.Option("--consignment", help="one to erase; may be repeated")
    ] = None,
    lodged_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="all lodged before this day")
    ] = None,
    by: By = "",
    reason: Annotated[str, typer.Option(help="on what ground")] = "",
    dry_run: DryRun = False,
) -> None:
    """Erase what was declared, decided and noted of consignments; the audit chain still holds and says so."""
    from service.erasing import chosen
    from service.store import open_store

    settings = Settings()
    before = lodged_before.replace(tzinfo=UTC) if lodged_before else None
    store = open_store(settings)
    ids = chosen(store, consignments or [], before)
    store.close()
    _erase(settings, ids, by, reason, dry_run, "")


def retain(by: By = "", dry_run: DryRun = False) -> None:
    """Erase every file whose time is over: compliant controls, findings, and what nobody looked at, each after its own.

    The periods are settings: TAMIS_KEEP_COMPLIANT_DAYS, TAMIS_KEEP_NON_COMPLIANT_DAYS, TAMIS_KEEP_NOT_INSPECTED_DAYS.
    """
    from service.parties import forget_old
    from service.records import micros
    from service.retention import due, periods
    from service.store import open_store

    settings, now = Settings(), datetime.now(UTC)
    store = open_store(settings)
    kept = periods(settings)
    over = due(store, kept, now)
    store.close()
    for kind, ids in over.items():
        reason = f"retention: {kind.replace('_', ' ')} after {kept[kind].days} days"
        _erase(settings, ids, by, reason, dry_run, f"{kind.replace('_', ' ')} for {kept[kind].days:,} days: ")
    store = open_store(settings)
    forgotten = forget_old(store, micros(now), dry_run=dry_run)
    store.close()
    show.line(
        f"{'would forget' if dry_run else 'forgot'} {forgotten:,} senders that nobody has declared for three years"
    )


def _erase(settings: Settings, ids: list[str], by: str, reason: str, dry_run: bool, what: str) -> None:
    from pipelines.archive import Archive
    from service.erasing import erase as erased
    from service.store import open_store

    store = open_store(settings)
    done = erased(store, ids, by, reason, datetime.now(UTC), dry_run=dry_run)
    store.close()
    archived = Archive(settings.archive).erase(ids, dry_run=dry_run)
    show.line(
        f"{what}{'would erase' if dry_run else 'erased'} {done.consignments:,} consignments: {done.declarations:,} "
        f"declarations, {done.decisions:,} decisions, {done.outcomes:,} outcomes; {archived:,} rows of the archive"
    )
