"""A challenger becomes champion because a named person says so, for a reason that stays on record."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from features.fault import Fault
from pipelines.registry import CHAMPION, NAME, Registry
from service.bundles import seal_rules, serve
from service.chain import note
from service.orientation import check_inputs, load_policy
from service.records import micros
from service.scoring.bundle import FILES, MANIFEST, load_bundle, seal
from service.scoring.signature import sha256_of
from service.settings import Settings
from service.store import open_store

FORMER = ".former"  # the same version under the policy that it had before


def promote(
    version: int,
    by: str,
    reason: str,
    settings: Settings,
    at: datetime,
    *,
    name: str = NAME,
    policy: Path | None = None,
    although: str = "",
) -> Path:
    """Export a registered version as a signed bundle, prove it, and let it serve; the folder of the bundle.

    One that did worse than the champion, or was never compared with it, needs a reason why `although`. The bundle
    takes its place only once it has been loaded beside it, so a damaged one changes nothing.
    """
    if not by.strip() or not reason.strip():
        raise Fault("a promotion needs a name and a reason: --by NAME --reason TEXT")
    registry = Registry(settings)
    if not although.strip():
        _refuse_worse(registry, version, name)
    fetched = registry.fetch(version, name)
    model_id = f"{name}-v{version}"
    made = settings.bundles / f".{model_id}.new"
    _copy(fetched, made, policy)
    own = {k.removeprefix("Tamis."): v for k, v in registry.metrics_of(version, name).items() if k.startswith("Tamis.")}
    facts = {
        "model_id": model_id,
        "promoted_by": by,
        "promoted_because": reason,
        "promoted_at": at.isoformat(),
        **({"promoted_although": although} if although.strip() else {}),
        "learned_to": registry.parameters_of(version, name).get("to"),
        "metrics": {k.replace("pct", "%").replace("_", " "): v for k, v in sorted(own.items())},
    }
    seal(made, settings.keys, facts)
    model, written = load_bundle(made, settings.keys)
    check_inputs(load_policy(written), model.inputs)
    again = settings.serving.name == model_id and settings.serving.exists()
    bundle = _in_place(made, settings.bundles / model_id)
    registry.promote(version, by, reason, name)
    serve(settings, model_id, f"{model_id}{FORMER}" if again else None)
    seal_rules(settings, written)
    shutil.rmtree(fetched, ignore_errors=True)
    told = {"by": by, "reason": reason, "although": although, "manifest_sha256": sha256_of(bundle / MANIFEST)}
    store = open_store(settings)
    note(store, "promotion", model_id, told, micros(at))
    store.close()
    return bundle


def _refuse_worse(registry: Registry, version: int, name: str) -> None:
    champion = registry.version_of(CHAMPION, name)
    if champion in (None, version):
        return
    told, rival = registry.metrics_of(version, name), registry.parameters_of(version, name).get("contest_champion")
    if rival != f"{name}-v{champion}":
        raise Fault(
            f"version {version} was not compared with version {champion}, which serves; train it again, or say why it "
            "should serve all the same: --although WHY"
        )
    if told["contest.difference"] < 0:
        raise Fault(
            f"version {version} did worse than version {champion} on the same days: average precision "
            f"{told['contest.difference']:+.3f} ({told['contest.low']:+.3f} to {told['contest.high']:+.3f}, 95 %); say "
            "why it should serve all the same: --although WHY"
        )


def _in_place(made: Path, bundle: Path) -> Path:
    """The proved bundle under its name; one that had the name before, with another policy, is kept beside it."""
    if bundle.exists():
        former = bundle.with_name(f"{bundle.name}{FORMER}")
        shutil.rmtree(former, ignore_errors=True)
        bundle.rename(former)
    return made.rename(bundle)


def _copy(fetched: Path, bundle: Path, policy: Path | None) -> None:
    bundle.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(fetched / name, bundle / name)
    if policy is not None:
        text = policy.read_text(encoding="utf-8")
        load_policy(text)
        (bundle / "policy.toml").write_text(text, encoding="utf-8")
