"""Activation of a policy for the serving model: signed, verified, activated; the former bundle is kept for rollback."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from features.moments import micros
from service.orientation import check_inputs, load_policy
from service.record.audit_log import note
from service.runtime.batch_lease import changing_bundles
from service.scoring.bundle import MANIFEST, files_in, load_bundle, seal
from service.scoring.signature import sha256_of
from service.serving.serving_bundle import RULES, seal_rules, serve, serve_rules
from service.settings import Settings
from service.store.database import Store


def activate_policy(settings: Settings, store: Store, text: str, by: str, reason: str, at: datetime) -> Path:
    """Activate another policy for the serving model; returns the folder of the bundle. Services load it within seconds.

    Raises PolicyFault for an unusable policy, BundleRefused where no trusted bundle serves, and Taken while another
    process changes what serves; nothing has changed then.
    """
    with changing_bundles(settings.home):
        return _activate(settings, store, text, by, reason, at)


def _activate(settings: Settings, store: Store, text: str, by: str, reason: str, at: datetime) -> Path:
    promotion = {"promoted_by": by, "promoted_because": reason, "promoted_at": at.isoformat()}
    if settings.serving.name == RULES:
        return _noted(store, serve_rules(settings, text, None, promotion), by, reason, at)
    policy = load_policy(text)
    model, _ = load_bundle(settings.serving, settings.keys)
    check_inputs(policy, model.inputs)
    bundle = settings.bundles / f"{model.model_id}.p{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    staged = bundle.with_name(f".{bundle.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    for name in files_in(settings.serving):
        shutil.copyfile(settings.serving / name, staged / name)
    (staged / "policy.toml").write_text(text, encoding="utf-8")
    seal(staged, settings.keys, {**model.facts, **promotion})
    load_bundle(staged, settings.keys)
    if bundle == settings.serving:
        shutil.rmtree(staged)
        return bundle
    shutil.rmtree(bundle, ignore_errors=True)  # an earlier bundle of the same policy
    staged.rename(bundle)
    serve(settings, bundle.name)
    seal_rules(settings, text)
    return _noted(store, bundle, by, reason, at)


def _noted(store: Store, bundle: Path, by: str, reason: str, at: datetime) -> Path:
    """Put the activation on the audit log."""
    manifest = sha256_of(bundle / MANIFEST)
    note(store, "promotion", bundle.name, {"by": by, "reason": reason, "manifest_sha256": manifest}, micros(at))
    return bundle
