"""The serving bundle: the promoted one, else the last good one, else the signed rules alone; and revocation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.catalogue import INPUTS
from features.fault import Fault
from features.habits import Habits
from features.headings import Headings
from features.norms import Norms
from service.orientation import Policy, PolicyFault, check_inputs, load_policy
from service.orientation.context import MODEL
from service.runtime.batch_lease import changing_bundles
from service.scoring import BundleRefused, Model, load_bundle
from service.scoring.bundle import MANIFEST, OF_GOODS, load_rules, seal
from service.scoring.signature import sha256_of, sign, signing_key
from service.settings import Settings

REVOKED = "revoked.json"
RULES = "rules"
NO_MODEL = (
    "nothing is promoted yet: `tamis promote --rules --by NAME --reason TEXT` begins without a model; with control "
    "results run `tamis train`, then `tamis promote VERSION --by NAME --reason TEXT`"
)


@dataclass(frozen=True, slots=True)
class Serving:
    """The opened bundle.

    name: of its folder. wanted: the state of the promotion, to notice changes. refused: the promoted bundle and others
    tried before this one, each with the reason; empty if the promoted one serves.
    """

    model: Model
    policy: Policy
    name: str
    wanted: str
    refused: Mapping[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return the causes that degrade its decisions."""
        return (MODEL,) if self.refused else ()


def open_serving(settings: Settings) -> Serving:
    """Open the promoted bundle; if it is refused the last good one, at last the signed rules.

    Raises BundleRefused, for the promoted one, where nothing can be trusted.
    """
    wanted = wanted_now(settings)
    refused: dict[str, str] = {}
    for folder in _candidates(settings):
        try:
            model, policy = _open(folder, settings.keys)
        except (BundleRefused, PolicyFault) as fault:
            refused[folder.name] = str(fault)
        else:
            return Serving(model, policy, folder.name, wanted, refused)
    if not settings.champion.exists() and list(refused) == [settings.serving.name]:
        raise BundleRefused(NO_MODEL)
    raise BundleRefused(next(iter(refused.values())))


def is_revoked(settings: Settings, name: str) -> bool:
    """Return true if a bundle may never serve again; the mark counts, whatever its content."""
    return (settings.bundles / name / REVOKED).exists()


def _open(folder: Path, keys: Path) -> tuple[Model, Policy]:
    if (folder / REVOKED).exists():
        raise BundleRefused(f"{folder}: revoked; roll back, or promote another version")
    model, text = load_rules(folder, keys) if folder.name == RULES else load_bundle(folder, keys)
    policy = load_policy(text)
    check_inputs(policy, model.inputs)
    return model, policy


def _candidates(settings: Settings) -> Iterator[Path]:
    """Yield the promoted bundle, the former one, all others from the latest promotion on, the signed rules."""
    named = [settings.serving, settings.bundles / _former(settings)]
    others = sorted(settings.bundles.glob(f"[!.]*/{MANIFEST}"), key=lambda path: _promoted_at(path), reverse=True)
    rules = settings.bundles / RULES
    folders = dict.fromkeys([*named, *(path.parent for path in others if path.parent != rules), rules])
    return (folder for folder in folders if folder == settings.serving or folder.is_dir())


def _promoted_at(manifest: Path) -> str:
    """Return when a bundle was promoted, by its own statement; used for the order only, not for trust."""
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8")).get("promoted_at", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _former(settings: Settings) -> str:
    return settings.former.read_text(encoding="utf-8").strip() if settings.former.exists() else "none"


def wanted_now(settings: Settings) -> str:
    """Return the state of the promotion: bundle name, manifest hash, and revocation; cheap to call often."""
    folder = settings.serving
    manifest = folder / MANIFEST
    manifest_hash = sha256_of(manifest) if manifest.exists() else "none"
    return f"{folder.name} {manifest_hash} {(folder / REVOKED).exists()}"


def serve(settings: Settings, name: str, before: str | None = None) -> None:
    """Let a bundle serve and remember the former one, atomically for readers.

    before: the present name of the former one, if it had this name and was moved away.
    """
    served = settings.serving.name if settings.champion.exists() else name
    if before is not None or served != name:
        _write(settings.former, before or served)
    _write(settings.champion, name)


def seal_rules(
    settings: Settings,
    policy_text: str,
    goods: tuple[Norms, Headings, Habits] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Sign the rules of a policy on their own: as what serves, or as a fallback where no bundle can be loaded.

    goods: their norms, by which indicators call a value unusual, the headings that words suggest, and how senders of a
    country state themselves; those of before are kept where none are given.
    facts: by whom, when and why they were promoted to serve. Returns their folder.
    """
    folder = settings.bundles / RULES
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "policy.toml", policy_text)
    tables = [] if goods is None else [fitted.table for fitted in goods]
    for name, table in zip(OF_GOODS, tables, strict=False):
        table.write_parquet(folder / name)
    files = ("policy.toml", *(name for name in OF_GOODS if (folder / name).exists()))
    seal(folder, settings.keys, {"model_id": RULES, **(facts or {})}, files)
    return folder


def serve_rules(
    settings: Settings, policy_text: str, goods: tuple[Norms, Headings, Habits] | None, facts: Mapping[str, Any]
) -> Path:
    """Let signed rules serve without a model; returns their folder. Raises what makes them unusable, before it does.

    The caller holds `changing_bundles`, and has asked for a name and a reason.
    """
    check_inputs(load_policy(policy_text), INPUTS)
    if is_revoked(settings, RULES):
        raise BundleRefused(f"{settings.bundles / RULES}: revoked; these rules may never serve again")
    folder = seal_rules(settings, policy_text, goods, facts)
    _open(folder, settings.keys)
    serve(settings, RULES)
    return folder


def roll_back(settings: Settings, by: str, reason: str) -> tuple[str, str]:
    """Let the former bundle serve again, once verified; returns the names of the old and the new one."""
    named(by, reason)
    with changing_bundles(settings.home):
        former = settings.bundles / _former(settings)
        if not former.is_dir():
            raise Fault("no former bundle to go back to")
        _open(former, settings.keys)
        gone = settings.serving.name
        serve(settings, former.name)
        return gone, former.name


def revoke(settings: Settings, name: str, by: str, reason: str, at: datetime) -> str:
    """Ban a bundle, and the same trees under other policies, from serving; returns the hash of its manifest.

    Its decisions can still be replayed.
    """
    named(by, reason)
    folder = settings.bundles / name
    if not name or "/" in name or not (folder / MANIFEST).exists():
        raise Fault(f"no bundle of this name in {settings.bundles}; `tamis bundles show` lists them")
    manifest = sha256_of(folder / MANIFEST)
    statement = {"bundle": name, "manifest_sha256": manifest, "by": by, "reason": reason, "at": at.isoformat()}
    mark = json.dumps(sign(statement, signing_key(settings.keys)), indent=1)
    with changing_bundles(settings.home):
        trees = _trees(folder)
        for other in settings.bundles.glob(f"[!.]*/{MANIFEST}"):
            if other.parent == folder or (trees is not None and _trees(other.parent) == trees):
                _write(other.parent / REVOKED, mark)
    return manifest


def _trees(folder: Path) -> str | None:
    """Return the hash of a bundle's trees; none for rules alone."""
    path = folder / "model.txt"
    return sha256_of(path) if path.exists() else None


def named(by: str, reason: str) -> None:
    """Refuse what nobody signs for."""
    if not by.strip() or not reason.strip():
        raise Fault("a name and a reason are required: --by NAME --reason TEXT")


def overview(settings: Settings) -> list[dict[str, Any]]:
    """Return every bundle: name, promotion, and state: serving, former or revoked."""
    bundles = []
    for path in sorted(settings.bundles.glob(f"[!.]*/{MANIFEST}"), key=_promoted_at, reverse=True):
        name = path.parent.name
        revoked = (path.parent / REVOKED).exists()
        state = "serves" if path.parent == settings.serving else "former" if name == _former(settings) else ""
        bundles.append({"name": name, "promoted_at": _promoted_at(path), "state": "revoked" if revoked else state})
    return bundles


def _write(path: Path, text: str) -> None:
    """Replace a file atomically and synced, so that it is never read half written."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
