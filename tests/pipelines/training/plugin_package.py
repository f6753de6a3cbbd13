"""A package that brings features, written to a folder and installed as any other: by pip, into a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harbour-features"
version = "{version}"

[project.entry-points."tamis.features"]
harbour = "harbour_features:INPUTS"
"""
DOCSTRING = '"""Gross mass for each goods line, as the harbour weighs it."""'
CODE = f'''
"""Features of a harbour."""

from pathlib import Path

from features.algebra import Numbers, Text, where
from features.definition import of_consignment
from features.inputs import category, history, number

TIMES = float(Path(__file__).with_name("times.txt").read_text())


@of_consignment
def harbour_mass_per_line(gross_mass_kg: Numbers, lines: Numbers) -> Numbers:
    {DOCSTRING}
    return where(lines > 0, gross_mass_kg / lines) * TIMES


INPUTS = (
    number(harbour_mass_per_line, "Mass per line", "Masse par ligne", "每行重量", "kg"),
    category("dispatch_country", "Country of dispatch", "Pays d'envoi", "发运国"),
    *history("consignor_hits_14d"),
)
'''
NAMES = ("harbour_mass_per_line", "dispatch_country", "consignor_hits_14d")


def laid_out_package(folder: Path, code: str) -> Path:
    """Write the package as an installer lays it out; returns the folder that belongs on the path."""
    place = folder / "laid out"
    module, described = place / "harbour_features", place / "harbour_features-1.0.dist-info"
    module.mkdir(parents=True)
    described.mkdir()
    (module / "__init__.py").write_text(code, encoding="utf-8")
    (module / "times.txt").write_text("3", encoding="utf-8")
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: harbour-features\nVersion: 1.0\n", "utf-8")
    (described / "entry_points.txt").write_text("[tamis.features]\nharbour = harbour_features:INPUTS\n", "utf-8")
    return place


def installed_package(folder: Path, *, version: str = "1.0", code: str = CODE, times: str = "3") -> Path:
    """Write the package and install it; returns the folder that belongs on the path."""
    source, place = folder / "source", folder / "installed"
    module = source / "harbour_features"
    module.mkdir(parents=True)
    (source / "pyproject.toml").write_text(PROJECT.format(version=version), encoding="utf-8")
    (module / "__init__.py").write_text(code, encoding="utf-8")
    (module / "times.txt").write_text(times, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(place), str(source)], check=True)
    return place
