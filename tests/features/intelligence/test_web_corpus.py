"""Who is who among 200 pages and dossiers: nearly every pair of one owner is linked, and hardly any other."""

from __future__ import annotations

from itertools import combinations

import pytest

from features.intelligence import read_list, subjects_of
from features.parties.graph import Graph
from tests.features.intelligence.web_corpus import Document, corpus

PRECISION, RECALL = 0.995, 0.90


def linked_pairs(documents: list[Document]) -> set[tuple[int, int]]:
    """Pairs of documents that have a subject in one network."""
    graph, networks = Graph(), {}
    for number, document in enumerate(documents):
        subjects = subjects_of(f"list {number}", read_list(document.content, "tests").statements)
        for entity, values in subjects.select("entity", "values").rows():
            graph.add(entity, values, number, listed=True)
            networks[entity] = number
    of_network: dict[int, set[int]] = {}
    for entity, number in networks.items():
        of_network.setdefault(graph.network_of[entity], set()).add(number)
    return {pair for numbers in of_network.values() for pair in combinations(sorted(numbers), 2)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_web_identities_of_one_owner_are_linked_and_honest_shops_are_not(seed: int) -> None:
    documents = corpus(seed)
    owned = {
        (one, other)
        for one, other in combinations(range(len(documents)), 2)
        if documents[one].owner == documents[other].owner
    }
    linked = linked_pairs(documents)
    assert len(linked & owned) / len(linked) >= PRECISION
    assert len(linked & owned) / len(owned) >= RECALL
