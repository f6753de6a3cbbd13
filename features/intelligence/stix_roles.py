"""The roles of a STIX bundle: who is accused, who is a victim, author, witness or lender, and what belongs to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from features.intelligence.ownership import Ownership
from features.intelligence.statements import Reading

Item: TypeAlias = dict[str, Any]
VICTIM, AUTHOR, WITNESS = "a victim", "an author of the list", "a witness of a sighting"
LENDER, CLASS = "whoever lent the means", "a class of parties, nobody in particular"
RECIPIENT, UNCLEAR = "a recipient of a message", "its relation is revoked, or of a kind that is not known"
TWO_PARTIES = "it ties two parties, and neither answers for the other"


class Roles:
    """Roles of the parties of a bundle.

    innocent: parties and observables that accuse nobody, with the reason. owners: what belongs to whom. An identity
    that the bundle accuses, by attributing something to it or by what it does, stays a suspect whatever else it is.
    """

    def __init__(self, items: Mapping[str, Item], meanings: Mapping[str, Any], reading: Reading) -> None:
        self.innocent: dict[str, str] = {}
        self.owners = Ownership()
        self._items, self._meanings, self._reading = items, meanings, reading
        names = {meaning: of for meaning, of in meanings["relations"].items() if meaning != "accusing"}
        self._meaning = {name: meaning for meaning, of in names.items() for name in of}
        self._accused: set[str] = set()
        self._unclear: set[str] = set()
        self._same: list[tuple[str, str]] = []
        self._edges: list[tuple[str, str]] = []
        self._relate()
        self._refer()
        self._conclude()

    def _relate(self) -> None:
        for item in self._items.values():
            if item.get("type") == "relationship":
                ends = self._ends(item)
                if item.get("revoked") is True:
                    self._unclear |= {end for pair in ends for end in pair if not self._is_party(end)}
                    continue
                if not ends:
                    self._reading.leave_out("relation", "it relates to what is not in the list")
                for source, target in ends:
                    self._one(str(item.get("relationship_type") or "related-to").lower(), source, target)

    def _ends(self, relation: Item) -> list[tuple[str, str]]:
        """Return the pairs that a relation joins: observed data stands for each of its observables."""
        sources, targets = self._members(relation.get("source_ref")), self._members(relation.get("target_ref"))
        return [(source, target) for source in sources for target in targets if source != target]

    def _members(self, item_id: Any) -> list[str]:
        item = self._items.get(item_id) if isinstance(item_id, str) else None
        if item is None:
            return []
        if item.get("type") != "observed-data":
            return [item_id]
        embedded = item.get("objects")
        keys = (
            [f"{item_id}#{key}" for key in embedded] if isinstance(embedded, dict) else texts(item.get("object_refs"))
        )
        return [key for key in keys if key in self._items]

    def _one(self, name: str, source: str, target: str) -> None:
        meaning = self._meaning.get(name)
        if name in self._meanings["relations"]["accusing"]:
            self._accused.add(source)
        if meaning is None:
            self._reading.leave_out("relation", "its kind is not known")
            self._unclear |= {end for end in (source, target) if not self._is_party(end)}
        elif meaning == "attributed":
            self._accused.add(target)
            self._edges.append((target, source))
        elif meaning == "same":
            self._same.append((source, target))
            self._edges.append((target, source))
        elif meaning in ("victim", "victim_of"):
            self._hold_innocent(target if meaning == "victim" else source, VICTIM)
        elif meaning == "provides" and self._type(source) == "identity":
            self._hold_innocent(source, LENDER)
        elif meaning in ("target", "provides"):
            self._belongs(source, target)
        elif meaning == "source":
            self._belongs(target, source)
        elif meaning == "related":
            turned = self._is_party(target) and not self._is_party(source)
            self._belongs(*((target, source) if turned else (source, target)))
        elif self._is_party(source) and self._is_party(target):
            self._reading.leave_out("relation", TWO_PARTIES)

    def _belongs(self, owner: str, thing: str) -> None:
        """Note an owner: a party, its means or an indicator; a person or a group is no thing of another."""
        if self._is_party(thing) and self._type(thing) != "infrastructure":
            self._reading.leave_out("relation", TWO_PARTIES)
        elif self._is_party(owner) or self._is_observable(owner) or self._type(owner) == "indicator":
            self._edges.append((owner, thing))

    def _refer(self) -> None:
        """Note roles that objects tell by their own properties."""
        references = self._meanings["references"]
        owned = {thing for _, thing in self._edges}
        for item_id, item in self._items.items():
            if item.get("revoked") is True and item.get("type") != "identity":
                continue
            for author in texts(item.get("created_by_ref")):
                self._hold_innocent(author, AUTHOR)
            for witness in texts(item.get("where_sighted_refs")):
                self._hold_innocent(witness, WITNESS)
            for recipient in _of(item, references["recipients"]):
                self._hold_innocent(recipient, RECIPIENT)
            self._edges += [(owner, item_id) for owner in _of(item, references["owner"]) if self._is_observable(owner)]
            self._edges += [(item_id, sender) for sender in _of(item, references["sender"]) if item_id in owned]
            if item.get("type") == "identity":
                words = {word.lower() for name in ("roles", "labels") for word in texts(item.get(name))}
                if "victim" in words:
                    self._hold_innocent(item_id, VICTIM)
                if item.get("identity_class") in ("class", "system"):
                    self._hold_innocent(item_id, CLASS)

    def _conclude(self) -> None:
        """Let accusation outweigh the other roles, and add what belongs to whom, but for what is a victim's own."""
        for item_id in self._accused:
            self.innocent.pop(item_id, None)
        for pair in self._same:
            reason = next((self.innocent[end] for end in pair if end in self.innocent), None)
            if reason and not self._accused & set(pair):
                self.innocent.update(dict.fromkeys(pair, reason))
        for owner, thing in self._edges:
            if (
                thing not in self.innocent
                and self._items.get(owner, {}).get("revoked", owner not in self._items) is not True
            ):
                self.owners.add(owner, thing)
        for item_id in self._unclear:
            if not self.owners.is_owned(item_id):
                self._hold_innocent(item_id, UNCLEAR)

    def _hold_innocent(self, item_id: str, reason: str) -> None:
        if self._type(item_id) != "location":  # a place is evidence against nobody by itself
            self.innocent.setdefault(item_id, reason)

    def _type(self, item_id: str) -> str:
        return str(self._items.get(item_id, {}).get("type"))

    def _is_party(self, item_id: str) -> bool:
        return self._type(item_id) in self._meanings["parties"]

    def _is_observable(self, item_id: str) -> bool:
        return self._type(item_id) in self._meanings["observables"] or self._type(item_id) == "email-message"


def _of(item: Item, names: list[str]) -> Iterator[str]:
    for name in names:
        yield from texts(item.get(name))


def texts(value: Any) -> list[str]:
    """Return the texts of a property, given alone or in a list; anything else is ignored."""
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)]
