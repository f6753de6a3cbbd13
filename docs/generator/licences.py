"""The page of licences: what the locked runtime dependencies say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.generator.markdown import page, table

CLASSIFIER = "License :: OSI Approved :: "
SPDX = {  # classifiers that name no version stand as they are
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
}
BEGINNINGS = {"MIT": "Permission is hereby granted, free of charge", "Apache-2.0": "Apache License"}
INTRODUCTION = """
Tamis is licensed under the Apache License 2.0. It runs on these packages, in the versions of `requirements.lock`: what
`pip install tamis` brings is needed to serve, what only `pip install 'tamis[train]'` brings to train. The licence is
what each package states in its metadata. `fastapi-offline` brings the files of Swagger UI (Apache-2.0), with which
`/docs` is shown; the console holds a file of `htmx` (0BSD).
"""


def licences_page() -> str:
    """Return the page of every runtime dependency with its licence."""
    serving = {d.metadata["Name"] for d in runtime_distributions(frozenset())}
    rows = [
        [name, "serve" if name in serving else "train", licence_of(d), d.metadata.json.get("summary", "")]
        for d in runtime_distributions()
        for name in (d.metadata["Name"],)
    ]
    return page("Licences", INTRODUCTION, table(["package", "needed to", "licence", "what it is"], rows))


def runtime_distributions(extras: frozenset[str] = frozenset({"train"})) -> list[Distribution]:
    """Return the installed packages that Tamis needs with its extras, directly or through others, by name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted = list(_requirements(distribution("tamis"), extras))
    while wanted:
        name, its_extras = wanted.pop()
        if (name, its_extras) in seen:
            continue
        seen.add((name, its_extras))
        found[name] = distribution(name)
        wanted.extend(_requirements(found[name], its_extras))
    return [found[name] for name in sorted(found)]


def _requirements(of: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the packages that one needs on this machine with some of its extras, and the extras it asks of them."""
    for written in of.requires or []:
        requirement = Requirement(written)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def licence_of(package: Distribution) -> str:
    """Return the licence that a package states: as an SPDX expression, by classifier, or in its first words."""
    metadata = package.metadata
    if expression := metadata.json.get("license_expression"):
        return str(expression)
    classifiers = [c.removeprefix(CLASSIFIER) for c in metadata.get_all("Classifier") or [] if c.startswith(CLASSIFIER)]
    if classifiers:
        return ", ".join(SPDX.get(name, name) for name in classifiers)
    written = str(metadata.json.get("license") or "").strip()
    if written and "\n" not in written:
        return SPDX.get(written, written)
    return _of_file(package) or "not stated in its metadata"


def _of_file(package: Distribution) -> str:
    """Return the licence with which the licence file of a package begins."""
    for file in package.files or []:
        if re.search(r"dist-info/.*(LICEN[CS]E|COPYING)", str(file)):
            begins = Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")[:600]
            known = (name for name, words in BEGINNINGS.items() if words in begins)
            if licence := next(known, ""):
                return licence
    return ""
