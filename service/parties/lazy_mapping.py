"""Mappings over what a store holds: read key by key or as a whole, with a note of every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Fetched(dict[K, V], Generic[K, V]):
    """A mapping that reads each key from the store once, and remembers which keys were changed."""

    def __init__(self, fetch: Callable[[K], V | None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._asked: set[K] = set()
        self.changed: set[K] = set()

    def hold(self, key: K, value: V | None) -> None:
        """Remember what the store holds for a key."""
        if key not in self._asked:
            self._asked.add(key)
            if value is not None:
                super().__setitem__(key, value)

    def _ask(self, key: K) -> None:
        if key not in self._asked:
            self.hold(key, self._fetch(key))

    def __missing__(self, key: K) -> V:
        if key in self._asked:
            raise KeyError(key)
        self._ask(key)
        return self[key]

    def get(self, key: K, default: Any = None) -> Any:
        if (held := super().get(key)) is not None:  # by far the most; no value that is held is None
            return held
        self._ask(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._ask(key)  # type: ignore[arg-type]
        return super().__contains__(key)

    def __setitem__(self, key: K, value: V) -> None:
        self._asked.add(key)
        self.changed.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self._ask(key)
        self.changed.add(key)
        super().__delitem__(key)

    def pop(self, key: K, *default: Any) -> Any:
        self._ask(key)
        self.changed.add(key)
        return super().pop(key, *default)


class Noted(dict[K, V], Generic[K, V]):
    """A mapping of all that the store holds, which remembers which keys were changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[K] = set()

    def hold(self, key: K, value: V | None) -> None:
        """Remember what the store holds for a key."""
        if value is not None:
            super().__setitem__(key, value)

    def hold_all(self, held: Mapping[K, V]) -> None:
        """Remember what the store holds for many keys."""
        super().update(held)

    def __setitem__(self, key: K, value: V) -> None:
        self.changed.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self.changed.add(key)
        super().__delitem__(key)

    def pop(self, key: K, *default: Any) -> Any:
        self.changed.add(key)
        return super().pop(key, *default)
