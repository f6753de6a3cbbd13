"""Who stands behind a consignment: names made comparable; linking is a component with a switch of its own."""

from features.parties.linking import Parties, Unlinked

__all__ = ["Parties", "Unlinked"]
