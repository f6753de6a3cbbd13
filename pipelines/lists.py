"""`tamis lists`: watch lists in, approved by a second person where they shrink, and what there is of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from service.settings import Settings

if TYPE_CHECKING:
    from service.lists import Imported
    from service.store import Store

lists = typer.Typer(help="Watch lists: FollowTheMoney JSON lines, STIX 2.1 bundles, CSV.", no_args_is_help=True)
Identifier = Annotated[str, typer.Argument(help="identifier of the list", show_default=False)]
By = Annotated[str, typer.Option(help="who does it")]


@lists.command("import")
def import_file(
    list_id: Identifier,
    file: Annotated[Path, typer.Argument(help="JSON lines, STIX bundle or CSV", show_default=False)],
    by: By,
    source: Annotated[str, typer.Option(help="where it comes from; the file's name where absent")] = "",
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="counts until this day")] = None,
    reports: Annotated[
        bool, typer.Option("--reports", help="what consumers or platforms say; each subject is one report")
    ] = False,
) -> None:
    """Read a list and activate it at one moment; one that shrinks by a fifth waits for a second person."""
    from service.lists import import_list

    store = _open()
    until = None if expires is None else _micros(expires.replace(tzinfo=UTC))
    content, told = file.read_bytes(), source or file.name
    done = import_list(store, list_id, content, source=told, by=by, at=_now(), expires_at=until, reports=reports)
    store.close()
    show.line(_told(done))
    show.problems(done.problems)


@lists.command()
def approve(list_id: Identifier, by: By) -> None:
    """Activate the version that waits, as a second person."""
    _decided(list_id, by, activate=True)


@lists.command()
def refuse(list_id: Identifier, by: By) -> None:
    """Refuse the version that waits, as a second person."""
    _decided(list_id, by, activate=False)


@lists.command("show")
def show_lists() -> None:
    """Every version of every list, its state, age and end; lists whose time is over are ended."""
    from service.lists import expire, overview

    store = _open()
    ended = expire(store, _now())
    rows = overview(store)
    store.close()
    for row in rows:
        age = (_now() - row["imported_at"]) // 86_400_000_000
        show.line(
            f"{row['list_id']} version {row['version']}: {row['kind']}, {row['status']}, {row['format']} "
            f"from {row['source']}, imported by {row['imported_by']} {age} days ago"
        )
    show.line(f"{len(rows)} versions, {ended} lists ended now")


@lists.command("convert")
def convert(
    file: Annotated[Path, typer.Argument(help="JSON lines, STIX bundle, CSV or captured pages", show_default=False)],
    out: Annotated[Path, typer.Option(help="FollowTheMoney JSON lines")],
    source: Annotated[str, typer.Option(help="where it comes from; the file's name where absent")] = "",
) -> None:
    """Write what a list states as FollowTheMoney entities, with what ties its subjects to one another.

    What says that one party stands behind two subjects is an UnknownLink; what only makes them alike is a Similar.
    """
    from features.intelligence import as_ftm, read_list, subjects_of, ties_of

    listed = read_list(file.read_bytes(), source or file.name)
    ties = ties_of(subjects_of(file.name, listed.statements))
    lines = list(as_ftm(listed.statements, ties))
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    sure = sum(tie.conclusive for tie in ties)
    show.line(f"{len(lines):,} entities written to {out}; {sure:,} ties are conclusive, {len(ties) - sure:,} are not")
    show.problems(listed.problems)


def _decided(list_id: str, by: str, *, activate: bool) -> None:
    from service.lists import decide

    store = _open()
    version, woken = decide(store, list_id, by=by, at=_now(), activate=activate)
    store.close()
    show.line(f"{list_id} version {version} is {'active' if activate else 'refused'}{_again(woken)}")


def _told(done: Imported) -> str:
    counts = f"{done.added:,} subjects new or changed, {done.removed:,} gone or changed, {done.same:,} as before"
    waits = "; it shrinks by a fifth: `tamis lists approve` by a second person activates it"
    rest = waits if done.status == "waiting" else _again(done.woken)
    return f"{done.list_id} version {done.version} is {done.status}: {counts}{rest}"


def _again(woken: int) -> str:
    return f"; {woken:,} decisions of the last days are given again with it" if woken else ""


def _open() -> Store:
    from service.linking_switch import LinkingSwitch
    from service.store import open_store

    settings = Settings()
    if not LinkingSwitch(settings.linking).on:
        raise Fault(
            "lists are screened by linking, which is off; `tamis link --on --by NAME --basis TEXT` switches it on"
        )
    return open_store(settings)


def _now() -> int:
    return _micros(datetime.now(UTC))


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
