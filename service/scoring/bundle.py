"""A model on disk: a directory of plain files, hashed and signed, verified before anything parses it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import polars as pl

from features import norms, rates, wording
from features.assemble import Fits, Rows
from features.catalogue import INPUTS, Input
from features.compatible import differences, lacking_plugins, means_the_same, revised_since
from features.fault import Fault
from features.fingerprint import code_fingerprint, fingerprint, meanings
from features.habits import Habits, no_habits
from features.headings import Headings, no_headings
from features.inputs import as_json, from_json
from features.norms import Norms
from features.plugins import plugins_of
from features.rates import Rates
from features.wording import Wording
from service.scoring.by_kind import CHANCE, KindOfFinding
from service.scoring.calibration import Calibration
from service.scoring.model import Model
from service.scoring.severity import Severity
from service.scoring.signature import PRIVATE, SignatureFault, sha256_of, sign, signing_key, verify
from service.scoring.trees import Trees

FILES = (
    "model.txt",
    "calibration.json",
    "severity.txt",  # NO_SEVERITY where too few findings were known to learn from
    "severity.json",
    "catalogue.json",
    "norms.parquet",
    "wording.parquet",
    "rates.parquet",
    "reference.json",
    "golden.parquet",
    "policy.toml",
    "card.md",
)
BY_KIND = "kinds.json"  # chances by kind of finding
HEADINGS = "headings.parquet"  # which headings the words of goods suggest
HABITS = "habits.parquet"  # how senders of a country state themselves
SINCE = (BY_KIND, HEADINGS, HABITS)
# files that bundles made before lack
MANIFEST = "manifest.json"
NORMS = "norms.parquet"
OF_GOODS = (NORMS, HEADINGS, HABITS)  # what rules without a model know of goods and senders
GOLDEN_SCORE = "golden_margin"
GOLDEN_SEVERITY = "golden_severity"
GOLDEN_KIND = "golden_"  # before the column of a kind's chance
NO_SEVERITY = "none\n"
RULES_ONLY = "rules-only"  # stands for the model where none scored
PROVING_SECONDS = 60
PROVED = ".proved"  # beside the bundles: signed marks of what was proved here


class BundleRefused(Fault):
    """A bundle that must not be served; the message says which file and why."""


def write_bundle(directory: Path, model: Model, golden: Rows, texts: Mapping[str, str]) -> None:
    """Write a model as a bundle without its manifest; `texts` are `policy.toml` and `card.md`."""
    if model.trees is None:
        raise BundleRefused("a model without trees is no bundle")
    directory.mkdir(parents=True, exist_ok=True)
    catalogue = {
        "fingerprint": model.fingerprint,
        "code": code_fingerprint(model.inputs),
        "meanings": meanings(model.inputs),
        "inputs": as_json(model.inputs),
        "levels": model.levels,
        "plugins": {name: plugin.version for name, plugin in plugins_of(model.inputs).items()},
    }
    written = {
        "model.txt": model.trees.booster.model_to_string(),
        "calibration.json": json.dumps(model.calibration.as_json()),
        **_severity_texts(model.severity),
        "catalogue.json": json.dumps(catalogue, ensure_ascii=False, indent=1),
        "reference.json": json.dumps(model.reference.tolist()),
        BY_KIND: json.dumps([kind.as_json() for kind in model.kinds], indent=1),
        **texts,
    }
    for name, text in written.items():
        (directory / name).write_text(text, encoding="utf-8")
    model.fits.norms.table.write_parquet(directory / NORMS)
    model.fits.wording.table.write_parquet(directory / "wording.parquet")
    model.fits.rates.table.write_parquet(directory / "rates.parquet")
    model.fits.headings.table.write_parquet(directory / HEADINGS)
    model.fits.habits.table.write_parquet(directory / HABITS)
    scores = model.score(golden)
    known_scores = (
        scores.frame["margin"].alias(GOLDEN_SCORE),
        pl.Series(GOLDEN_SEVERITY, scores.severity(range(len(golden)))),
        *(scores.frame[f"{CHANCE}{kind}"].alias(f"{GOLDEN_KIND}{kind}") for kind in scores.by_kind()),
    )
    golden.frame.with_columns(known_scores).write_parquet(directory / "golden.parquet")


def _severity_texts(severity: Severity | None) -> dict[str, str]:
    if severity is None:
        return {"severity.txt": NO_SEVERITY, "severity.json": json.dumps(Calibration("none").as_json())}
    calibration = json.dumps(severity.calibration.as_json())
    return {"severity.txt": severity.trees.booster.model_to_string(), "severity.json": calibration}


def _severity(contents: Mapping[str, bytes]) -> Severity | None:
    text = contents["severity.txt"].decode("utf-8")
    if text == NO_SEVERITY:
        return None
    return Severity(Trees.of(lgb.Booster(model_str=text)), Calibration.from_json(json.loads(contents["severity.json"])))


def files_in(directory: Path) -> tuple[str, ...]:
    """Return the files of a bundle that is not sealed yet: all of FILES, and of SINCE those that it has."""
    return (*FILES, *(name for name in SINCE if (directory / name).exists()))


def seal(directory: Path, keys: Path, facts: Mapping[str, Any], files: Sequence[str] | None = None) -> dict[str, Any]:
    """Write the signed manifest of a bundle; `facts` (model_id, promoted_by, …) go into it."""
    files = files_in(directory) if files is None else files
    content = {**facts, "files": {name: sha256_of(directory / name) for name in files}}
    signed = sign(content, signing_key(keys))
    (directory / MANIFEST).write_text(json.dumps(signed, indent=1, ensure_ascii=False), encoding="utf-8")
    return signed


def load_bundle(directory: Path, keys: Path, *, decides: bool = True) -> tuple[Model, str]:
    """The model and the text of its policy; raises BundleRefused for anything that is not as signed.

    decides: whether it is to score new rows, which today's features must mean the same for; to give again what it
    decided, or to explain it, its own rows are there.

    The files are verified first, then proved in a child process, and only then parsed here. What was proved here
    before, byte for byte and by the same libraries, is not proved again: a service that was killed is back the sooner.
    """
    contents = _verified(directory, keys)
    mark = directory.parent / PROVED / f"{_sha256(contents[MANIFEST])}.json"
    if not _was_proved(mark, keys):
        prove(directory)
        _note_proof(mark, keys)
    manifest = json.loads(contents[MANIFEST])
    facts = {name: fact for name, fact in manifest.items() if name not in ("files", "signature")}
    try:
        model = replace(parse(contents, str(manifest["model_id"]), decides=decides), facts=facts)
    except BundleRefused as refused:
        raise BundleRefused(f"{directory}: {refused}") from refused
    return model, contents["policy.toml"].decode("utf-8")


def load_rules(directory: Path, keys: Path) -> tuple[Model, str]:
    """Signed rules without trees: a model that scores nothing, and the text of their policy."""
    files = ("policy.toml", *(name for name in OF_GOODS if (directory / name).exists()))
    contents = _verified(directory, keys, files)
    manifest = json.loads(contents[MANIFEST])
    of_goods = Norms(pl.read_parquet(io.BytesIO(contents[NORMS]))) if NORMS in contents else None
    facts = {name: fact for name, fact in manifest.items() if name not in ("files", "signature")}
    model = unscored(INPUTS, of_goods, _headings(contents), _habits(contents))
    return replace(model, facts=facts), contents["policy.toml"].decode("utf-8")


def unscored(
    inputs: tuple[Input, ...],
    of_goods: Norms | None = None,
    headings: Headings | None = None,
    habits: Habits | None = None,
) -> Model:
    """A model without trees: it gives no risk to anything, so that only rules, indicators and chance choose.

    of_goods, headings, habits: the norms that its rows are compared with, what words suggest, and how senders state
    themselves; none where nothing was archived when rules began to decide.
    """
    return Model(
        model_id=RULES_ONLY,
        sha256=RULES_ONLY,
        fingerprint=fingerprint(inputs),
        inputs=inputs,
        fits=Fits(
            of_goods or Norms(norms.SCHEMA.to_frame()),
            Wording(wording.SCHEMA.to_frame()),
            Rates(rates.SCHEMA.to_frame()),
            headings or no_headings(),
            habits or no_habits(),
        ),
        levels={item.name: [] for item in inputs if item.kind == "category"},
        calibration=Calibration("none"),
        reference=np.empty(0),
        trees=None,
    )


def _verified(directory: Path, keys: Path, files: Sequence[str] | None = None) -> dict[str, bytes]:
    """The bytes of every file, read once and hashed: what was verified is what gets parsed.

    files: those that count; by default FILES, and of SINCE those that its manifest names.
    """
    try:
        signed = (directory / MANIFEST).read_bytes()
        manifest = verify(_object(json.loads(signed)), keys)
        files = (*FILES, *(name for name in SINCE if name in manifest["files"])) if files is None else files
        contents = {MANIFEST: signed, **{name: (directory / name).read_bytes() for name in files}}
    except OSError as fault:
        raise BundleRefused(f"{fault.filename}: {fault.strerror}") from fault
    except (SignatureFault, ValueError) as fault:
        raise BundleRefused(f"{directory / MANIFEST}: {fault}") from fault
    changed = [name for name in files if manifest["files"].get(name) != _sha256(contents[name])]
    if changed:
        raise BundleRefused(f"{directory / changed[0]}: changed since it was signed")
    return contents


def _by() -> dict[str, Any]:
    """What a proof rests on beside the bundle: this machine and the libraries that score."""
    versions = {library.__name__: library.__version__ for library in (lgb, np, pl)}
    return {"python": sys.version, "machine": platform.machine(), "node": platform.node(), **versions}


def _was_proved(mark: Path, keys: Path) -> bool:
    try:
        return verify(json.loads(mark.read_text(encoding="utf-8")), keys) == {"manifest": mark.stem, **_by()}
    except (OSError, ValueError, AttributeError, SignatureFault):
        return False


def _note_proof(mark: Path, keys: Path) -> None:
    """Remember a proof, where this machine may sign; another proves each time anew."""
    if not (keys / PRIVATE).exists():
        return
    mark.parent.mkdir(exist_ok=True)
    temporary = mark.with_name(f".{mark.name}.{os.getpid()}")
    temporary.write_text(json.dumps(sign({"manifest": mark.stem, **_by()}, signing_key(keys))), encoding="utf-8")
    temporary.replace(mark)


def _object(written: Any) -> dict[str, Any]:
    if not isinstance(written, dict) or not isinstance(written.get("files"), dict) or "model_id" not in written:
        raise ValueError("not a manifest; it names a model_id and files")
    return written


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def prove(directory: Path) -> None:
    """Load the bundle in a child process and compare its golden rows: damaged trees end the child, not the service."""
    command = [sys.executable, "-m", "service.serving.bundle_proof", str(directory)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROVING_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as fault:
        raise BundleRefused(f"{directory}: not proved within {PROVING_SECONDS} s") from fault
    if done.returncode != 0:
        output = done.stderr.decode("utf-8", errors="replace")
        last_line = output.strip().splitlines()[-1:] or [f"the proving process ended with {done.returncode}"]
        raise BundleRefused(f"{directory}: {last_line[0]}")


def parse(contents: Mapping[str, bytes], model_id: str, *, decides: bool = True) -> Model:
    """A model from the bytes of its files; raises BundleRefused where this code means other features by its names.

    decides: as in `load_bundle`.
    """
    catalogue = json.loads(contents["catalogue.json"])
    inputs: tuple[Input, ...] = from_json(catalogue["inputs"])
    learned = catalogue["fingerprint"], catalogue.get("code")
    as_learned = not decides or means_the_same(inputs, *learned)
    revised = () if as_learned else revised_since(inputs, *learned)
    if not as_learned and not revised:
        _ask_for_plugins(inputs, catalogue.get("plugins", {}))
        changed = differences(inputs, catalogue.get("meanings", {}))
        which = f" ({', '.join(changed)})" if changed else ""
        raise BundleRefused(
            f"the features have changed since the model learned{which}: it can replay and explain what it decided; "
            "it cannot decide new consignments: train again"
        )
    return Model(
        model_id=model_id,
        sha256=_sha256(contents["model.txt"]),
        fingerprint=catalogue["fingerprint"],
        inputs=inputs,
        fits=Fits(
            Norms(pl.read_parquet(io.BytesIO(contents[NORMS]))),
            Wording(pl.read_parquet(io.BytesIO(contents["wording.parquet"]))),
            Rates(pl.read_parquet(io.BytesIO(contents["rates.parquet"]))),
            _headings(contents),
            _habits(contents),
        ),
        levels=catalogue["levels"],
        calibration=Calibration.from_json(json.loads(contents["calibration.json"])),
        reference=np.asarray(json.loads(contents["reference.json"]), dtype=np.float64),
        trees=Trees.of(lgb.Booster(model_str=contents["model.txt"].decode("utf-8"))),
        severity=_severity(contents),
        revised=revised,
        kinds=tuple(map(KindOfFinding.from_json, json.loads(contents.get(BY_KIND, b"[]")))),
    )


def _ask_for_plugins(inputs: Sequence[Input], versions: Mapping[str, str]) -> None:
    """Raise BundleRefused, which names the plug-ins that a model learned with and that are not installed here."""
    lacking = lacking_plugins(inputs)
    if lacking:
        named = "; ".join(
            f"{' '.join((name, versions.get(name, ''))).strip()} for {', '.join(features)}"
            for name, features in lacking.items()
        )
        raise BundleRefused(
            f"the model learned with features of a plug-in that is not installed here ({named}): install it in the "
            "environment of Tamis, or train again without it"
        )


def _headings(contents: Mapping[str, bytes]) -> Headings:
    """Return what words suggest; nothing of a bundle that was made before."""
    return Headings(pl.read_parquet(io.BytesIO(contents[HEADINGS]))) if HEADINGS in contents else no_headings()


def _habits(contents: Mapping[str, bytes]) -> Habits:
    """Return how senders state themselves; nothing of a bundle that was made before."""
    return Habits(pl.read_parquet(io.BytesIO(contents[HABITS]))) if HABITS in contents else no_habits()


def golden_differences(directory: Path) -> int:
    """How many golden rows score otherwise than when the bundle was written."""
    signed = json.loads((directory / MANIFEST).read_bytes())["files"]
    contents = {name: (directory / name).read_bytes() for name in (*FILES, *SINCE) if name in signed}
    model = parse(contents, "golden", decides=False)  # golden rows are rows as the model sees them, made long ago
    golden = pl.read_parquet(io.BytesIO(contents["golden.parquet"]))
    by_kind = [f"{GOLDEN_KIND}{kind.code}" for kind in model.kinds]
    scores = model.score(Rows.of_frame(golden.drop(GOLDEN_SCORE, GOLDEN_SEVERITY, *by_kind)))
    margin, grave = scores.frame["margin"].to_numpy(), scores.severity(range(golden.height))
    other = (margin != golden[GOLDEN_SCORE].to_numpy()) | ~_same(grave, golden[GOLDEN_SEVERITY].to_numpy())
    for name, chance in zip(by_kind, scores.by_kind().values(), strict=True):
        other |= ~_same(chance, golden[name].to_numpy())
    return int(other.sum())


def _same(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
