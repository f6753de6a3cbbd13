"""Features of an installed package: trained with, scored with, and a bundle that refuses to serve without them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from features.catalogue import INPUTS, OF_TAMIS
from features.definition import DEFINITIONS, forget_definitions
from features.fault import Fault
from features.inputs import Input, as_json, from_json
from features.plugins import PLUGINS, plugged_in
from service.scoring.bundle import parse
from service.settings import Settings
from tests.pipelines.training.plugin_package import CODE, DOCSTRING, NAMES, installed_package, laid_out_package

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


def test_the_same_code_of_a_newer_version_goes_on_deciding(home: Path, tmp_path: Path) -> None:
    reworded = CODE.replace("as the harbour weighs it", "weighed")
    newer = installed_package(tmp_path / "newer", version="1.1", code=reworded)
    decided = run([newer], MODULE, "decide", str(home))
    assert decided.returncode == 0, decided.stderr
    assert json.loads(decided.stdout)["masses"] == [6.0, 9.0]


def test_a_package_that_computes_otherwise_ends_its_bundle(home: Path, tmp_path: Path) -> None:
    other = installed_package(tmp_path / "other", times="4")  # a table of it, and no line of code
    refused = run([other], MODULE, "decide", str(home))
    assert refused.returncode == 1
    assert "the features have changed since the model learned (harbour_mass_per_line is computed otherwise" in (
        refused.stderr
    )


def test_a_bundle_without_plugins_does_not_notice_one(
    sealed_home: Path, loading: Callable[[str], tuple[Input, ...]]
) -> None:
    assert len(loading(CODE)) == len(NAMES)
    settings = Settings(home=sealed_home)
    contents = {file.name: file.read_bytes() for file in settings.serving.iterdir()}
    assert [item for item in parse(contents, "tiny").inputs if item.plugin] == []


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], tuple[Input, ...]]]:
    """Loads a package of this code, as it stands in a folder of the path, and forgets it after the test."""
    before = dict(DEFINITIONS)

    def load(code: str) -> tuple[Input, ...]:
        monkeypatch.syspath_prepend(laid_out_package(tmp_path, code))
        return plugged_in(OF_TAMIS)

    yield load
    sys.modules.pop("harbour_features", None)
    PLUGINS.pop("harbour-features", None)
    DEFINITIONS.clear()
    DEFINITIONS.update(before)
    forget_definitions()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "cannot be loaded: ModuleNotFoundError"),
        ("INPUTS = 3", "is no sequence of inputs"),
        (CODE.replace('"发运国"', '""'), "does not word dispatch_country in zh"),
        (CODE.replace('"dispatch_country"', '"stream"'), "brings the feature stream, which is there already"),
        (CODE.replace("harbour_mass_per_line", "office"), "defines office, which is a column already"),
        (
            CODE.replace("harbour_mass_per_line", "hs6"),
            "TypeError: feature hs6 is declared in features",
        ),
        (CODE.replace('"dispatch_country"', '"nothing_known"'), "names nothing_known, which is neither defined"),
        (CODE.replace('"dispatch_country"', '"Dispatch"'), "calls a feature 'Dispatch'"),
        (CODE.replace(f"    {DOCSTRING}\n", ""), "needs a docstring"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_named(loading: Callable[[str], tuple[Input, ...]], code: str, why: str) -> None:
    with pytest.raises(Fault) as refused:
        loading(code)
    assert why in str(refused.value)
    assert "the plug-in harbour-features 1.0 (harbour = harbour_features:INPUTS)" in str(refused.value)


def test_a_plugin_may_offer_what_features_of_tamis_are_computed_from(
    loading: Callable[[str], tuple[Input, ...]],
) -> None:
    named = [item.name for item in loading(CODE.replace('"dispatch_country"', '"hs6"'))]
    assert named == ["harbour_mass_per_line", "hs6", "consignor_hits_14d"]


def test_a_plugin_that_cannot_be_loaded_ends_a_command_in_one_line(tmp_path: Path) -> None:
    package = laid_out_package(tmp_path, "from features.catalogue import INPUTS")
    home = str(tmp_path / "home")
    shown = run([package], "pipelines.cli", "status", TAMIS_HOME=home)
    assert "features of harbour-features 1.0" in shown.stdout  # what mends it can be looked up
    ended = run([package], "pipelines.cli", "rules", TAMIS_HOME=home)
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "harbour-features 1.0 (harbour = harbour_features:INPUTS) cannot be loaded: ImportError" in ended.stderr


def test_inputs_keep_the_name_of_their_plugin_and_those_of_tamis_have_none() -> None:
    plugged = replace(INPUTS[0], plugin="harbour-features")
    assert from_json(as_json([plugged])) == (plugged,)
    assert "plugin" not in as_json(OF_TAMIS)[0]
