"""Model inputs that installed packages bring through the entry point `tamis.features`, and the code they rest on."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from features.choices import LANGUAGES
from features.consignment import BY_NAME, EXTRA
from features.definition import DEFINITIONS
from features.fault import Fault
from features.history.windows import reading_of
from features.inputs import Input
from features.source_code import wordless

GROUP = "tamis.features"
NAME = re.compile(r"[a-z][a-z0-9_]*")
COMPILED = {"__pycache__"}  # folders that Python writes beside the code


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package that brings inputs: the name and version of its distribution, its topmost module."""

    name: str
    version: str
    module: str


PLUGINS: dict[str, Plugin] = {}  # those that were loaded, by name


def plugged_in(taken: Sequence[Input]) -> tuple[Input, ...]:
    """Return the inputs of all installed plug-ins, by distribution and entry point.

    taken: the inputs of Tamis. A plug-in may name none of them, and define nothing that they are computed from. Raises
    Fault, which names the plug-in.
    """
    found = entry_points(group=GROUP)
    if not found:
        return ()
    inputs = {item.name: item for item in taken}
    reserved = _reserved()
    for entry in sorted(found, key=lambda entry: (_distribution(entry)[0], entry.name)):
        for item in _inputs_of(entry):
            if item.name in inputs:
                raise _refused(entry, f"brings the feature {item.name}, which is there already: give it another name")
            inputs[item.name] = item
        if shadowed := sorted(_foreign() & reserved):
            raise _refused(entry, f"defines {shadowed[0]}, which is a column already: give it another name")
    return tuple(inputs.values())[len(taken) :]


def plugins_of(inputs: Iterable[Input]) -> dict[str, Plugin]:
    """Return the plug-ins that inputs come from, by name; only those that are installed here."""
    named = {item.plugin for item in inputs if item.plugin}
    return {name: PLUGINS[name] for name in sorted(named & PLUGINS.keys())}


@cache
def code_of(plugin: Plugin) -> dict[str, str]:
    """Hash each file of the package of a plug-in: code without comments and docstrings, whatever else by its bytes."""
    place = Path(str(sys.modules[plugin.module].__file__))
    folder = place.parent if place.name == "__init__.py" else None
    files = [place] if folder is None else _files_in(folder)
    return {file.relative_to(place.parent).as_posix(): _hash_of(file) for file in files}


def _inputs_of(entry: EntryPoint) -> Iterator[Input]:
    """Load what an entry point names: a sequence of inputs."""
    name, version = _distribution(entry)
    try:
        loaded = entry.load()
    except Exception as fault:  # whatever the code of strangers raises
        raise _refused(entry, f"cannot be loaded: {type(fault).__name__}: {fault}") from fault
    if not isinstance(loaded, Sequence) or not all(isinstance(item, Input) for item in loaded):
        raise _refused(entry, "is no sequence of inputs: name one that number(), category() and history() declare")
    PLUGINS[name] = Plugin(name, version, entry.module.partition(".")[0])
    for item in loaded:
        yield replace(_checked(item, entry), plugin=name)


def _checked(item: Input, entry: EntryPoint) -> Input:
    if not NAME.fullmatch(item.name) or item.name.startswith(EXTRA):
        raise _refused(entry, f"calls a feature {item.name!r}: use small letters, digits and _, and not {EXTRA}")
    lacking = [language for language in LANGUAGES if not item.words.get(language, "").strip()]
    if lacking:
        raise _refused(entry, f"does not word {item.name} in {', '.join(lacking)}")
    if item.name not in DEFINITIONS and item.name not in BY_NAME and reading_of(item.name) is None:
        raise _refused(entry, f"names {item.name}, which is neither defined, declared nor a reading of history")
    return item


def _reserved() -> set[str]:
    """Return the names of columns that are declared, or that features of Tamis are computed from."""
    of_tamis = [d for d in DEFINITIONS.values() if _is_of_tamis(d.written.__module__)]
    return {*BY_NAME, *(name for d in of_tamis for name in (d.name, *d.inputs))}


def _foreign() -> set[str]:
    return {d.name for d in DEFINITIONS.values() if not _is_of_tamis(d.written.__module__)}


def _is_of_tamis(module: str) -> bool:
    return module.partition(".")[0] == "features"


def _distribution(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist is not None else (entry.module, "0")


def _refused(entry: EntryPoint, why: str) -> Fault:
    name, version = _distribution(entry)
    return Fault(f"the plug-in {name} {version} ({entry.name} = {entry.value}) {why}; or uninstall it")


def _files_in(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file() and not COMPILED & set(file.parts))
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _hash_of(file: Path) -> str:
    content = file.read_bytes()
    if file.suffix == ".py":
        content = wordless(content.decode("utf-8")).encode("utf-8")
    return hashlib.sha256(content).hexdigest()
