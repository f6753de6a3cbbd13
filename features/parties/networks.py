"""Networks of cards: which are connected by links, and by what officers have judged of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

from features.parties.card import Card

Pair = tuple[int, int]  # of cards, the smaller first


@dataclass(frozen=True, slots=True)
class Link:
    """Two cards that share enough, and the shared values; `bits` is the match weight, `known_at` its first moment."""

    pair: Pair
    bits: int
    shared: tuple[int, ...]
    known_at: int

    def other(self, entity: int) -> int:
        return self.pair[1] if self.pair[0] == entity else self.pair[0]


class Networks:
    """Cards, their links, and the networks that these form."""

    def __init__(self) -> None:
        self.cards: MutableMapping[int, Card] = {}
        self.links: MutableMapping[int, dict[int, Link]] = {}  # card → other card → link
        self.network_of: MutableMapping[int, int] = {}  # card → the card that its network is named after
        self.members: MutableMapping[int, list[int]] = {}  # in the order in which they were first seen
        self.judged: dict[Pair, bool] = {}  # officers' judgements: the same, or not the same

    def links_from(self, entity: int) -> dict[int, Link]:
        """Return the links of a card by the other card."""
        return self.links.get(entity) or {}

    def join(self, first: int, second: int) -> None:
        """Merge two networks, unless officers have judged cards of them to be different."""
        roots = {self.network_of[first], self.network_of[second]}
        if len(roots) == 1:
            return
        both = [member for root in roots for member in self.members[root]]
        if self.judged and any(member in pair for pair in self.judged for member in both):
            self._divide(both)
        else:
            self._unite(both)

    def _unite(self, cards: Iterable[int]) -> None:
        ordered = sorted(cards, key=self._age)
        for root in {self.network_of[member] for member in ordered}:
            self.members.pop(root, None)
        for member in ordered:
            self.network_of[member] = ordered[0]
        self.members[ordered[0]] = ordered

    def _age(self, entity: int) -> Pair:
        return self.cards[entity].first_at, entity

    def _divide(self, cards: Sequence[int]) -> None:
        """Rebuild the networks of these cards from their links, the surest first, and never against a judgement."""
        inside = set(cards)
        for root in {self.network_of[member] for member in inside}:
            self.members.pop(root, None)
        for member in inside:
            self.network_of[member], self.members[member] = member, [member]
        links = {
            link.pair: link
            for member in inside
            for link in self.links_from(member).values()
            if inside.issuperset(link.pair)
        }
        same = [pair for pair, verdict in self.judged.items() if verdict and inside.issuperset(pair)]
        for pair in [*sorted(same), *(link.pair for link in sorted(links.values(), key=lambda x: (-x.bits, x.pair)))]:
            roots = {self.network_of[pair[0]], self.network_of[pair[1]]}
            if len(roots) == 2 and not self._judged_apart(*roots):
                self._unite(member for root in roots for member in self.members[root])

    def _judged_apart(self, first: int, second: int) -> bool:
        return any(
            not same and {self.network_of.get(pair[0]), self.network_of.get(pair[1])} == {first, second}
            for pair, same in self.judged.items()
        )

    def judge(self, first: int, second: int, same: bool | None) -> None:
        """Record an officer's judgement that two cards are the same or not, or withdraw it; networks follow at once."""
        pair = pair_of(first, second)
        self.judged.pop(pair, None)
        if same is not None:
            self.judged[pair] = same
        self.divide_around(first, second)

    def divide_around(self, *cards: int) -> None:
        """Rebuild the networks around these cards from links and judgements."""
        self._divide(sorted(self._reached(cards)))

    def _reached(self, start: Iterable[int]) -> set[int]:
        """Return every card that links and judgements connect with these."""
        judged_same: dict[int, list[int]] = defaultdict(list)
        for (first, second), same in self.judged.items():
            if same:
                judged_same[first].append(second)
                judged_same[second].append(first)
        reached, waiting = set(), list(start)
        while waiting:
            card = waiting.pop()
            if card not in reached and card in self.cards:
                reached.add(card)
                waiting += [*self.links_from(card), *judged_same[card]]
        return reached


def pair_of(first: int, second: int) -> Pair:
    """Return two cards as a pair."""
    return (first, second) if first < second else (second, first)
