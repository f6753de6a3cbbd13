"""Which bundle serves: the promoted one, else the last good one, else the signed rules alone; and what was revoked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.fault import Fault
from service.orientation import Policy, PolicyFault, check_inputs, load_policy
from service.scoring import BundleRefused, Model, load_bundle
from service.scoring.bundle import MANIFEST, load_rules, seal
from service.scoring.signature import sha256_of, sign, signing_key
from service.settings import Settings

REVOKED = "revoked.json"
RULES = "rules"
MODEL = "model"  # the word for what a decision lacked that was not given by the promoted bundle


@dataclass(frozen=True, slots=True)
class Serving:
    """What was opened.

    name: of its folder. wanted: what told which bundle is to serve, to see when that changes. refused: the promoted
    bundle and others that were tried before this one, with the reason of each; empty where all is as promoted.
    """

    model: Model
    policy: Policy
    name: str
    wanted: str
    refused: Mapping[str, str]

    @property
    def lacking(self) -> tuple[str, ...]:
        """What decisions by it are degraded by."""
        return (MODEL,) if self.refused else ()


def open_serving(settings: Settings) -> Serving:
    """The promoted bundle; where it is refused the last good one, at last the signed rules.

    Raises BundleRefused, for the promoted one, where nothing at all can be trusted.
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
    raise BundleRefused(next(iter(refused.values())))


def is_revoked(settings: Settings, name: str) -> bool:
    """Whether a bundle may never serve again; the mark counts, whatever it says."""
    return (settings.bundles / name / REVOKED).exists()


def _open(folder: Path, keys: Path) -> tuple[Model, Policy]:
    if (folder / REVOKED).exists():
        raise BundleRefused(f"{folder}: revoked; roll back, or promote another version")
    model, text = load_rules(folder, keys) if folder.name == RULES else load_bundle(folder, keys)
    policy = load_policy(text)
    check_inputs(policy, model.inputs)
    return model, policy


def _candidates(settings: Settings) -> Iterator[Path]:
    """The promoted bundle, the one before it, all others from the latest promotion on, the signed rules."""
    named = [settings.serving, settings.bundles / _former(settings)]
    others = sorted(settings.bundles.glob(f"[!.]*/{MANIFEST}"), key=lambda path: _promoted_at(path), reverse=True)
    rules = settings.bundles / RULES
    folders = dict.fromkeys([*named, *(path.parent for path in others if path.parent != rules), rules])
    return (folder for folder in folders if folder == settings.serving or folder.is_dir())


def _promoted_at(manifest: Path) -> str:
    """When a bundle was promoted, as it says itself; only the order rests on it, trust does not."""
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8")).get("promoted_at", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _former(settings: Settings) -> str:
    return settings.former.read_text(encoding="utf-8").strip() if settings.former.exists() else "none"


def wanted_now(settings: Settings) -> str:
    """What tells which bundle is to serve: its name, its manifest, and whether it was revoked; cheap to ask often."""
    folder = settings.serving
    manifest = folder / MANIFEST
    told = sha256_of(manifest) if manifest.exists() else "none"
    return f"{folder.name} {told} {(folder / REVOKED).exists()}"


def serve(settings: Settings, name: str, before: str | None = None) -> None:
    """Let a bundle serve; the one that served is remembered. A reader sees the former name or the new one.

    before: the name that the one that served has now, where it had this name and was moved away.
    """
    served = settings.serving.name if settings.champion.exists() else name
    if before is not None or served != name:
        _write(settings.former, before or served)
    _write(settings.champion, name)


def seal_rules(settings: Settings, policy_text: str) -> None:
    """Sign the rules of a policy on their own: what is left to decide by when no bundle can be loaded."""
    folder = settings.bundles / RULES
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "policy.toml", policy_text)
    seal(folder, settings.keys, {"model_id": RULES}, ("policy.toml",))


def roll_back(settings: Settings, by: str, reason: str) -> tuple[str, str]:
    """Let the bundle before serve again, once it has been proved; the names of the one that goes and that comes."""
    _named(by, reason)
    former = settings.bundles / _former(settings)
    if not former.is_dir():
        raise Fault("no former bundle to go back to")
    _open(former, settings.keys)
    gone = settings.serving.name
    serve(settings, former.name)
    return gone, former.name


def revoke(settings: Settings, name: str, by: str, reason: str, at: datetime) -> str:
    """Never serve a bundle again, nor the same trees under another policy; the hash of its manifest.

    What it decided can still be replayed.
    """
    _named(by, reason)
    folder = settings.bundles / name
    if not name or "/" in name or not (folder / MANIFEST).exists():
        raise Fault(f"no bundle is called so in {settings.bundles}; `tamis bundles show` tells what there is")
    manifest = sha256_of(folder / MANIFEST)
    told = {"bundle": name, "manifest_sha256": manifest, "by": by, "reason": reason, "at": at.isoformat()}
    mark = json.dumps(sign(told, signing_key(settings.keys)), indent=1)
    trees = _trees(folder)
    for other in settings.bundles.glob(f"[!.]*/{MANIFEST}"):
        if other.parent == folder or (trees is not None and _trees(other.parent) == trees):
            _write(other.parent / REVOKED, mark)
    return manifest


def _trees(folder: Path) -> str | None:
    """The hash of a bundle's trees; none for rules alone."""
    path = folder / "model.txt"
    return sha256_of(path) if path.exists() else None


def _named(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise Fault("it needs a name and a reason: --by NAME --reason TEXT")


def overview(settings: Settings) -> list[dict[str, Any]]:
    """Every bundle: its name, what its manifest says of it, whether it serves, came before, or was revoked."""
    told = []
    for path in sorted(settings.bundles.glob(f"[!.]*/{MANIFEST}"), key=_promoted_at, reverse=True):
        name = path.parent.name
        revoked = (path.parent / REVOKED).exists()
        state = "serves" if path.parent == settings.serving else "former" if name == _former(settings) else ""
        told.append({"name": name, "promoted_at": _promoted_at(path), "state": "revoked" if revoked else state})
    return told


def _write(path: Path, text: str) -> None:
    """Put a file in its place in one step, synced: nobody ever reads half of it."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
