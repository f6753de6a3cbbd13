"""Who stands behind a consignment: names made comparable; linking is a component with a switch of its own."""

from features.parties.linking import LINKED, Linked, Parties, Unlinked, grow, link_with
from features.parties.meanwhile import Meanwhile

__all__ = ["LINKED", "Linked", "Meanwhile", "Parties", "Unlinked", "grow", "link_with"]
