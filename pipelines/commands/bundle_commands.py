"""`tamis bundles`: which bundle serves, back to the one before it, and never again one that was revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines import show
from pipelines.commands.shared_options import current_settings
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from service.settings import Settings

bundles = typer.Typer(cls=TamisGroup, help="Signed bundles: what serves, roll back, revoke.", no_args_is_help=True)
By = Annotated[str, typer.Option(help="who does it")]
Reason = Annotated[str, typer.Option(help="why")]


@bundles.command("show")
def show_bundles() -> None:
    """Every bundle, when it was promoted, and which one serves."""
    from service.serving.serving_bundle import overview

    for line in overview(current_settings()):
        show.line(f"{line['name']:<24} {line['promoted_at'][:19]:<20} {line['state']}".rstrip())


@bundles.command("roll-back")
def roll_back_bundle(by: By, reason: Reason) -> None:
    """Let the bundle before serve again; running services take it within seconds."""
    from service.serving.serving_bundle import roll_back

    settings = current_settings()
    gone, back = roll_back(settings, by, reason)
    _on_record(settings, "rollback", back, {"from": gone, "to": back, "by": by, "reason": reason})
    show.line(f"{back} serves again in place of {gone}")
    _alias(settings, back, by, reason)


def _alias(settings: Settings, bundle: str, by: str, reason: str) -> None:
    """Let the registry, where there is one, name as champion what serves."""
    from pipelines.training.promotion import FORMER

    model, _, version = bundle.removesuffix(FORMER).rpartition("-v")
    if not settings.tracking.exists() or not model or not version.isdigit():
        return
    if find_spec("mlflow") is None:  # a machine that only decides: what serves matters more than what is noted
        show.line(f"! MLflow is not installed here: its registry does not name {bundle} as champion")
        return
    from pipelines.training.registry import Registry

    Registry(settings).promote(int(version), by, reason, model)


@bundles.command("revoke")
def revoke_bundle(
    name: Annotated[str, typer.Argument(help="the bundle that must never serve again", show_default=False)],
    by: By,
    reason: Reason,
) -> None:
    """Never serve a bundle again; running services leave it within seconds. What it decided still replays."""
    from service.serving.serving_bundle import open_serving, revoke

    settings = current_settings()
    manifest = revoke(settings, name, by, reason, datetime.now(UTC))
    _on_record(settings, "revocation", name, {"manifest_sha256": manifest, "by": by, "reason": reason})
    serving = open_serving(settings)
    show.line(f"{name} is revoked; {serving.name} serves")
    if serving.refused:
        show.line("! what serves was not promoted: promote a version, or roll back")


def _on_record(settings: Settings, kind: Literal["rollback", "revocation"], name: str, facts: dict[str, str]) -> None:
    """Put on the audit chain what was done to which bundle."""
    from features.moments import micros
    from service.record.audit_log import note
    from service.store.database import open_store

    store = open_store(settings)
    note(store, kind, name, facts, micros(datetime.now(UTC)))
    store.close()
