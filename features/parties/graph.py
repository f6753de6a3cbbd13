"""The graph of sender records (cards) and their shared evidence: links and networks as known at a moment.

A record, here called a card, is a sender as declared: a name or number at a building. A value is a piece of evidence
that cards state. Two cards that share enough are linked, and cards connected by links form a network (cluster). The
result does not depend on the order of arrival: a telephone that was taken for a party's and turns out to be a
forwarder's no longer links, and the network that depended on it falls apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace

from features.parties.card import Card, expires_at, step_of
from features.parties.evidence import BITS, BUILDING, LEVEL, MOST_SHARERS, NETWORK_BITS, PHONE, bits_of, level_of
from features.parties.networks import Link, Networks, pair_of
from features.parties.ownership import JUDGED, WEIGHED, compared, fewest_judged, is_of_one_party


@dataclass(slots=True)
class Ahead:
    """A declaration that was looked up and is not in the graph yet: its card with all that it states.

    owned: of values that it states, whether they belong to one party with it among the cards. links: its links, once
    they were asked for. Adding it next need not find them again.
    """

    card: Card
    owned: dict[int, bool] = field(default_factory=dict)
    links: list[Link] | None = None


class Graph(Networks):
    """Cards, evidence, links and networks in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.stated_by: MutableMapping[int, list[int]] = {}  # value → cards
        self.owned: MutableMapping[int, bool] = {}  # value → whether it belongs to one party; unless noted, it does
        self._ahead: dict[int, Ahead] = {}  # of declarations of one moment, by card
        self._touched: set[int] = set()  # values of the cards that have changed since

    # lookup of the network of a declaration

    def seen_by(self, entity: int, stated: Sequence[int], at: int) -> list[int]:
        """Return the members of every network that a declaration would belong to, its own card first; keep nothing."""
        card = self.cards.get(entity)
        roots = [] if card is None else [self.network_of[entity]]
        if (seen := self.with_stated(entity, stated, at)) is not card:
            roots += [self.network_of[link.other(entity)] for link in self._links_ahead(seen)]
        members = [member for root in dict.fromkeys(roots) for member in self.members[root]]
        return list(dict.fromkeys([entity, *members]))

    def with_stated(self, entity: int, stated: Sequence[int], at: int) -> Card:
        """Return the card of a declaration as it would be with what it states; the graph's own where that is known."""
        card = self.cards.get(entity)
        if card is not None and card.values.issuperset(stated):
            return card
        values = {*stated, *(card.values if card else ())}
        ahead = self._ahead.get(entity)
        if ahead is None or (ahead.card.first_at, ahead.card.values) != (at, values):
            ahead = self._ahead[entity] = Ahead(Card(entity, at, values))
        return ahead.card

    def _links_ahead(self, card: Card) -> list[Link]:
        """Return the links of the card that was looked up last."""
        links = self._ahead[card.entity].links = self.links_of(card, card.first_at)
        return links

    def links_of(self, card: Card, at: int) -> list[Link]:
        """Return the links of a card to those in the graph that share enough with it."""
        shared: dict[int, list[int]] = defaultdict(list)
        for value in card.values:
            for other in self.sharing(value):
                shared[other].append(value)
        shared.pop(card.entity, None)
        # most pairs share an address or a code and no more
        close = {n: common for n, common in shared.items() if common[1:] or BITS[common[0] & LEVEL] >= NETWORK_BITS}
        stated = {value for common in close.values() for value in common if value & LEVEL in WEIGHED}
        nobodys = {value for value in stated if not self.is_owned(value, card)}
        links = (self._link(card, other, common, nobodys, at) for other, common in close.items())
        return [link for link in links if link is not None]

    def sharing(self, value: int) -> Sequence[int]:
        """Return the cards that state a value; none for a hub."""
        by = self.stated_by.get(value)
        return () if by is None or len(by) > MOST_SHARERS[value & LEVEL] else by

    def is_hub(self, value: int) -> bool:
        """Return true if too many cards state a value for it to link any."""
        return len(self.stated_by.get(value, ())) > MOST_SHARERS[value & LEVEL]

    def _link(self, card: Card, other: int, common: list[int], nobodys: set[int], at: int) -> Link | None:
        """Return the link that two cards' common values come to; nobodys: those of them that belong to no one party."""
        counting = [value for value in common if value not in nobodys or value & LEVEL == PHONE] if nobodys else common
        levels = [value & LEVEL for value in counting]
        phones = () if BUILDING in levels or PHONE not in levels else counting  # under one roof it is the building's
        bits = bits_of(counting, [value for value in phones if value & LEVEL == PHONE and value not in nobodys])
        pair = pair_of(card.entity, other)
        return Link(pair, bits, tuple(sorted(counting)), at) if bits >= NETWORK_BITS else None

    def is_owned(self, value: int, extra: Card | None = None) -> bool:
        """Return true if a value belongs to one party: it is no hub, and those that state it are alike (ownership.py).

        extra: a card counted in addition to those in the graph.
        """
        known = not self.is_hub(value) and self.owned.get(value, True)
        if not known or extra is None or (extra.entity in self.cards and value in self.cards[extra.entity].values):
            return known
        ahead = self._ahead.get(extra.entity)
        judged = ahead.owned if ahead is not None and ahead.card is extra else {}
        if value not in judged:
            by = (self.cards[other] for other in self.stated_by.get(value, ()) if other != extra.entity)
            judged[value] = self._is_of_one_party(value, [*by, extra])
        return judged[value]

    def _is_of_one_party(self, value: int, cards: Sequence[Card]) -> bool:
        if len(cards) >= fewest_judged(value):
            self.hold_values(compared(value, cards))
        return is_of_one_party(value, cards)

    def hold_values(self, cards: Sequence[Card]) -> None:
        """Prepare to read the values of several cards: nothing to do in memory."""

    # recording declarations

    def add(
        self, entity: int, stated: Sequence[int], at: int, *, listed: bool = False, reported: bool = False
    ) -> list[Link]:
        """Record a declaration: its card, its values, and the links that follow from new values; returns new links."""
        card = self._seen(entity, at, listed=listed, reported=reported)
        new = [value for value in stated if value not in card.values]
        if not new:
            return []
        card.state(new)
        ahead = self._taken_ahead(card, at)
        for value in new:
            self._state(value, entity)
        known = ahead.owned if ahead is not None else {}
        every = dict.fromkeys((*new, *card.values))
        turned = [value for value in every if self._has_turned(value, value in new, known.get(value))]
        links = self._weigh([entity], at, None if ahead is None or turned else ahead.links)
        for value in turned:
            links += self._weigh(list(self.stated_by[value]), at)
        return links

    def look_ahead(self) -> None:
        """Begin another moment: what was found of its declarations when they are looked up helps to add them."""
        self._ahead.clear()
        self._touched.clear()

    def _taken_ahead(self, card: Card, at: int) -> Ahead | None:
        """Return what was found of a card with all that it states; None where one that shares a value has changed."""
        ahead = self._ahead.pop(card.entity, None)
        if ahead is not None and (card.listed or (ahead.card.first_at, ahead.card.values) != (at, card.values)):
            ahead = None
        if ahead is not None and not self._touched.isdisjoint(card.values):
            ahead = None
        if self._ahead:
            self._touched |= card.values
        return ahead

    def remove(self, entity: int) -> None:
        """Remove a card with all that it stated; networks that depended on it fall apart."""
        card = self.cards.get(entity)
        if card is None:
            return
        self.look_ahead()
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
        """Remove a value from a card; true if the value is no longer a hub, or belongs to another or to one party."""
        was_hub = self.is_hub(value)
        by = self.stated_by[value]
        by.remove(entity)
        if not by:
            del self.stated_by[value]
            self.owned.pop(value, None)
            return False
        changed = not self.is_hub(value) and self._has_changed_owner(value)
        return changed or (was_hub and not self.is_hub(value))

    def _has_changed_owner(self, value: int, now: bool | None = None) -> bool:
        """Judge a value anew by the cards that state it; true if links have to be weighed again.

        now: what it comes to, where that is known.
        """
        if value & LEVEL not in JUDGED:
            return False
        before = self.owned.get(value, True)
        if now is None:
            now = self._is_of_one_party(value, [self.cards[other] for other in self.stated_by[value]])
        if now != before:
            self.owned[value] = now
        return now != before and level_of(value) in WEIGHED

    def expire(self, now: int) -> int:
        """Delete cards without a declaration for EXPIRES_AFTER, with their links; returns their number."""
        over = [card.entity for card in self.cards.values() if not card.listed and expires_at(card.last_at) <= now]
        for entity in over:
            self.remove(entity)
        return len(over)

    def _seen(self, entity: int, at: int, *, listed: bool, reported: bool) -> Card:
        """Return the card, new or known; an earlier sighting than known may rename its network."""
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

    def _has_turned(self, value: int, new: bool, owned: bool | None) -> bool:
        """Return true if a value has become a hub, or belongs to another or to no party, by the last statement.

        owned: whether it belongs to one party now, where that is known.
        """
        if self.is_hub(value):
            return new and len(self.stated_by[value]) == MOST_SHARERS[value & LEVEL] + 1
        return self._has_changed_owner(value, owned)

    def _keep(self, link: Link) -> None:
        first, second = link.pair
        before = self.links_from(first).get(second)
        kept = link if before is None else replace(link, known_at=min(link.known_at, before.known_at))
        if kept != before:
            self._write(kept)
        if before is None:
            self.join(first, second)

    def _write(self, link: Link) -> None:
        for entity in link.pair:
            of = self.links.get(entity)
            if of is None:
                of = self.links[entity] = {}
            of[link.other(entity)] = link

    def _cut(self, link: Link) -> None:
        for entity in link.pair:
            del self.links[entity][link.other(entity)]

    def _weigh(self, entities: Sequence[int], at: int, found: list[Link] | None = None) -> list[Link]:
        """Compute all links of these cards again: keep those that hold, cut the others; returns new ones.

        found: the links of the one card, where they are known.
        """
        new_links = []
        torn: set[int] = set()
        for entity in entities:
            links = self.links_of(self.cards[entity], at) if found is None else found
            now = {link.other(entity): link for link in links}
            before = self.links_from(entity)
            for gone in [link for other, link in before.items() if other not in now]:
                self._cut(gone)
                torn.add(entity)
            new_links += [link for other, link in now.items() if other not in before]
            for link in now.values():
                self._keep(link)
        for root in {self.network_of[entity] for entity in torn}:
            self._divide(self.members[root])
        return new_links
