"""The entities that consignments name: a column for each of KEYS, made of the texts that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from features.algebra import Text, texts_of
from features.algebra.lines import Groups
from features.algebra.tables import Wholes
from features.consignment import BY_NAME, Consignments
from features.hashes import hashes_of
from features.history.keys import KEYS, OF_MAIN_LINE, SHARED_TEXTS, Key

DECLARED = tuple(
    dict.fromkeys(
        column
        for columns in (*(columns for columns, _ in SHARED_TEXTS.values()), *(key.columns for key in KEYS))
        for column in columns
        if column in BY_NAME
    )
)


NAMES = frozenset(key.column for key in KEYS)


def with_entities(consignments: Consignments) -> Consignments:
    """Add one `<key>_entity` column of whole numbers for each of KEYS that the consignments lack."""
    declared = consignments.declared
    if declared.kinds.keys() >= NAMES:
        return consignments
    absent = [key for key in KEYS if key.column not in declared]
    texts = {name: declared.text_or_unknown(name) for name in DECLARED} | _of_main_line(consignments)
    return consignments.holding(_entities(absent, texts_of_keys(texts, absent)))


def texts_of_keys(declared: Mapping[str, Text], keys: Sequence[Key]) -> list[Text]:
    """Return the text that names the entity of each key, from DECLARED columns and those OF_MAIN_LINE."""
    texts = dict(declared)
    for name, (columns, text) in SHARED_TEXTS.items():
        texts[name] = texts_of(text, *[texts[column] for column in columns])
    return [texts_of(key.text, *[texts[column] for column in key.columns]) for key in keys]


def _of_main_line(consignments: Consignments) -> dict[str, Text]:
    """Return what the goods line of the highest value of each consignment states."""
    lines = consignments.lines
    main = Groups(lines.whole("row").values, len(consignments)).highest(lines.number("line_value_eur"))
    return {name: lines.text_or_unknown(column).take(main) for name, column in OF_MAIN_LINE.items()}


def _named(key: Key, text: Text) -> list[str | None]:
    prefix = f"{key.name}\x1f"
    return [None if word is None else prefix + word for word in text.words]


def _entities(keys: Sequence[Key], texts: Sequence[Text]) -> dict[str, Wholes]:
    """Hash the text of each row under each key, none where there is none; all at once, one key after the other."""
    hashed = hashes_of(chain.from_iterable(map(_named, keys, texts)))
    entities, end = {}, 0
    for key, text in zip(keys, texts, strict=True):
        start, end = end, end + len(text.words)
        known = text.known() if None in text.words else None
        entities[key.column] = Wholes(hashed[start:end][text.codes], known)
    return entities
