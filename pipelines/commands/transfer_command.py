"""`tamis transfer`: consignments pass to another office."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines import show
from pipelines.commands.shared_options import current_settings


def transfer(
    consignments: Annotated[list[str], typer.Argument(help="one or more consignments")],
    office: Annotated[str, typer.Option(help="that they go to")],
    by: Annotated[str, typer.Option(help="who passes them on")],
    reason: Annotated[str, typer.Option(help="why; kept on the audit log")],
    sender: Annotated[
        str, typer.Option(help="the key that may amend them from then on; whichever is for the office where absent")
    ] = "",
) -> None:
    """Pass consignments on to another office, with all their parts; each transfer stands on the audit log."""
    from service.officers import offices
    from service.record.numbers_meant import numbers_meant
    from service.record.ownership import INSTALLATION
    from service.record.transfers import Transfer
    from service.serving.serving_bundle import open_serving
    from service.store.database import open_store

    settings = current_settings()
    store, known = open_store(settings), open_serving(settings).policy.capacity.offices
    for consignment in numbers_meant(store, consignments).values():
        given = Transfer(consignment, office, sender or None, by, reason)
        offices.transfer(store, given, INSTALLATION, known, datetime.now(UTC))
        show.line(f"{consignment} belongs to {office} from now on")
    store.close()
