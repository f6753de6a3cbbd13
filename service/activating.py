"""Another policy for the trees that serve: signed, proved, put in place; the bundle before stays, to go back to."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from service.bundles import seal_rules, serve
from service.chain import note
from service.orientation import check_inputs, load_policy
from service.records import micros
from service.scoring.bundle import FILES, MANIFEST, load_bundle, seal
from service.scoring.signature import sha256_of
from service.settings import Settings
from service.store import Store


def activate_policy(settings: Settings, store: Store, text: str, by: str, reason: str, at: datetime) -> Path:
    """Let what serves decide by another policy; the folder of the bundle. Running services take it within seconds.

    Raises PolicyFault for a policy that cannot be used and BundleRefused where nothing that can be trusted serves;
    nothing has changed then.
    """
    policy = load_policy(text)
    model, _ = load_bundle(settings.serving, settings.keys)
    check_inputs(policy, model.inputs)
    bundle = settings.bundles / f"{model.model_id}.p{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    made = bundle.with_name(f".{bundle.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for name in FILES:
        shutil.copyfile(settings.serving / name, made / name)
    (made / "policy.toml").write_text(text, encoding="utf-8")
    told = {"promoted_by": by, "promoted_because": reason, "promoted_at": at.isoformat()}
    seal(made, settings.keys, {**model.facts, **told})
    load_bundle(made, settings.keys)
    if bundle == settings.serving:
        shutil.rmtree(made)
        return bundle
    shutil.rmtree(bundle, ignore_errors=True)  # the same policy served before, signed by others
    made.rename(bundle)
    serve(settings, bundle.name)
    seal_rules(settings, text)
    manifest = sha256_of(bundle / MANIFEST)
    note(store, "promotion", bundle.name, {"by": by, "reason": reason, "manifest_sha256": manifest}, micros(at))
    return bundle
