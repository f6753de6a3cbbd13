"""Bundles: what was signed serves; anything else is refused, whatever the damage, and the process lives on."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features import compatible
from features.assemble import Rows
from features.catalogue import INPUTS
from features.fingerprint import code_fingerprint, fingerprint
from service.orientation import load_policy
from service.scoring import BundleRefused, Model, load_bundle
from service.scoring.bundle import FILES, GOLDEN_SCORE, MANIFEST, SINCE, parse, seal
from service.scoring.signature import PRIVATE, PUBLIC, SignatureFault, sign, signing_key, verify
from service.settings import Settings


def refusal(settings: Settings) -> str:
    """Why the bundle of a home is refused; fails where it is not."""
    with pytest.raises(BundleRefused) as caught:
        load_bundle(settings.serving, settings.keys)
    return str(caught.value)


def test_a_sealed_bundle_loads_and_scores_its_golden_rows_to_the_bit(
    trained_home: Settings, trained_model: Model
) -> None:
    loaded, policy = load_bundle(trained_home.serving, trained_home.keys)
    golden = pl.read_parquet(trained_home.serving / "golden.parquet")
    scored = loaded.score(Rows.of_frame(golden.drop(GOLDEN_SCORE))).frame
    assert golden.height >= 100
    assert scored["margin"].n_unique() > 20
    assert scored["margin"].to_numpy().tobytes() == golden[GOLDEN_SCORE].to_numpy().tobytes()
    told = (loaded.model_id, loaded.sha256, loaded.fingerprint)
    assert told == (trained_model.model_id, trained_model.sha256, fingerprint(INPUTS))
    assert json.loads((trained_home.serving / MANIFEST).read_text())["files"]["model.txt"] == loaded.sha256
    assert load_policy(policy).policy_id


def test_a_bundle_holds_only_the_known_plain_files(sealed_home: Path) -> None:
    folder = Settings(home=sealed_home).serving
    assert {path.name for path in folder.rglob("*")} == {*FILES, *SINCE, MANIFEST}
    for path in folder.iterdir():
        content = path.read_bytes()
        if path.suffix == ".parquet":
            assert content[:4] == content[-4:] == b"PAR1"
        else:
            assert "\x00" not in content.decode("utf-8")


def test_the_signing_key_is_its_owners_alone(sealed_home: Path) -> None:
    assert (sealed_home / "keys" / PRIVATE).stat().st_mode & 0o077 == 0


def test_what_was_proved_here_is_not_proved_again_unless_anything_differs(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.scoring import bundle

    proofs: list[Path] = []
    monkeypatch.setattr(bundle, "prove", proofs.append)

    def load() -> int:
        proofs.clear()
        load_bundle(home.serving, home.keys)
        return len(proofs)

    shutil.rmtree(home.bundles / bundle.PROVED, ignore_errors=True)
    assert [load(), load()] == [1, 0]
    (mark,) = (home.bundles / bundle.PROVED).iterdir()
    mark.write_text(mark.read_text().replace('"manifest": "', '"manifest": "0'))
    assert [load(), load()] == [1, 0]
    mark.write_text("")
    assert [load(), load()] == [1, 0]
    monkeypatch.setattr(np, "__version__", "another")
    assert [load(), load()] == [1, 0]
    seal(home.serving, home.keys, {"model_id": "sealed anew"})
    assert [load(), load()] == [1, 0]
    (home.keys / PRIVATE).unlink()
    shutil.rmtree(home.bundles / bundle.PROVED)
    assert [load(), load()] == [1, 1]  # who may not sign leaves no mark


@pytest.mark.parametrize("name", [*FILES, *SINCE])
def test_one_changed_byte_of_any_file_is_refused_by_name(home: Settings, name: str) -> None:
    path = home.serving / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert name in refusal(home)


@pytest.mark.parametrize("name", [*FILES, *SINCE, MANIFEST])
def test_a_missing_file_is_refused_by_name(home: Settings, name: str) -> None:
    (home.serving / name).unlink()
    assert name in refusal(home)


@pytest.mark.parametrize("field", ["model_id", "promoted_by", "files", "signature"])
def test_a_manifest_changed_after_signing_is_refused(home: Settings, field: str) -> None:
    path = home.serving / MANIFEST
    written = json.loads(path.read_text())
    written[field] = {} if field == "files" else "ab" * 64
    path.write_text(json.dumps(written))
    assert MANIFEST in refusal(home)


def test_every_truncation_of_a_manifest_is_refused(home: Settings) -> None:
    path = home.serving / MANIFEST
    content = path.read_bytes()
    for end in range(0, len(content) - 1, 37):
        path.write_bytes(content[:end])
        assert MANIFEST in refusal(home)


@pytest.mark.parametrize("content", ["[]", "3", '"x"', "null"])
def test_a_manifest_that_is_no_object_is_refused(home: Settings, content: str) -> None:
    (home.serving / MANIFEST).write_text(content)
    assert MANIFEST in refusal(home)


@pytest.mark.parametrize("lacking", ["files", "model_id"])
def test_a_signed_manifest_that_lacks_a_part_is_refused(home: Settings, lacking: str) -> None:
    path = home.serving / MANIFEST
    written = {
        name: value for name, value in json.loads(path.read_text()).items() if name not in (lacking, "signature")
    }
    path.write_text(json.dumps(sign(written, signing_key(home.keys))))
    assert MANIFEST in refusal(home)


def test_a_bundle_signed_by_another_key_is_refused(home: Settings, tmp_path: Path) -> None:
    seal(home.serving, tmp_path / "elsewhere", {"model_id": "x"})
    assert "signature" in refusal(home)


def test_without_the_public_key_nothing_is_trusted(home: Settings) -> None:
    (home.keys / PUBLIC).unlink()
    assert PUBLIC in refusal(home)


def test_a_home_without_a_champion_names_the_folder(home: Settings) -> None:
    home.champion.unlink()
    assert "none" in refusal(home)


def test_a_signature_covers_every_value_and_no_order(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    signed = sign({"a": 1, "b": {"c": [1, 2]}}, key)
    assert verify(dict(reversed(signed.items())), tmp_path) == {"a": 1, "b": {"c": [1, 2]}}
    for changed in ({"a": 2}, {"b": {"c": [2, 1]}}, {"d": 1}, {"signature": "zz"}, {"signature": ""}):
        with pytest.raises(SignatureFault):
            verify(signed | changed, tmp_path)


def _rename_input(catalogue: dict[str, Any]) -> None:
    catalogue["inputs"][0]["name"] = "value_usd"


def _reorder_inputs(catalogue: dict[str, Any]) -> None:
    catalogue["inputs"][:2] = catalogue["inputs"][1::-1]


def _other_fingerprint(catalogue: dict[str, Any]) -> None:
    catalogue["fingerprint"] = "0" * 64


CATALOGUES: tuple[Callable[[dict[str, Any]], None], ...] = (
    _rename_input, _reorder_inputs, _other_fingerprint,
)  # fmt: skip


@pytest.mark.parametrize("mutate", CATALOGUES)
def test_features_that_mean_something_else_are_refused_before_the_trees_are_parsed(
    sealed_home: Path, mutate: Callable[[dict[str, Any]], None]
) -> None:
    folder = Settings(home=sealed_home).serving
    contents = {name: (folder / name).read_bytes() for name in FILES}
    catalogue = json.loads(contents["catalogue.json"])
    mutate(catalogue)
    contents |= {"catalogue.json": json.dumps(catalogue).encode(), "model.txt": b""}
    with pytest.raises(BundleRefused, match="features have changed") as caught:
        parse(contents, "x")
    assert ("value_usd is in the catalogue no more" in str(caught.value)) == (mutate is _rename_input)


def _silent_mutants(text: str) -> dict[str, str]:
    """Damaged trees of many kinds; none that only loops, as the child is given a minute for those."""
    leaf = text.split("leaf_value=")[1].split()[0]
    digit = next(i for i in range(len(leaf)) if leaf[i] in "12345678")
    return {
        "noise": "\x00\xff" * 500,
        "cut near the end": text[: text.rindex("leaf_value=") + 5],
        "more leaves than written": text.replace("num_leaves=", "num_leaves=9", 1),
        "no leaves": re.sub(r"num_leaves=\d+", "num_leaves=0", text, count=1),
        "a negative number of leaves": re.sub(r"num_leaves=\d+", "num_leaves=-5", text, count=1),
        "an input that there is not": re.sub(r"split_feature=\d+", "split_feature=99999", text, count=1),
        "words for numbers": text.replace("leaf_value=", "leaf_value=abc ", 1),
        "a tree left out": text[: text.index("Tree=0")] + text[text.index("Tree=1") :],
        "one digit of one leaf, which loads": text.replace(
            f"leaf_value={leaf}", f"leaf_value={leaf[:digit]}{int(leaf[digit]) + 1}{leaf[digit + 1 :]}", 1
        ),
    }


def _noisy_mutants(text: str) -> dict[str, str]:
    """Damage that makes the parser print whatever lies in its memory."""
    return {
        "cut at a third": text[: len(text) // 3],
        "every number the same": re.sub(r"-?\d+\.\d+(e-?\d+)?", "0.5", text),
    }


def not_refused(source: Settings, folder: Path, changed: dict[str, tuple[str, str]]) -> dict[str, str]:
    """What became of bundles that differ in one file each and are signed, other than being refused."""

    def outcome(number: int, name: str, text: str) -> str:
        bundle = folder / f"bundle-{number}"
        bundle.mkdir()
        for kept in FILES:
            (bundle / kept).write_bytes((source.serving / kept).read_bytes())
        (bundle / name).write_text(text, encoding="utf-8")
        seal(bundle, source.keys, {"model_id": bundle.name})
        try:
            load_bundle(bundle, source.keys)
        except BundleRefused as refused:
            return "" if str(bundle) in str(refused) else f"does not name the folder: {refused}"
        return "served"

    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda item: outcome(item[0], *item[1]), enumerate(changed.values()))
        return {name: said for name, said in zip(changed, done, strict=True) if said}


def test_damage_that_was_signed_ends_a_child_and_not_this_process(
    sealed_home: Path, trained_model: Model, tmp_path: Path
) -> None:
    """Hashes and signature fit here: only loading tells. Every mutant is refused; the model in memory scores on."""
    source = Settings(home=sealed_home)
    trees = (source.serving / "model.txt").read_text(encoding="utf-8")
    changed = {name: ("model.txt", text) for name, text in _silent_mutants(trees).items()}
    assert all(text != trees for _, text in changed.values())
    catalogue = json.loads((source.serving / "catalogue.json").read_text(encoding="utf-8"))
    changed["another fingerprint"] = ("catalogue.json", json.dumps(catalogue | {"fingerprint": "0" * 64}))
    changed["a calibration of no known kind"] = ("calibration.json", '{"method": "magic"}')
    assert not_refused(source, tmp_path, changed) == {}
    golden = pl.read_parquet(source.serving / "golden.parquet")
    margin = trained_model.score(Rows.of_frame(golden.drop(GOLDEN_SCORE))).frame["margin"]
    assert margin.to_numpy().tobytes() == golden[GOLDEN_SCORE].to_numpy().tobytes()


def test_a_bundle_from_before_a_revision_decides_and_says_of_what(
    sealed_home: Path, trained_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=sealed_home)
    contents = {path.name: path.read_bytes() for path in settings.serving.iterdir()}
    contents["catalogue.json"] = json.dumps(json.loads(contents["catalogue.json"]) | {"fingerprint": "f" * 64}).encode()
    with pytest.raises(BundleRefused, match="train again"):
        parse(contents, "earlier")
    monkeypatch.setattr(compatible, "REVISED_SINCE", {code_fingerprint(INPUTS): {"f" * 64: ("phone", "network")}})
    assert parse(contents, "earlier").revised == ("phone", "network")
    assert trained_model.revised == parse(contents, "earlier", decides=False).revised == ()


def test_whatever_a_dying_child_prints_the_bundle_is_refused(sealed_home: Path, tmp_path: Path) -> None:
    source = Settings(home=sealed_home)
    trees = (source.serving / "model.txt").read_text(encoding="utf-8")
    changed = {name: ("model.txt", text) for name, text in _noisy_mutants(trees).items()}
    assert not_refused(source, tmp_path, changed) == {}


DAMAGED = int(os.environ.get("TAMIS_DAMAGED_BUNDLES", "10"))


def _mutants(text: str, count: int) -> dict[str, tuple[str, str]]:
    """So many damaged model texts, each in one way drawn at random: cut, flipped, doubled, moved, another number."""
    draw = random.Random(17)
    made: dict[str, tuple[str, str]] = {}
    body = (text.index("Tree=0"), text.index("end of trees"))
    while len(made) < count:
        at = draw.randrange(*body)
        kind = ("cut", "flipped", "doubled", "left out", "another number")[len(made) % 5]
        if kind == "cut":
            changed = text[:at]
        elif kind == "flipped":
            changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        elif kind == "doubled":
            changed = text[:at] + text[at - 40 : at] + text[at:]
        elif kind == "left out":
            changed = text[:at] + text[at + draw.randrange(1, 400) :]
        else:
            number = re.compile(r"-?\d+(\.\d+)?").search(text, at)
            if number is None or number.start() > body[1]:
                continue
            changed = (
                text[: number.start()] + draw.choice(["-1", "0", "99999999999", "1e308", "nan"]) + text[number.end() :]
            )
        made[f"{len(made)}: {kind} at {at}"] = ("model.txt", changed)
    return made


def test_damaged_bundles_of_all_kinds_are_refused_or_score_the_same(
    sealed_home: Path, trained_model: Model, tmp_path: Path
) -> None:
    """TAMIS_DAMAGED_BUNDLES: so many, signed after the damage, so that only loading and the golden rows can tell.

    What touches nothing that scores (a leaf's count, a gain) may serve: it gives the very same margins.
    """
    source = Settings(home=sealed_home)
    trees = (source.serving / "model.txt").read_text(encoding="utf-8")
    served = {
        name: said
        for name, said in not_refused(source, tmp_path, _mutants(trees, DAMAGED)).items()
        if said != "served" or not _same_margins(name, source, tmp_path)
    }
    assert served == {}
    golden = pl.read_parquet(source.serving / "golden.parquet")
    margin = trained_model.score(Rows.of_frame(golden.drop(GOLDEN_SCORE))).frame["margin"]
    assert margin.equals(golden[GOLDEN_SCORE].rename("margin"))


def _same_margins(name: str, source: Settings, folder: Path) -> bool:
    """Whether a bundle that was served scores a thousand rows that no golden row is of as the undamaged one does."""
    damaged, _ = load_bundle(folder / f"bundle-{name.split(':')[0]}", source.keys)
    whole, _ = load_bundle(source.serving, source.keys)
    golden = pl.read_parquet(source.serving / "golden.parquet").drop(GOLDEN_SCORE)
    others = golden.select(pl.col(c).shuffle(seed=7 + i) if c != "row" else c for i, c in enumerate(golden.columns))
    both = [one.score(Rows.of_frame(others)).frame["margin"].to_numpy() for one in (damaged, whole)]
    return both[0].tobytes() == both[1].tobytes()
