"""The pages of model inputs and of the facts that history is summed from."""

from __future__ import annotations

from docs.generator.markdown import code, page, section, table
from features.catalogue import OF_TAMIS, Input, direction_of
from features.history.fact_list import FACT_LIST
from features.history.keys import KEYS

DIRECTIONS = {1: "never lowers the risk as it grows", -1: "never raises the risk as it grows", 0: ""}
KNOWN = {
    "lodging": "a version was lodged, whatever became of it",
    "declaration": "the declaration was lodged; an amendment takes it back",
    "novelty": "the two were first named together",
    "outcome": "the control result became known",
    "registry": "the right holder registered it",
}
OF_FEATURES = """
The inputs of the model, in order. `<key>_<fact>_<span>` is a sum of history strictly before the consignment was lodged,
for example `consignor_hits_90d`. A direction is a constraint of the trees ([Decoys](../explanation/decoys.md)).
"""
OF_FACTS = """
History is sums of facts: integer amounts about an entity, known at a moment
([History and tiles](../explanation/history.md)). Money is in euro cents, mass in grams. A feature of history is named
`<key>_<fact>_<days>d`, or `<key>_<fact>_ever`.
"""


def features_page() -> str:
    """Return the page of model inputs, in the order of the catalogue."""
    heads = ["feature", "called", "unit", "kind", "meaning", "direction"]
    rows = (
        [code(item.name), item.words["en"], item.unit, item.kind, _meaning(item), DIRECTIONS[direction_of(item.name)]]
        for item in OF_TAMIS
    )
    return page("Features", OF_FEATURES, table(heads, rows))


def _meaning(item: Input) -> str:
    return "" if item.meaning == f"{item.words['en']}." else item.meaning


def facts_page() -> str:
    """Return the page of kinds of entity and of facts."""
    keys = table(["key", "history of"], ([code(key.name), key.words[0]] for key in KEYS))
    heads = ["fact", "counts or sums", "known when", "made of"]
    rows = ([code(f.name), f.words[0], KNOWN[f.of], ", ".join(map(code, f.needs))] for f in FACT_LIST)
    return page("Facts of history", OF_FACTS, section("Keys", keys), section("Facts", table(heads, rows)))
