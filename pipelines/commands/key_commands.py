"""`tamis keys` and `tamis invite`: whom the service answers, from the machine that it runs on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.choices import ROLES
from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import current_settings
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from service.access import Access

keys = typer.Typer(cls=TamisGroup, help="Keys of machines that call the API: make, list, revoke.", no_args_is_help=True)
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
    days: Annotated[int, typer.Option(min=1, help="days until it expires")] = 365,
) -> None:
    """Make a key and print it once; two keys per client may be active at once, to allow rotation."""
    now = datetime.now(UTC)
    key = _access().make_key(name, role, _offices(office), purpose, by, now, days)
    show.line(f"{key}\nkeep it now: it is not shown again; send it as `Authorization: Bearer KEY`")


@keys.command("list")
def list_keys() -> None:
    """List the active keys."""
    active = _access().keys(datetime.now(UTC))
    for key in active:
        until = datetime.fromtimestamp(key["expires_at"] / 1e6, UTC)
        offices = ", ".join(key["offices"])
        show.line(f"{key['key_id']}  {key['name']}  {key['role']}  {offices}  until {until:%Y-%m-%d}  {key['purpose']}")
    show.line(show.counted(len(active), "active key"))


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="as listed")], by: By) -> None:
    """Revoke a key; a running service stops accepting it within a minute."""
    access, now = _access(), datetime.now(UTC)
    if key_id not in {key["key_id"] for key in access.keys(now)}:
        raise Fault("no such key is active; see `tamis keys list`")
    access.revoke_key(key_id, by, now)
    show.line(f"{key_id} is revoked")


def invite(
    by: By,
    name: Annotated[str, typer.Option(help="whose account it is; chosen by who accepts where absent")] = "",
    role: RoleOption = "analyst",
    office: Offices = None,
    console: Annotated[str, typer.Option(help="where the console is reached; TAMIS_PUBLIC_URL where absent")] = "",
) -> None:
    """Print a one-time link by which somebody makes an account, or a new password for the one that he has."""
    token = _access().invite(name, role, _offices(office), by, datetime.now(UTC))
    place = console or current_settings().public_url or "http://127.0.0.1:8000"
    show.line(f"{place.rstrip('/')}/console/invitation/{token}\nit works once, within three days")


def _offices(named: list[str] | None) -> list[str]:
    from service.record.ownership import EVERY_OFFICE

    return named or [EVERY_OFFICE]


def _access() -> Access:
    from service.access import open_access

    return open_access(current_settings())
