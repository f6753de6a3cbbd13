"""The entities that consignments name: a column for each of KEYS, made of the texts that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def with_entities(consignments: Consignments) -> Consignments:
    """Add one `<key>_entity` column of whole numbers for each of KEYS that the consignments lack."""
    declared = consignments.declared
    absent = [key for key in KEYS if key.column not in declared]
    if not absent:
        return consignments
    texts = {name: declared.text_or_unknown(name) for name in DECLARED} | _of_main_line(consignments)
    named = zip(absent, texts_of_keys(texts, absent), strict=True)
    return consignments.holding({key.column: _entities(key, text) for key, text in named})


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


def _entities(key: Key, text: Text) -> Wholes:
    """Hash the text of each row, none where there is none."""
    prefix = f"{key.name}\x1f"
    entities = hashes_of([None if word is None else prefix + word for word in text.words])
    return Wholes(entities[text.codes], text.known() if None in text.words else None)
