"""`tamis lists`: watch lists in, approved by a second person where they shrink, and what there is of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import DAYS, current_settings, readable_file
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from features.intelligence import Delivery
    from service.parties.watch_lists import Imported
    from service.store.database import Store

lists = typer.Typer(
    cls=TamisGroup, help="Watch lists: FollowTheMoney, STIX, MISP, tables and captured pages.", no_args_is_help=True
)
Identifier = Annotated[str, typer.Argument(help="identifier of the list", show_default=False)]
By = Annotated[str, typer.Option(help="who does it")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for a program to read")]
Mapped = Annotated[
    Path | None,
    typer.Option(help="TOML: what a platform's tables of accounts, log-ins and payments hold", callback=readable_file),
]
KINDS = "FollowTheMoney, STIX bundle, MISP event, CSV, text, captured pages, or what a platform delivers"


@lists.command("import")
def import_file(
    list_id: Identifier,
    file: Annotated[Path, typer.Argument(help=KINDS, show_default=False, callback=readable_file)],
    by: By,
    source: Annotated[str, typer.Option(help="where it comes from; the file's name where absent")] = "",
    expires: Annotated[datetime | None, typer.Option(formats=DAYS, help="counts until this day")] = None,
    reports: Annotated[
        bool, typer.Option("--reports", help="what consumers or platforms say; each subject is one report")
    ] = False,
    mapping: Mapped = None,
    as_json: AsJson = False,
) -> None:
    """Read a list and activate it at one moment; one that shrinks by a fifth waits for a second person.

    Tells how many statements of each kind were read, and what was left out and why.
    """
    from service.parties.watch_lists import import_list

    store = _open()
    until = None if expires is None else _micros(expires.replace(tzinfo=UTC))
    content, source_name = file.read_bytes(), source or file.name
    read_as: dict[str, Any] = {"source": source_name, "reports": reports, "delivery": _delivery(mapping)}
    done = import_list(store, list_id, content, by=by, at=_now(), expires_at=until, **read_as)
    store.close()
    if as_json:
        outcome = {name: value for name, value in asdict(done).items() if name not in ("account", "problems")}
        typer.echo(json.dumps({**outcome, **done.account}, indent=1, ensure_ascii=False))
        return
    show.line(_told(done))
    _show_account(done.account)


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
    from service.parties.watch_lists import expire, overview

    store = _open()
    ended = expire(store, _now())
    rows = overview(store)
    store.close()
    for row in rows:
        age = (_now() - row["imported_at"]) // 86_400_000_000
        show.line(
            f"{row['list_id']} version {row['version']}: {row['kind']}, {row['status']}, {row['format']} "
            f"from {row['source']}, imported by {row['imported_by']} {show.counted(age, 'day')} ago"
        )
    show.line(f"{show.counted(len(rows), 'version')}, {show.counted(ended, 'list')} ended now")


@lists.command("convert")
def convert(
    file: Annotated[
        Path,
        typer.Argument(help=KINDS, show_default=False, callback=readable_file),
    ],
    out: Annotated[Path, typer.Option(help="FollowTheMoney JSON lines")],
    source: Annotated[str, typer.Option(help="where it comes from; the file's name where absent")] = "",
    mapping: Mapped = None,
    as_json: AsJson = False,
) -> None:
    """Write what a list states as FollowTheMoney entities, with what ties its subjects to one another.

    What says that one party stands behind two subjects is an UnknownLink; what only makes them alike is a Similar.
    Tells how many statements of each kind were read, and what was left out and why.
    """
    from features.intelligence import as_ftm, payments_between, read_list, subjects_of, ties_of

    listed = read_list(file.read_bytes(), source or file.name, _delivery(mapping))
    ties = [*ties_of(subjects_of(file.name, listed.statements)), *payments_between(listed.statements)]
    lines = list(as_ftm(listed.statements, ties))
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    sure = sum(tie.conclusive for tie in ties)
    if as_json:
        written = {"entities": len(lines), "ties": len(ties), "conclusive": sure}
        typer.echo(json.dumps({**written, **listed.account()}, indent=1, ensure_ascii=False))
        return
    entities, alike = show.counted(len(lines), "entity", "entities"), len(ties) - sure
    are = "tie is" if sure == 1 else "ties are"
    show.line(f"{entities} written to {out}; {sure:,} {are} conclusive, {alike:,} only alike")
    _show_account(listed.account())


def _show_account(account: dict[str, Any]) -> None:
    """One line of what was read, one for each kind and reason of what was not, and the unreadable places."""
    read = ", ".join(f"{name} {number:,}" for name, number in account["read"].items())
    show.line(f"  read ({account['format']}): {read}")
    for left_out in account["left_out"]:
        show.line(f"  left out: {left_out['kind']} {left_out['count']:,}: {left_out['reason']}")
    show.problems(account["problems"])


def _decided(list_id: str, by: str, *, activate: bool) -> None:
    from service.parties.watch_lists import decide

    store = _open()
    version, woken = decide(store, list_id, by=by, at=_now(), activate=activate)
    store.close()
    show.line(f"{list_id} version {version} is {'active' if activate else 'refused'}{_again(woken)}")


def _told(done: Imported) -> str:
    added = show.counted(done.added, "subject")
    counts = f"{added} new or changed, {done.removed:,} gone or changed, {done.same:,} as before"
    waits = "; it shrinks by a fifth: a second person activates it with `tamis lists approve`"
    rest = waits if done.status == "waiting" else _again(done.woken)
    return f"{done.list_id} version {done.version} is {done.status}: {counts}{rest}"


def _again(woken: int) -> str:
    if not woken:
        return ""
    return f"; {show.counted(woken, 'decision')} of the last days {'is' if woken == 1 else 'are'} given again with it"


def _delivery(mapping: Path | None) -> Delivery | None:
    """How a platform's delivery is read; none for any other list."""
    from features.intelligence import delivery_of

    return None if mapping is None else delivery_of(mapping.read_text(encoding="utf-8"))


def _open() -> Store:
    from service.parties.linking_switch import LinkingSwitch
    from service.store.database import open_store

    settings = current_settings()
    if not LinkingSwitch(settings.linking).on:
        raise Fault(
            "lists are screened by linking, which is off: switch it on with `tamis link --on --by NAME --basis TEXT`"
        )
    return open_store(settings)


def _now() -> int:
    return _micros(datetime.now(UTC))


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
