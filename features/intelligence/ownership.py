"""Who answers for what: objects of a list and their owners, several where several use one, owners' owners included."""

from __future__ import annotations

from collections.abc import Iterable

from features.intelligence.statements import Unreadable

MOST_WORK = 20_000_000  # owners handed on in one list


class Ownership:
    """Owners of objects, by identifier. Whoever owns the owner answers too; a circle of owners is one owner."""

    def __init__(self) -> None:
        self._owners: dict[str, dict[str, None]] = {}
        self._heads: dict[str, tuple[str, ...]] | None = None

    def add(self, owner: str, owned: str) -> None:
        """Note that an object belongs to an owner."""
        if owner != owned:
            self._owners.setdefault(owned, {})[owner] = None
            self._heads = None

    def is_owned(self, thing: str) -> bool:
        """Return whether an object has an owner."""
        return thing in self._owners

    def heads(self, thing: str) -> tuple[str, ...]:
        """Return who answers for an object: owners that nobody owns; the object itself where it has no owner.

        Raises Unreadable for a list whose owners are too many to be followed.
        """
        if self._heads is None:
            self._heads = self._resolved()
        return self._heads.get(thing, (thing,))

    def _resolved(self) -> dict[str, tuple[str, ...]]:
        """Hand heads down from owners to what they own, each circle at once; linear in what is handed on."""
        heads: dict[str, tuple[str, ...]] = {}
        work = 0
        for circle in _circles(self._owners):
            members = set(circle)
            above = dict.fromkeys(
                owner for member in circle for owner in self._owners.get(member, ()) if owner not in members
            )
            of_owners = [heads.get(owner, (owner,)) for owner in above]
            work += sum(map(len, of_owners)) if len(of_owners) > 1 else 1
            if work > MOST_WORK:
                raise Unreadable("the relations of the list join too many owners; split it")
            if len(of_owners) > 1:
                merged = tuple(dict.fromkeys(head for of in of_owners for head in of))
            else:
                merged = of_owners[0] if of_owners else (min(circle),)
            heads.update(dict.fromkeys(circle, merged))
        return heads


def _circles(owners: dict[str, dict[str, None]]) -> Iterable[list[str]]:
    """Yield the strongly connected components of what is owned, owners before what they own (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for start in owners:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        path = [(start, iter(owners[start]))]
        while path:
            node, above = path[-1]
            for owner in above:
                if owner not in index:
                    index[owner] = low[owner] = len(index)
                    stack.append(owner)
                    on_stack.add(owner)
                    path.append((owner, iter(owners.get(owner, ()))))
                    break
                if owner in on_stack:
                    low[node] = min(low[node], index[owner])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    circle = [stack.pop()]
                    while circle[-1] != node:
                        circle.append(stack.pop())
                    on_stack.difference_update(circle)
                    yield circle
