"""Cards and what they share: who is linked to whom, as far as was known at a moment.

A card is a sender as declared: a name or number at a building. A value is a piece of evidence that cards state. Two
cards that share enough are linked, and cards that links connect are a network. Whatever the order in which cards came,
the same cards with the same values are linked alike: what was taken for a party's own telephone and turns out to be a
forwarder's links nobody any more, and the network that hung on it falls apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, replace

from features.parties.evidence import BITS, BUILDING, MOST, NAME, NETWORK_BITS, PHONE, bits_of, level_of
from features.tiles import RESULT_DAYS

FEW_SHARING = 8  # cards; a telephone of so few is a party's own unless they all stand in one building
NAMES_OF_FEW, NAMES_OF_MANY = 3.2, 1.5  # names for each building from which on a telephone is a house's
DAY = 86_400_000_000  # microseconds
SEEN_STEP = 28 * DAY  # when a card was last declared is kept in such steps, so that a call seldom has to write it
EXPIRES_AFTER = RESULT_DAYS * DAY  # without a declaration a card and its links are forgotten, as its results are
Pair = tuple[int, int]  # of cards, the smaller first


def step_of(at: int) -> int:
    """The beginning of the step in which a moment lies; both microseconds since 1970."""
    return at - at % SEEN_STEP


def expires_at(last_at: int) -> int:
    """From when on a card is forgotten that was last declared in a step; microseconds since 1970."""
    return last_at + SEEN_STEP + EXPIRES_AFTER


class Card:
    """A sender as declared; `first_at` and `last_at`, the step of its last declaration, in microseconds since 1970.

    Of several names and buildings the least counts, so that the order in which they came does not matter.
    """

    def __init__(
        self, entity: int, first_at: int, values: Iterable[int] = (), *, listed: bool = False, reported: bool = False
    ) -> None:
        """listed: somebody tells of it, on a watch list or in a dossier; it sends nothing under this card.

        reported: who tells of it is a consumer or a platform.
        """
        self.entity, self.first_at, self.last_at = entity, first_at, step_of(first_at)
        self.listed, self.reported = listed, reported
        self.name: int | None = None
        self.building: int | None = None
        self.values: set[int] = set()
        self.state(values)

    def state(self, values: Iterable[int]) -> None:
        """Note what it states."""
        values = list(values)
        self.values.update(values)
        self.name = _least(self.name, (value for value in values if level_of(value) in NAME))
        self.building = _least(self.building, (value for value in values if level_of(value) == BUILDING))


def _least(known: int | None, values: Iterable[int]) -> int | None:
    return min((*values, *(() if known is None else (known,))), default=None)


@dataclass(frozen=True, slots=True)
class Link:
    """Two cards that share enough, and what they share; `bits` say how sure, `known_at` since when."""

    pair: Pair
    bits: int
    shared: tuple[int, ...]
    known_at: int

    def other(self, entity: int) -> int:
        return self.pair[1] if self.pair[0] == entity else self.pair[0]


class Graph:
    """Cards, evidence, links and networks in memory."""

    def __init__(self) -> None:
        self.cards: MutableMapping[int, Card] = {}
        self.stated_by: MutableMapping[int, list[int]] = {}  # value → cards
        self.links: MutableMapping[int, dict[int, Link]] = {}  # card → other card → link
        self.network_of: MutableMapping[int, int] = {}  # card → the card after which its network is called
        self.members: MutableMapping[int, list[int]] = {}  # in the order in which they were first seen
        self.own: MutableMapping[int, bool] = {}  # telephone → whether a party's own
        self.judged: dict[Pair, bool] = {}  # what officers have said: the same, or not the same

    # what a declaration would belong to

    def seen_by(self, entity: int, stated: Sequence[int], at: int) -> list[int]:
        """The members of every network that a declaration would belong to, its own card first; nothing is kept."""
        card = self.cards.get(entity)
        roots = [] if card is None else [self.network_of[entity]]
        if card is None or not card.values.issuperset(stated):
            seen = Card(entity, at, {*stated, *(card.values if card else ())})
            roots += [self.network_of[link.other(entity)] for link in self.links_of(seen, at)]
        found = [member for root in dict.fromkeys(roots) for member in self.members[root]]
        return list(dict.fromkeys([entity, *found]))

    def links_of(self, card: Card, at: int) -> list[Link]:
        """The links of a card to those in the graph that share enough with it."""
        shared: dict[int, list[int]] = defaultdict(list)
        for value in card.values:
            for other in self.sharing(value):
                shared[other].append(value)
        shared.pop(card.entity, None)
        found = (self._link(card, other, common, at) for other, common in shared.items())
        return [link for link in found if link is not None]

    def sharing(self, value: int) -> Sequence[int]:
        """The cards that state a value; nobody where it is a hub."""
        by = self.stated_by.get(value)
        return () if by is None or len(by) > MOST[level_of(value)] else by

    def is_hub(self, value: int) -> bool:
        """Whether so many cards state a value that it links nobody."""
        return len(self.stated_by.get(value, ())) > MOST[level_of(value)]

    def _link(self, card: Card, other: int, common: list[int], at: int) -> Link | None:
        if len(common) == 1 and BITS[level_of(common[0])] < NETWORK_BITS:
            return None  # most pairs share an address or a code and no more
        pair = _pair(card.entity, other)
        under_one_roof = any(level_of(value) == BUILDING for value in common)
        phones = [value for value in common if level_of(value) == PHONE]
        own = [] if under_one_roof else [value for value in phones if self.is_own(value, card)]
        bits = bits_of(common, own)
        return Link(pair, bits, tuple(sorted(common)), at) if bits >= NETWORK_BITS else None

    def is_own(self, phone: int, beside: Card | None = None) -> bool:
        """Whether a telephone belongs to a party: many names in one building answer the telephone of a house."""
        by = [self.cards[other] for other in self.stated_by.get(phone, ())]
        if beside is None or (beside.entity in self.cards and phone in self.cards[beside.entity].values):
            known = self.own.get(phone)
            return _is_own(by) if known is None else known
        return _is_own([*(card for card in by if card.entity != beside.entity), beside])

    # keeping what was declared

    def add(
        self, entity: int, stated: Sequence[int], at: int, *, listed: bool = False, reported: bool = False
    ) -> list[Link]:
        """Keep a declaration: its card, what it states, and the links that follow from what of it is new."""
        card = self._seen(entity, at, listed=listed, reported=reported)
        new = [value for value in stated if value not in card.values]
        if not new:
            return []
        card.state(new)
        for value in new:
            self._state(value, entity)
        turned = [value for value in (*new, *card.values) if self._has_turned(value, value in new)]
        found = self._weigh([entity], at)
        for value in turned:
            found += self._weigh(list(self.stated_by[value]), at)
        return found

    def remove(self, entity: int) -> None:
        """Take a card away with all that it stated; what hung on it falls apart."""
        card = self.cards.get(entity)
        if card is None:
            return
        for link in list(self.links_from(entity).values()):
            self._cut(link)
        rest = [member for member in self.members[self.network_of[entity]] if member != entity]
        self._divide([*rest, entity])
        self.members.pop(entity)
        turned = [value for value in sorted(card.values) if self._unstate(value, entity)]
        del self.network_of[entity], self.cards[entity]
        for value in turned:
            self._weigh(list(self.stated_by[value]), card.first_at)

    def _unstate(self, value: int, entity: int) -> bool:
        """Take a value from a card; whether the value is no hub any more, or a telephone changed hands."""
        was_hub = self.is_hub(value)
        by = self.stated_by[value]
        by.remove(entity)
        if not by:
            del self.stated_by[value]
            self.own.pop(value, None)
            return False
        before = self.own.get(value, True)
        if level_of(value) == PHONE and not self.is_hub(value):
            now = _is_own([self.cards[other] for other in by])
            if now != before:
                self.own[value] = now
                return True
        return was_hub and not self.is_hub(value)

    def expire(self, now: int) -> int:
        """Forget the cards that nobody has declared for so long (EXPIRES_AFTER), with their links; how many."""
        over = [card.entity for card in self.cards.values() if not card.listed and expires_at(card.last_at) <= now]
        for entity in over:
            self.remove(entity)
        return len(over)

    def _seen(self, entity: int, at: int, *, listed: bool, reported: bool) -> Card:
        """The card, new or known; one that was seen earlier than was known may give its name to its network."""
        card = self.cards.get(entity)
        if card is None:
            card = self.cards[entity] = Card(entity, at, listed=listed, reported=reported)
            self.network_of[entity], self.members[entity] = entity, [entity]
        elif at < card.first_at:
            card.first_at = at
            self._unite(self.members[self.network_of[entity]])
        elif step_of(at) > card.last_at:
            card.last_at = step_of(at)
            self.cards[entity] = card  # so that a graph in a store notes the change
        return card

    def _state(self, value: int, entity: int) -> None:
        by = self.stated_by.get(value)
        if by is None:
            self.stated_by[value] = [entity]
        else:
            by.append(entity)

    def _has_turned(self, value: int, new: bool) -> bool:
        """Whether a value has become a hub, or a telephone changed hands, by what was just stated."""
        by, most = self.stated_by[value], MOST[level_of(value)]
        if level_of(value) != PHONE or self.is_hub(value):
            return new and len(by) == most + 1
        before, now = self.own.get(value, True), _is_own([self.cards[other] for other in by])
        if now != before:
            self.own[value] = now
        return bool(now != before)

    def _keep(self, link: Link) -> None:
        one, other = link.pair
        before = self.links_from(one).get(other)
        kept = link if before is None else replace(link, known_at=min(link.known_at, before.known_at))
        if kept != before:
            self._write(kept)
        if before is None:
            self.join(one, other)

    def links_from(self, entity: int) -> dict[int, Link]:
        """The links of a card by the other card."""
        return self.links.get(entity) or {}

    def _write(self, link: Link) -> None:
        for entity in link.pair:
            of = self.links.get(entity)
            if of is None:
                of = self.links[entity] = {}
            of[link.other(entity)] = link

    def _cut(self, link: Link) -> None:
        for entity in link.pair:
            del self.links[entity][link.other(entity)]

    def _weigh(self, entities: Sequence[int], at: int) -> list[Link]:
        """Weigh all links of some cards anew: keep what holds, cut what no longer does; those that are new."""
        found = []
        torn: set[int] = set()
        for entity in entities:
            now = {link.other(entity): link for link in self.links_of(self.cards[entity], at)}
            before = self.links_from(entity)
            for gone in [link for other, link in before.items() if other not in now]:
                self._cut(gone)
                torn.add(entity)
            found += [link for other, link in now.items() if other not in before]
            for link in now.values():
                self._keep(link)
        for root in {self.network_of[entity] for entity in torn}:
            self._divide(self.members[root])
        return found

    # networks

    def join(self, one: int, other: int) -> None:
        """Make two networks one, unless officers have told cards of them apart."""
        roots = {self.network_of[one], self.network_of[other]}
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
        """Networks of these cards from their links alone, the surest first, and never against an officer's word."""
        own = set(cards)
        for root in {self.network_of[member] for member in own}:
            self.members.pop(root, None)
        for member in own:
            self.network_of[member], self.members[member] = member, [member]
        links = {
            link.pair: link for member in own for link in self.links_from(member).values() if own.issuperset(link.pair)
        }
        same = [pair for pair, verdict in self.judged.items() if verdict and own.issuperset(pair)]
        for pair in [*sorted(same), *(link.pair for link in sorted(links.values(), key=lambda x: (-x.bits, x.pair)))]:
            roots = {self.network_of[pair[0]], self.network_of[pair[1]]}
            if len(roots) == 2 and not self._told_apart(*roots):
                self._unite(member for root in roots for member in self.members[root])

    def _told_apart(self, one: int, other: int) -> bool:
        return any(
            not same and {self.network_of.get(pair[0]), self.network_of.get(pair[1])} == {one, other}
            for pair, same in self.judged.items()
        )

    def judge(self, one: int, other: int, same: bool | None) -> None:
        """Keep an officer's word that two cards are the same or not, or take it back; networks follow at once."""
        pair = _pair(one, other)
        self.judged.pop(pair, None)
        if same is not None:
            self.judged[pair] = same
        self.divide_around(one, other)

    def divide_around(self, *cards: int) -> None:
        """Make the networks around these cards anew from links and officers' words."""
        self._divide(sorted(self._reached(cards)))

    def _reached(self, start: Iterable[int]) -> set[int]:
        """Every card that links and officers' words connect with these."""
        said: dict[int, list[int]] = defaultdict(list)
        for (one, other), same in self.judged.items():
            if same:
                said[one].append(other)
                said[other].append(one)
        found, waiting = set(), list(start)
        while waiting:
            card = waiting.pop()
            if card not in found and card in self.cards:
                found.add(card)
                waiting += [*self.links_from(card), *said[card]]
        return found


def _is_own(cards: Sequence[Card]) -> bool:
    names, buildings = {card.name for card in cards}, {card.building for card in cards}
    share = len(names) / max(len(buildings), 1)
    few = len(cards) <= FEW_SHARING and len(buildings) > 1
    return share <= NAMES_OF_MANY or (few and share < NAMES_OF_FEW)


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
