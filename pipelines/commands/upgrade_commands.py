"""`tamis upgrade`, `backup` and `restore`: a store of an earlier version goes on, and a home survives its disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from service.runtime.private_files import close_to_others
from service.settings import Settings

if TYPE_CHECKING:
    from service.audit.upgrade import Plan
    from service.store.database import Store


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and change nothing")] = False,
    backup_done: Annotated[
        bool, typer.Option("--backup-done", help="make no backup first: there is one, and it was tried")
    ] = False,
) -> None:
    """Bring the store of an earlier version to the schema of this one; stop services first. Makes a backup before."""
    from pipelines.batch.name_anew import name_anew
    from pipelines.batch.search_archive import find_archived, lacks_any
    from service.audit.renaming import renaming_due
    from service.audit.upgrade import plan_upgrade, upgrading

    settings = Settings()
    with upgrading(settings) as store:
        plan = plan_upgrade(store)
        _say(plan)
        if dry_run:
            return
        if closed := close_to_others(settings.home):
            show.line(f"{show.counted(closed, 'file or folder', 'files and folders')} closed to other users")
        if plan.steps:
            _carry_out(plan, store, settings, backup_done=backup_done)
        elif not renaming_due(store) and not lacks_any(settings):
            return
        name_anew(settings, datetime.now(UTC), show.line)
        find_archived(settings, show.line)
    _verify(settings)


def _say(plan: Plan) -> None:
    if not plan.steps:
        show.line(f"the store has schema {plan.schema}, as this version needs: nothing to upgrade")
        return
    show.line(f"the store has schema {plan.schema}; what leads to {plan.steps[-1].number}:")
    for step in plan.steps:
        show.line(f"  {step.number}  {step.meaning}")


def _carry_out(plan: Plan, store: Store, settings: Settings, *, backup_done: bool) -> None:
    from pipelines.batch.archive import Archive
    from service.audit.upgrade import copy_before, leave_nothing_plain, run_steps

    now = datetime.now(UTC)
    if not backup_done:
        show.line(f"backup of the store in {copy_before(store, settings, plan.schema, now)}")
    run_steps(store, plan.steps, now, show.line)
    leave_nothing_plain(store)
    Archive(settings.archive).delete_plain()


def _verify(settings: Settings) -> None:
    """Check what the audit log vouches for, as `tamis verify` does."""
    from service.audit.verify import verify_record
    from service.store.database import open_store

    store = open_store(settings)
    found = verify_record(store, settings.checkpoints, settings.keys)
    store.close()
    for fault in found.faults:
        show.line(fault)
    if not found.holds:
        raise Fault(f"{found.wrong:,} faults: the record is not as it was written")
    show.line(f"{found.entries:,} entries verified: the record is as it was written")


def backup(
    to: Annotated[Path, typer.Option("--to", help="a new folder, or a new file that ends in .tar or .tar.gz")],
) -> None:
    """Copy the whole home while services run: store, settled history, archive, bundles, keys, checkpoints, registry."""
    from service.store.home_backup import back_up

    copy = back_up(Settings(), to, datetime.now(UTC))
    show.line(f"{copy.files:,} files, {copy.size / 1e6:,.1f} MB, schema {copy.schema or 'none'}, in {copy.path}")
    show.line("it holds the keys of this installation: keep it where only those may read who may read the home")


def restore(
    source: Annotated[Path, typer.Argument(help="what `tamis backup` wrote, folder or file", exists=True)],
    home: Annotated[Path, typer.Option("--home", help="a new folder; TAMIS_STORE names an empty PostgreSQL database")],
) -> None:
    """Put a backup into a new home, check every file of it by its hash, and verify the record."""
    from service.store.home_backup import restore as put_back
    from service.store.schema import OtherSchema

    put_back(source, home, Settings().store)
    settings = Settings(home=home)
    show.line(f"restored to {home}; it serves with TAMIS_HOME={home}")
    try:
        _verify(settings)
    except OtherSchema as older:
        show.line(str(older))
