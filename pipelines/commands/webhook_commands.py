"""`tamis webhooks`: systems that are told when a decision is given again, amended, overridden or passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import current_settings
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from service.webhooks.directory import Webhooks

webhooks = typer.Typer(
    cls=TamisGroup, help="Systems that are told of changes: make, list, new secret, end.", no_args_is_help=True
)
By = Annotated[str, typer.Option(help="who does it")]
Which = Annotated[str, typer.Argument(metavar="WEBHOOK", help="as listed")]


@webhooks.command("make")
def make_webhook(
    url: Annotated[str, typer.Argument(help="where messages are sent: https://…, or amqps://HOST/VHOST?exchange=NAME")],
    key: Annotated[str, typer.Option(help="name of the machine, as in `tamis keys list`: what it may see is sent")],
    by: By,
    every: Annotated[
        bool, typer.Option("--every", help="first decisions too, not only what changes after them")
    ] = False,
    since: Annotated[
        int | None, typer.Option(min=0, help="place on the audit log to begin at; now where absent")
    ] = None,
) -> None:
    """Tell a receiver what comes to count, in order, and print once the secret by which it verifies the messages."""
    with _webhooks() as of:
        webhook = of.make(url, key, by, datetime.now(UTC), every=every, since=since)
    show.line(f"{webhook.webhook_id}\n{webhook.secret}\ngive the secret to the receiver: messages are signed with it")


@webhooks.command("list")
def list_webhooks() -> None:
    """List the webhooks, how far each has come, and what fails."""
    with _webhooks() as of:
        active, undelivered = of.active(), of.undelivered()
    for webhook in active:
        waits = sum(one["webhook_id"] == webhook["webhook_id"] for one in undelivered)
        state = "in order"
        if webhook["fault"]:
            since = datetime.fromtimestamp(webhook["failing_since"] / 1e6, UTC)
            state = f"fails since {since:%Y-%m-%d %H:%M} UTC: {webhook['fault']}"
        reached = f"told up to entry {webhook['place']:,}"
        refused = f"  {show.counted(waits, 'message')} undelivered" if waits else ""
        show.line(f"{webhook['webhook_id']}  {webhook['key_name']}  {webhook['url']}  {reached}  {state}{refused}")
    show.line(show.counted(len(active), "webhook"))


@webhooks.command("secret")
def replace_secret(webhook: Which, by: By) -> None:
    """Print a new secret; the former one signs beside it for a day, so that no message is refused meanwhile."""
    with _webhooks() as of:
        show.line(of.replace_secret(webhook, by, datetime.now(UTC)))


@webhooks.command("retry")
def retry_webhook(webhook: Which, by: By) -> None:
    """Try a webhook that fails at once, and send again what its receiver refused; needs no running service."""
    from service.webhooks.delivery import Sender

    with _webhooks() as of, closing(Sender(of.access, credentials=current_settings().amqp_credentials)) as sender:
        of.try_now(webhook, by, datetime.now(UTC))
        taken = sender.send_due()
        refused = of.undelivered(webhook)
        again = [sender.send_again(one) for one in refused]
    done = sum(outcome.taken for outcome in again)
    show.line(f"{show.counted(taken, 'message')} taken; {done} of {show.counted(len(refused), 'undelivered message')}")
    if faults := {outcome.fault for outcome in again if not outcome.taken}:
        raise Fault(f"the receiver still refuses: {', '.join(sorted(faults))}")


@webhooks.command("end")
def end_webhook(webhook: Which, by: By) -> None:
    """Tell a receiver nothing any more."""
    with _webhooks() as of:
        of.end(webhook, by, datetime.now(UTC))
    show.line(f"{webhook} is ended")


@contextmanager
def _webhooks() -> Iterator[Webhooks]:
    from service.access import open_access
    from service.webhooks.directory import Webhooks

    access = open_access(current_settings())
    try:
        yield Webhooks(access)
    finally:
        access.store.close()
