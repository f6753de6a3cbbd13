"""Entity resolution of senders: evidence, graph and networks; linking is a component with a switch of its own."""

from features.parties.graph_timeline import GraphTimeline
from features.parties.linking import LINKED, Linked, Parties, Unlinked, grow, link_with

__all__ = ["LINKED", "GraphTimeline", "Linked", "Parties", "Unlinked", "grow", "link_with"]
