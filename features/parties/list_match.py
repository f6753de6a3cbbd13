"""A party of a consignment that is on a watch list: which list, on which side, and by which keys."""

from __future__ import annotations

from dataclasses import dataclass

CONSIGNOR, CONSIGNEE = "consignor", "consignee"
SIDES = (CONSIGNOR, CONSIGNEE)
KEYS = ("number", "telephone", "mailbox", "account", "shop", "name", "house", "postcode")
CONCLUSIVE, NETWORK, POSSIBLE = TIERS = ("conclusive", "network", "possible")
MATCHED = "list_matches"  # column of consignments: the matches of each, written


@dataclass(frozen=True, slots=True, order=True)
class ListMatch:
    """A party that has to do with a subject of a list.

    side: of SIDES. tier: of TIERS; it is the subject, is linked to who is, or may be the subject. keys: what it, or who
    it is linked to, shares with the subject, such as `telephone`, in the order of KEYS.
    """

    side: str
    tier: str
    list_id: str
    keys: tuple[str, ...]

    def written(self) -> str:
        """Return it as columns and the record keep it; the name of the list, which may hold any sign, comes last."""
        return "|".join((self.side, self.tier, ",".join(self.keys), self.list_id))

    @classmethod
    def read(cls, written: str) -> ListMatch:
        """Read one that was written."""
        side, tier, keys, list_id = written.split("|", 3)
        return cls(side, tier, list_id, tuple(filter(None, keys.split(","))))
