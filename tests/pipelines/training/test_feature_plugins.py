"""Features of an installed package: trained with, scored with, and a bundle that refuses to serve without them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.catalogue import INPUTS, OF_TAMIS
from features.inputs import as_json, from_json
from tests.pipelines.training.plugin_package import CODE, NAMES, installed_package

ROOT = Path(__file__).parents[3]
MODULE = "tests.pipelines.training.plugin_run"


def run(places: list[Path], *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with folders of packages in front of the checkout."""
    path = os.pathsep.join(map(str, (*places, ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, **settings}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_package(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def plugged_home(sealed_home: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose model learned with the features of the package; to be copied."""
    home = tmp_path_factory.mktemp("plugged") / "home"
    learned = run([package], MODULE, "learn", str(home), str(sealed_home.parent / "archive"))
    assert learned.returncode == 0, learned.stderr
    return home


@pytest.fixture
def home(plugged_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(plugged_home, tmp_path / "home")
    return tmp_path / "home"


def test_a_model_learns_and_decides_with_features_of_a_package(home: Path, package: Path) -> None:
    decided = run([package], MODULE, "decide", str(home))
    assert decided.returncode == 0, decided.stderr
    answer = json.loads(decided.stdout)
    assert answer["inputs"] == list(NAMES)
    assert answer["modes"] == ["full", "full"]
    assert answer["models"] == ["plugged", "plugged"]
    assert answer["masses"] == [6.0, 9.0]  # the mass of one line, times what the table of the package says
    assert answer["countries"] == ["CN", "CN"]
    catalogue = json.loads((home / "bundles" / "plugged" / "catalogue.json").read_text("utf-8"))
    assert catalogue["plugins"] == {"harbour-features": "1.0"}
    trees = (home / "bundles" / "plugged" / "model.txt").read_text("utf-8")
    assert set(NAMES) <= set(trees.split("feature_names=")[1].split("\n")[0].split())


def test_without_the_package_its_bundle_is_refused_by_name(home: Path, tmp_path: Path) -> None:
    refused = run([], MODULE, "decide", str(home))
    assert refused.returncode == 1
    assert (
        "learned with features of a plug-in that is not installed here "
        "(harbour-features 1.0 for harbour_mass_per_line, dispatch_country, consignor_hits_14d): install it"
    ) in refused.stderr
    ended = run([], "pipelines.cli", "rules", TAMIS_HOME=str(home))
    assert ended.returncode == 1
    assert "harbour-features 1.0" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_the_same_code_of_a_newer_version_goes_on_deciding(home: Path, tmp_path: Path) -> None:
    newer = installed_package(
        tmp_path / "newer", version="1.1", code=CODE.replace("as the harbour weighs it", "weighed")
    )
    decided = run([newer], MODULE, "decide", str(home))
    assert decided.returncode == 0, decided.stderr
    assert json.loads(decided.stdout)["masses"] == [6.0, 9.0]


@pytest.mark.parametrize(
    "changed", [{"times": "4"}, {"code": CODE.replace("gross_mass_kg / lines", "gross_mass_kg / (lines + 1)")}]
)
def test_a_package_that_computes_otherwise_ends_its_bundle(home: Path, tmp_path: Path, changed: dict[str, str]) -> None:
    other = installed_package(tmp_path / "other", **changed)
    refused = run([other], MODULE, "decide", str(home))
    assert refused.returncode == 1
    assert "the features have changed since the model learned (harbour_mass_per_line is computed otherwise" in (
        refused.stderr
    )


def test_a_bundle_without_plugins_does_not_notice_one(sealed_home: Path, package: Path, tmp_path: Path) -> None:
    shutil.copytree(sealed_home, tmp_path / "home")
    asked = (
        "from service.scoring.bundle import load_bundle; from service.settings import Settings; s = Settings(); "
        "print(len(load_bundle(s.serving, s.keys)[0].inputs))"
    )
    path = os.pathsep.join(map(str, (package, ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "TAMIS_HOME": str(tmp_path / "home")}
    loaded = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == str(len(OF_TAMIS))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "cannot be loaded: ModuleNotFoundError"),
        ("from features.catalogue import INPUTS", "cannot be loaded: ImportError"),
        ("INPUTS = 3", "is no sequence of inputs"),
        (CODE.replace('"发运国"', '""'), "does not word dispatch_country in zh"),
        (CODE.replace('"dispatch_country"', '"value_eur"'), "brings the feature value_eur, which is there already"),
        (CODE.replace("harbour_mass_per_line", "pieces_of"), None),
        (CODE.replace("harbour_mass_per_line", "office"), "defines office, which is a column already"),
        (CODE.replace('"dispatch_country"', '"nothing_known"'), "names nothing_known, which is neither defined"),
        (
            CODE.replace('    """Gross mass for each goods line, as the harbour weighs it."""\n', ""),
            "needs a docstring",
        ),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_in_one_line(tmp_path: Path, code: str, why: str | None) -> None:
    package = installed_package(tmp_path, code=code)
    ended = run([package], "pipelines.cli", "status", TAMIS_HOME=str(tmp_path / "home"))
    assert "features of harbour-features 1.0" in ended.stdout  # what mends it can be looked up
    ended = run([package], "pipelines.cli", "rules", TAMIS_HOME=str(tmp_path / "home"))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    if why is None:
        assert "plug-in" not in ended.stderr
    else:
        assert why in ended.stderr
        assert "the plug-in harbour-features 1.0 (harbour = harbour_features:INPUTS)" in ended.stderr


def test_inputs_keep_the_name_of_their_plugin_and_those_of_tamis_have_none() -> None:
    from dataclasses import replace

    plugged = replace(INPUTS[0], plugin="harbour-features")
    assert from_json(as_json([plugged])) == (plugged,)
    assert "plugin" not in as_json(OF_TAMIS)[0]
