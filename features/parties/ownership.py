"""Whether a value belongs to one party, judged by how unlike the senders are that state it.

A telephone of a forwarder, a mailbox of a marketplace, a name that many bear is stated by senders that have nothing
else in common. One offender under many names states the same telephone too, but his records (cards) share more: an
article code, a mailbox, a shop. So the cards that state a value are put into groups, each of which shares something
else. A contact is nobody's own where more than a few groups state it and most of the cards are strangers to one
another, or where many groups state it; a name, a building, an article code where a second group does. That depends on
the set of cards alone, not on the order in which they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from itertools import combinations

from features.parties.card import Card
from features.parties.evidence import KINDS, LEVEL, LEVELS, NAMES, PHONE, level_of

UNLIKE_AT_MOST = 6  # groups of cards, each sharing something else, that may state a contact of one party
UNLIKE_OF_ALIKE = 24  # the same where most of the cards are in groups with others
MOSTLY_UNLIKE = 0.7  # groups per card from which most of the cards are strangers to one another
COMPARED, COMPARED_OF_WEAK = 64, 24  # cards, those of the smallest hashes: enough to see so many groups
ALIKE_BY = 2  # further contacts that make subjects of lists alike: a theme's own number is one
SHOP = NAMES.index("shop")
FEW_SHARING = 8  # cards; a telephone shared by no more than this belongs to a party unless all are in the same building
NAMES_OF_FEW, NAMES_OF_MANY = 3.2, 1.5  # names per building from which a telephone counts as the building's
WEIGHED = frozenset(  # enough by themselves
    NAMES.index(name) for name in ("id", "account", "phone", "mailbox", "shop", "wallet", "tag")
)
JUDGED = WEIGHED | {
    NAMES.index(name) for name in ("mailbox_stem", "name", "name_common", "building", "article")
}  # also as the keys of history
SAME_SOURCE = {"mailbox": {"mailbox_stem"}, "mailbox_stem": {"mailbox"}}  # levels that are read from the same text
OF_PLACES = {"place", "phone"}  # a forwarder's clients share its address, its telephone, or both


def _tells(judged: str) -> tuple[bool, ...]:
    """Return for every level whether sharing it makes cards alike that share the judged one as well."""
    group = next(level.group for level in LEVELS if level.name == judged)
    same = {group, "place", *(OF_PLACES if group in OF_PLACES else ())}
    apart = SAME_SOURCE.get(judged, set())
    counts = [level.group not in same and level.name not in apart for level in LEVELS]
    return tuple(counts + [False] * (KINDS - len(LEVELS)))


TELLS = tuple(_tells(name) for name in NAMES)


def is_of_one_party(value: int, cards: Sequence[Card]) -> bool:
    """Return true if a value that these cards state belongs to one party."""
    if level_of(value) == PHONE and not _is_no_house_phone(cards):
        return False
    if level_of(value) in WEIGHED and _is_of_a_template(value, cards):
        return False
    if level_of(value) not in WEIGHED:
        return unlike_groups(value, compared(value, cards)) <= 1
    if len(cards) <= UNLIKE_AT_MOST:
        return True
    chosen = compared(value, cards)
    groups = unlike_groups(value, chosen)
    return groups <= UNLIKE_AT_MOST or (groups <= UNLIKE_OF_ALIKE and groups < MOSTLY_UNLIKE * len(chosen))


def _is_of_a_template(value: int, cards: Sequence[Card]) -> bool:
    """Return true for what stands on the pages of many subjects of lists, each of which has contacts of its own.

    A builder of shops, a theme or an agency writes several things into all of its pages, so that what goes along with
    the value as widely makes them no more alike. Shops of one owner that show these things alone are no strangers.
    """
    listed = [card for card in cards if card.listed]
    if len(listed) <= UNLIKE_AT_MOST:
        return False
    chosen = compared(value, listed)
    stating: dict[int, list[int]] = {}
    for number, card in enumerate(chosen):
        for other in card.values:
            if level_of(other) in WEIGHED and other != value:
                stating.setdefault(other, []).append(number)
    narrow = {other: by for other, by in stating.items() if len(by) <= UNLIKE_AT_MOST}
    with_contacts = {number for other, by in narrow.items() if level_of(other) != SHOP for number in by}
    alike = Counter(pair for by in narrow.values() for pair in combinations(by, 2))
    leader = list(range(len(chosen)))
    for (one, other), times in alike.items():
        if times >= ALIKE_BY:
            leader[_led(leader, other)] = _led(leader, one)
    strangers = len({_led(leader, number) for number in with_contacts})
    groups = len({_led(leader, number) for number in range(len(chosen))})
    return strangers > UNLIKE_AT_MOST and strangers >= MOSTLY_UNLIKE * groups


def fewest_judged(value: int) -> int:
    """Return the number of cards from which it matters what else they state."""
    return UNLIKE_AT_MOST + 1 if level_of(value) in WEIGHED else 2


def compared(value: int, cards: Sequence[Card]) -> Sequence[Card]:
    """Choose the cards by which a value is judged, the same in whatever order they came."""
    most = COMPARED if level_of(value) in WEIGHED else COMPARED_OF_WEAK
    return cards if len(cards) <= most else nsmallest(most, cards, key=lambda card: card.entity)


def unlike_groups(value: int, cards: Sequence[Card]) -> int:
    """Count the groups into which cards fall that share anything else than a value, what goes with it, or a place."""
    tells = TELLS[level_of(value)]
    first_with: dict[int, int] = {}
    leader = list(range(len(cards)))
    groups = len(leader)
    for number, card in enumerate(cards):
        for other in card.values:
            if tells[other & LEVEL]:
                earlier = first_with.setdefault(other, number)
                if earlier != number:
                    one, another = _led(leader, number), _led(leader, earlier)
                    groups -= one != another
                    leader[one] = another
    return groups


def _led(leader: list[int], number: int) -> int:
    while leader[number] != number:
        leader[number] = leader[leader[number]]
        number = leader[number]
    return number


def _is_no_house_phone(cards: Sequence[Card]) -> bool:
    """Return true for the telephone of a party: that of a building is shared by many names in it."""
    names, buildings = {card.name for card in cards}, {card.building for card in cards}
    share = len(names) / max(len(buildings), 1)
    few_cards = len(cards) <= FEW_SHARING and len(buildings) > 1
    return share <= NAMES_OF_MANY or (few_cards and share < NAMES_OF_FEW)
