"""Promotion: a named person makes a challenger the champion, for a reason that stays on record."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.fault import Fault
from features.moments import micros
from pipelines.batch.archive import Archive
from pipelines.training.hyper_parameters import BY_NAME
from pipelines.training.registered_versions import CHAMPION, NAME
from pipelines.training.shown_beside_rules import from_metrics, in_words, shown_better
from pipelines.training.standard_policy import standard_policy
from pipelines.training.training_frame import goods_so_far
from service.orientation import check_inputs, load_policy
from service.record.audit_log import note
from service.runtime.batch_lease import changing_bundles
from service.runtime.private_files import make_home
from service.scoring.bundle import MANIFEST, files_in, load_bundle, seal
from service.scoring.signature import sha256_of
from service.serving.serving_bundle import RULES, named, seal_rules, serve, serve_rules
from service.settings import Settings
from service.store.database import open_store

if TYPE_CHECKING:
    from pipelines.training.registry import Registry

JUDGED_BY = "Tamis.average_precision"  # a figure that is logged only where there is something to judge by
SAY_WHY = "--force-reason TEXT"
FORMER = ".former"  # the same version under its previous policy


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
    """Export a registered version as a signed bundle, verify it, and let it serve; returns the folder of the bundle.

    A version that performed worse than the champion, or was never compared with it, needs a reason in `although`. The
    bundle is activated only once it has been loaded and verified, so a damaged one changes nothing. Raises Taken while
    another process changes what serves.
    """
    named(by, reason)
    with changing_bundles(settings.home):
        return _promote(version, by, reason, settings, at, name, policy, although)


def _promote(
    version: int, by: str, reason: str, settings: Settings, at: datetime, name: str, policy: Path | None, although: str
) -> Path:
    from pipelines.training.registry import Registry  # of the extra `train`: rules are promoted without

    registry = Registry(settings)
    if not although.strip():
        _refuse_unproved(registry, version, name, rules_serve=settings.serving.name == RULES)
    fetched = registry.fetch(version, name)
    model_id = f"{name}-v{version}"
    staged = settings.bundles / f".{model_id}.new"
    _copy(fetched, staged, policy)
    figures = {
        k.removeprefix("Tamis."): v for k, v in registry.metrics_of(version, name).items() if k.startswith("Tamis.")
    }
    logged = registry.parameters_of(version, name)
    facts = {
        "model_id": model_id,
        "promoted_by": by,
        "promoted_because": reason,
        "promoted_at": at.isoformat(),
        **({"promoted_although": although} if although.strip() else {}),
        "learned_to": logged.get("to"),
        "grown_with": {key: logged[key] for key in BY_NAME if key in logged},
        "metrics": {k.replace("pct", "%").replace("_", " "): v for k, v in sorted(figures.items())},
    }
    seal(staged, settings.keys, facts)
    model, written = load_bundle(staged, settings.keys)
    check_inputs(load_policy(written), model.inputs)
    already_serving = settings.serving.name == model_id and settings.serving.exists()
    bundle = _in_place(staged, settings.bundles / model_id)
    registry.promote(version, by, reason, name)
    serve(settings, model_id, f"{model_id}{FORMER}" if already_serving else None)
    seal_rules(settings, written)
    shutil.rmtree(fetched, ignore_errors=True)
    entry = {"by": by, "reason": reason, "although": although, "manifest_sha256": sha256_of(bundle / MANIFEST)}
    store = open_store(settings)
    note(store, "promotion", model_id, entry, micros(at))
    store.close()
    return bundle


def promote_rules(by: str, reason: str, settings: Settings, at: datetime, *, policy: Path | None = None) -> Path:
    """Let the rules and indicators of a policy decide without a model; returns their folder.

    The norms of goods that indicators ask for, and what words suggest, are fitted on what is archived, if anything is;
    promoted again, they are fitted anew. Raises as `promote` does.
    """
    named(by, reason)
    text = standard_policy() if policy is None else policy.read_text(encoding="utf-8")
    make_home(settings.home)
    with changing_bundles(settings.home):
        facts = {"promoted_by": by, "promoted_because": reason, "promoted_at": at.isoformat()}
        folder = serve_rules(settings, text, goods_so_far(Archive(settings.archive)), facts)
        entry = {"by": by, "reason": reason, "although": "", "manifest_sha256": sha256_of(folder / MANIFEST)}
        store = open_store(settings)
        note(store, "promotion", RULES, entry, micros(at))
        store.close()
    return folder


def _refuse_unproved(registry: Registry, version: int, name: str, *, rules_serve: bool = False) -> None:
    """Refuse a version that cannot be judged, did worse than what serves, or was never compared with it.

    rules_serve: whether rules decide without a model, which it has to be shown to beat (`beside_rules`).
    """
    champion, figures = registry.version_of(CHAMPION, name), registry.metrics_of(version, name)
    if champion == version:
        return
    if JUDGED_BY not in figures:
        raise Fault(
            f"version {version} cannot be judged: its test period holds no non-compliant finding, or nothing else; "
            f"train it again with more control results, or say why it should serve all the same: {SAY_WHY}"
        )
    if rules_serve and not shown_better(shown := from_metrics(figures)):
        raise Fault(
            f"version {version} was not shown to beat the rules that decide today: {in_words(shown)}; train it again "
            f"with more control results, or say why it should serve all the same: {SAY_WHY}"
        )
    if champion is None or rules_serve:
        return
    if registry.parameters_of(version, name).get("contest_champion") != f"{name}-v{champion}":
        raise Fault(
            f"version {version} was not compared with version {champion}, which serves; train it again, or say why it "
            f"should serve all the same: {SAY_WHY}"
        )
    if figures["contest.difference"] < 0:
        raise Fault(
            f"version {version} did worse than version {champion} on the same days: average precision "
            f"{figures['contest.difference']:+.3f} ({figures['contest.low']:+.3f} to {figures['contest.high']:+.3f}, "
            f"95 %); say why it should serve all the same: {SAY_WHY}"
        )


def _in_place(staged: Path, bundle: Path) -> Path:
    """Move the verified bundle to its name; an earlier one of the name, with another policy, is kept as former."""
    if bundle.exists():
        former = bundle.with_name(f"{bundle.name}{FORMER}")
        shutil.rmtree(former, ignore_errors=True)
        bundle.rename(former)
    return staged.rename(bundle)


def _copy(fetched: Path, bundle: Path, policy: Path | None) -> None:
    bundle.mkdir(parents=True, exist_ok=True)
    for name in files_in(fetched):
        shutil.copyfile(fetched / name, bundle / name)
    if policy is not None:
        text = policy.read_text(encoding="utf-8")
        load_policy(text)
        (bundle / "policy.toml").write_text(text, encoding="utf-8")
