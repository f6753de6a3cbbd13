"""Postings against a plain dictionary, on both databases: what is added is found, what is forgotten is gone."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import sqlalchemy as sa

from service.record import postings
from service.record.postings import BITS, LARGE, LEVEL_BITS, PACKED, add, forget, numbers_of, packed
from service.store.database import Store
from service.store.digests import differing
from service.store.tables import POSTINGS

HOT, KEYS = 5, 6  # keys that many state; keys of a consignment
Stated = dict[int, set[int]]


def add_some(store: Store, begin: int, end: int, stated: Stated, seed: int = 1) -> None:
    """Add consignments, each with one hot key and others that it alone states."""
    chance = np.random.default_rng(seed)
    values = chance.integers(0, 1 << BITS, (end - begin, KEYS)).astype(np.uint64)
    values[:, 0] = chance.integers(0, HOT, end - begin)
    numbers = np.arange(begin, end)
    for number, row in zip(numbers.tolist(), values.tolist(), strict=True):
        for value in row:
            stated[value].add(number)
    pairs = packed(values.ravel(), np.repeat(numbers, KEYS))
    store.write(lambda connection: add(connection, pairs))


def found_in(store: Store, values: set[int]) -> Stated:
    with store.reading() as connection:
        return {value: set(numbers.tolist()) for value, numbers in numbers_of(connection, values).items()}


def levels_of(store: Store) -> set[int]:
    with store.reading() as connection:
        return set(connection.execute(sa.select(POSTINGS.c.level).distinct()).scalars())


def test_everything_added_is_found_on_every_level(either_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "LARGE", 8)
    monkeypatch.setattr(postings, "MOST_PARTS", 3)
    stated: Stated = defaultdict(set)
    for seed, begin in enumerate([*range(0, 200, 10), *range(200, 261)]):
        add_some(either_store, begin, begin + (10 if begin < 200 else 1), stated, seed)
        if seed % 10 == 0:
            assert found_in(either_store, set(stated)) == stated
    assert levels_of(either_store) == set(range(len(LEVEL_BITS)))
    assert found_in(either_store, set(stated)) == stated
    assert found_in(either_store, {max(stated) - 1, *range(HOT)}) == {hot: stated[hot] for hot in range(HOT)}
    with either_store.reading() as connection:
        assert list(differing(connection)) == []


def test_the_same_added_again_is_one_posting_once_rows_are_joined(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "MOST_PARTS", 3)
    stated: Stated = defaultdict(set)
    for _ in range(8):
        add_some(store, 0, 10, stated)
    assert found_in(store, set(stated)) == stated
    with store.reading() as connection:
        length = connection.execute(sa.select(sa.func.sum(sa.func.length(POSTINGS.c.content)))).scalar_one()
    assert length <= 4 * 10 * KEYS * PACKED.itemsize


def test_forgotten_consignments_leave_no_posting(either_store: Store) -> None:
    stated: Stated = defaultdict(set)
    add_some(either_store, 0, 2 * LARGE, stated)
    gone = {3, 5, 2 * LARGE - 1}
    either_store.write(lambda connection: forget(connection, sorted(gone)))
    left = {value: numbers - gone for value, numbers in stated.items() if numbers - gone}
    assert found_in(either_store, set(stated)) == left
    with either_store.reading() as connection:
        held = [
            np.frombuffer(content, PACKED) for content in connection.execute(sa.select(POSTINGS.c.content)).scalars()
        ]
        assert not gone & set(np.concatenate(held)["number"].tolist())
        assert list(differing(connection)) == []


def test_a_row_with_nothing_left_is_no_row(store: Store) -> None:
    add_some(store, 0, 1, defaultdict(set))
    store.write(lambda connection: forget(connection, [0]))
    with store.reading() as connection:
        assert connection.execute(sa.select(POSTINGS)).all() == []
    assert found_in(store, set()) == {}
    store.write(lambda connection: add(connection, packed(np.empty(0, np.uint64), np.empty(0, np.int64))))
