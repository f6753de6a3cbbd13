"""The fingerprint of a catalogue: a hash by which a bundle knows whether its inputs still mean what it learned."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from features import (
    comparable,
    compute,
    consignment,
    hashes,
    hs_codes,
    identifiers,
    money,
    norms,
    product_codes,
    rates,
    wording,
)
from features.algebra import characters, frames, libm, lines, numbers, text
from features.algebra.characters import meaning_of_characters
from features.catalogue import Input
from features.definition import DEFINITIONS, needed
from features.history import entities, fact_columns, fact_list, facts, keys, shared_values, windows
from features.history.windows import reading_of
from features.parties import card, evidence, graph, linking, ownership
from features.plugins import code_of, plugins_of
from features.source_code import pieces_of_code, wordless

# their code is part of what every input means
MEANINGFUL = (
    card,
    characters,
    comparable,
    compute,
    consignment,
    entities,
    evidence,
    fact_columns,
    fact_list,
    facts,
    frames,
    graph,
    hashes,
    hs_codes,
    keys,
    libm,
    lines,
    linking,
    money,
    norms,
    numbers,
    ownership,
    product_codes,
    rates,
    shared_values,
    text,
    windows,
    wording,
)
IDENTIFIERS = Path(identifiers.__file__).parent  # its modules and its tables


def fingerprint(inputs: Sequence[Input]) -> str:
    """Hash what the inputs mean: their names, types and definitions, and the code that all of them rest on."""
    return fingerprint_over(inputs, code_fingerprint(inputs))


def fingerprint_over(inputs: Sequence[Input], code: str) -> str:
    """Return the fingerprint of inputs whose code has this hash."""
    named = {"inputs": [(item.name, item.kind) for item in inputs], "code": code}
    return _hash_of(named)


def code_fingerprint(inputs: Sequence[Input]) -> str:
    """Hash the code that the inputs rest on, wherever it stands: moved or laid out otherwise it is the same.

    Code that no input of these rests on is no part of it: a catalogue with one more leaves it as it is.
    """
    of_identifiers = (file.read_text(encoding="utf-8") for file in sorted(IDENTIFIERS.glob("*.py")))
    sources = map(wordless, (*map(inspect.getsource, MEANINGFUL), *of_identifiers))
    tables = sorted((*IDENTIFIERS.glob("*.csv"), *IDENTIFIERS.glob("*.toml")))
    meaning = {
        **_defined([item.name for item in inputs]),
        "code": sorted({piece for source in sources for piece in pieces_of_code(source)}),
        "tables": {table.name: hashlib.sha256(table.read_bytes()).hexdigest() for table in tables},
        "characters": meaning_of_characters(),
        "entity": entity_hash(),
        **_plugged(inputs),
    }
    return _hash_of(meaning)


def meanings(inputs: Sequence[Input]) -> dict[str, str]:
    """Hash what each input by itself is computed by, without the code that all rest on: so a change can be named."""
    return {item.name: _hash_of({**_defined([item.name]), **_plugged([item])}) for item in inputs}


def _defined(names: Sequence[str]) -> dict[str, object]:
    """Return the definitions and the readings of history that inputs are made of."""
    definitions = needed(names)
    read = {*names, *(name for d in definitions.values() for name in d.inputs)}
    readings = (reading_of(name) for name in read if name not in DEFINITIONS)
    return {
        "definitions": {name: (d.level, d.source()) for name, d in sorted(definitions.items())},
        "readings": sorted(repr(reading) for reading in readings if reading is not None),
    }


def _plugged(inputs: Sequence[Input]) -> dict[str, object]:
    """Return the files of the plug-ins that inputs come from; nothing where all are of Tamis."""
    plugins = plugins_of(inputs)
    return {"plugins": {name: code_of(plugin) for name, plugin in plugins.items()}} if plugins else {}


def _hash_of(meaning: object) -> str:
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def entity_hash() -> int:
    """Hash a known text as entities are: a library that hashed otherwise would part every sender from its past."""
    return keys.entity_named("consignor", "Tamis")
