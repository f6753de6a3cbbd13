"""`tamis keys` and `tamis invite`: whom the service answers, from the machine that it runs on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from features.words import ROLES
from pipelines import show
from service.settings import Settings

if TYPE_CHECKING:
    from service.access import Access

keys = typer.Typer(help="Keys of machines that call the API: make, list, revoke.", no_args_is_help=True)
By = Annotated[str, typer.Option(help="who does it")]
Offices = Annotated[list[str] | None, typer.Option("--office", help="an office it is for; all where none is named")]
RoleOption = Annotated[str, typer.Option(help=f"one of {', '.join(ROLES)}")]


@keys.command("make")
def make_key(
    name: Annotated[str, typer.Argument(help="name of the machine")],
    purpose: Annotated[str, typer.Option(help="what it reads personal data for")],
    by: By,
    role: RoleOption = "clearance",
    office: Offices = None,
    days: Annotated[int, typer.Option(help="how long it is good for")] = 365,
) -> None:
    """Make a key and print it once; two of a name can be live, so that a machine can change over."""
    now = datetime.now(UTC)
    key = _access().make_key(name, role, _offices(office), purpose, by, now, days)
    show.line(f"{key}\nkeep it now: it is not shown again; send it as `Authorization: Bearer KEY`")


@keys.command("list")
def list_keys() -> None:
    """The keys that are live."""
    told = _access().keys(datetime.now(UTC))
    for key in told:
        until = datetime.fromtimestamp(key["expires_at"] / 1e6, UTC)
        offices = ", ".join(key["offices"])
        show.line(f"{key['key_id']}  {key['name']}  {key['role']}  {offices}  until {until:%Y-%m-%d}  {key['purpose']}")
    show.line(f"{len(told)} keys are live")


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="as listed")], by: By) -> None:
    """End a key; a running service stops taking it within a minute."""
    access, now = _access(), datetime.now(UTC)
    if key_id not in {key["key_id"] for key in access.keys(now)}:
        raise Fault("no such key is live; see `tamis keys list`")
    access.revoke_key(key_id, by, now)
    show.line(f"{key_id} is revoked")


def invite(
    by: By,
    name: Annotated[str, typer.Option(help="whose account it is; chosen by who accepts where absent")] = "",
    role: RoleOption = "analyst",
    office: Offices = None,
    console: Annotated[str, typer.Option(help="where the console is reached")] = "http://127.0.0.1:8000",
) -> None:
    """Print a one-time link by which somebody makes an account, or a new password for the one that he has."""
    token = _access().invite(name, role, _offices(office), by, datetime.now(UTC))
    show.line(f"{console}/console/invitation/{token}\nit works once, within three days")


def _offices(named: list[str] | None) -> list[str]:
    from service.access.principal import EVERY_OFFICE

    return named or [EVERY_OFFICE]


def _access() -> Access:
    from service.access import open_access

    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    return open_access(settings)
